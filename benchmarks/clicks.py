"""A signed click on Update: how soon Slack has the ack, and how soon the decision is committed.

The bare baselines are a Bolt app that only acknowledges, behind the same HTTP server, and the decision's own
transaction written by hand in SQL. Each click comes when the one before is decided, as people click.
"""

import hashlib
import json
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from slack_bolt import App

from benchmarks.apart import Apart, Note
from benchmarks.company import TEAM, Company, user_of
from benchmarks.loading import bare_postgres, is_sqlite
from benchmarks.measure import Row, Sizes, percentile
from benchmarks.slack import COMMITTED, Costbot, bare_app, update_click
from workflow.vocabulary import Event, Place

_BOLT = "bare Bolt app that only acks"
_BY_HAND = "same transaction by hand in SQL, no click"
_BOLT_BY_HAND = "bare Bolt app, same transaction by hand in SQL"
_APPROVER = 1
_GOAL_P50, _GOAL_P99, _GOAL_DECIDED = 0.5, 1.0, 2.0

Execute = Callable[[str], Any]


def measure(company: Company, sizes: Sizes) -> Iterator[Row]:
    """Click on jobs that are Ready to Update, a different one each time."""
    waiting = iter(company.ready())
    bare_acks: list[float] = []
    acks: list[float] = []
    by_hand: list[float] = []
    decided: list[float] = []
    bare_decided: list[float] = []
    with (
        Costbot(company.url) as costbot,
        Apart(_bare) as bare,
        Apart(partial(_bare_by_hand, company.url)) as bare_by_hand,
        closing(_Hand(company.url)) as hand,
    ):

        def click(*, kept: bool) -> None:
            bare_ack = bare.send(update_click(_APPROVER, *next(waiting)))
            start = time.perf_counter()
            ack = costbot.send(update_click(_APPROVER, *next(waiting)))
            decision = costbot.committed() - start
            costbot.shown()
            own = hand.seconds(user_of(_APPROVER), next(waiting)[1])
            start = time.perf_counter()
            bare_by_hand.send(update_click(_APPROVER, *next(waiting)))
            hand_done = bare_by_hand.when(COMMITTED) - start
            if kept:
                bare_acks.append(bare_ack)
                acks.append(ack)
                decided.append(decision)
                by_hand.append(own)
                bare_decided.append(hand_done)

        for _ in range(sizes.clicks // 10):
            click(kept=False)
        for _ in range(sizes.clicks * sizes.runs):
            click(kept=True)
    stored = f"{sizes.lines:,} assignments stored, {len(acks)} clicks"
    for share, goal in ((0.50, _GOAL_P50), (0.99, _GOAL_P99)):
        baseline, ours = _median_of_runs(bare_acks, share, sizes), _median_of_runs(acks, share, sizes)
        name = f"Update click to ack, p{share * 100:.0f}, {company.engine}"
        yield Row(name, stored, _BOLT, goal, baseline, ours)
    baseline, ours = _median_of_runs(by_hand, 0.5, sizes), _median_of_runs(decided, 0.5, sizes)
    name = f"Update click to decision committed, {company.engine}"
    yield Row(name, stored, _BY_HAND, _GOAL_DECIDED, baseline, ours)
    baseline = _median_of_runs(bare_decided, 0.5, sizes)
    name = f"Update click to decision committed, both by a click, {company.engine}"
    yield Row(name, stored, _BOLT_BY_HAND, _GOAL_DECIDED, baseline, ours)


@contextmanager
def _bare(_note: Note) -> Iterator[App]:
    yield bare_app(lambda _: None)


@contextmanager
def _bare_by_hand(url: str, note: Note) -> Iterator[App]:
    with closing(_Hand(url)) as hand:

        def decide(click: dict[str, Any]) -> None:
            button = json.loads(click["actions"][0]["value"])
            hand.seconds(click["user"]["id"], button["requested_update_id"])
            note(COMMITTED, time.perf_counter())

        yield bare_app(decide)


def _median_of_runs(seconds: list[float], share: float, sizes: Sizes) -> float:
    runs = [percentile(seconds[n : n + sizes.clicks], share) for n in range(0, len(seconds), sizes.clicks)]
    return percentile(runs, 0.5)


class _Hand:
    """The decision in SQL by hand, on a connection of the bare driver that stays open."""

    def __init__(self, url: str) -> None:
        self._sqlite = is_sqlite(url)
        if self._sqlite:
            self._file = sqlite3.connect(
                url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
            )
            for pragma in ("foreign_keys = ON", "synchronous = NORMAL", "busy_timeout = 30000"):
                self._file.execute(f"PRAGMA {pragma}")
        else:
            self._context = bare_postgres(url)
            self._postgres = self._context.__enter__()

    def seconds(self, user_id: str, update_id: int) -> float:
        """Decide on one requested update as this Slack user; how long that took."""
        start = time.perf_counter()
        now = datetime.now(UTC)
        if self._sqlite:
            at = now.replace(tzinfo=None).isoformat(sep=" ")
            self._file.execute("BEGIN IMMEDIATE")
            _decide(self._file.execute, user_id, update_id, at, now, locks=False)
            self._file.execute("COMMIT")
        else:
            _decide(self._on_postgres, user_id, update_id, now, now, locks=True)
            self._postgres.commit()
        return time.perf_counter() - start

    def _on_postgres(self, statement: str, values: dict[str, Any] | None = None) -> Any:
        return self._postgres.execute(_for_psycopg(statement), values)

    def close(self) -> None:
        if self._sqlite:
            self._file.close()
        else:
            self._context.__exit__(None, None, None)


@cache
def _for_psycopg(statement: str) -> bytes:
    return re.sub(r":(\w+)", r"%(\1)s", statement).encode()


_LOOK = """
    SELECT u.job_id, u.state, u.revision, u.requested_by_id,
      p.erp_permission, p.can_push_to_accounting, p.active,
      EXISTS (SELECT 1 FROM first_approvals f WHERE f.requested_update_id = u.id)
      OR EXISTS (SELECT 1 FROM requested_lines l JOIN line_findings f ON f.line_id = l.id
        WHERE l.requested_update_id = u.id AND l.outcome IS NULL AND f.severity = 'refuse')
      OR EXISTS (SELECT 1 FROM requested_lines l
        WHERE l.requested_update_id = u.id AND l.requested_by_id <> u.requested_by_id)
      OR EXISTS (SELECT 1 FROM workflow_steps s
        WHERE s.requested_update_id = u.id AND s.finished_at IS NULL)
      OR EXISTS (SELECT 1 FROM holds h WHERE h.job_id = u.job_id)
      OR EXISTS (SELECT 1 FROM aways a
        WHERE a.delegate_id = :person AND a.starts_at <= :at AND a.ends_at > :at AND a.ended_at IS NULL)
    FROM requested_updates u LEFT JOIN people p ON p.id = :person WHERE u.id = :id
"""


def _decide(execute: Any, user_id: str, update_id: int, at: Any, now: datetime, *, locks: bool) -> None:
    """What costbot reads and writes for an Update, in the order that its locks ask for, and nothing less.

    Who clicked is read by the tie of the Slack user; the privilege and the state are read under the job's
    lock, and in the same statement whatever is seldom there. Where there is any of it this gives up: the
    company that is measured has none. What is written is all that costbot writes.
    """
    known = {"team": TEAM, "user": user_id, "id": update_id, "at": at, "request": secrets.token_hex(6)}
    person, name = execute(
        "SELECT p.id, p.name FROM slack_links s JOIN people p ON p.id = s.person_id "
        "WHERE s.team_id = :team AND s.user_id = :user",
        known,
    ).fetchone()
    known |= {"person": person, "actor": name, "key": f"trigger:by-hand-{update_id}"}
    noted = execute(
        "INSERT INTO seen_deliveries (key, seen_at) VALUES (:key, :at) ON CONFLICT DO NOTHING", known
    )
    first_time = noted.rowcount == 1
    if locks:
        of_the_update = "SELECT job_id FROM requested_updates WHERE id = :id"
        execute(f"SELECT id FROM jobs WHERE id IN ({of_the_update}) FOR NO KEY UPDATE", known).fetchone()
    job_id, state, revision, asker, permission, privilege, active, seldom = execute(_LOOK, known).fetchone()
    if not first_time or state != "ready" or permission == "none" or not (privilege and active) or seldom:
        raise RuntimeError("this is no Update, or none of the usual ones")
    known |= {"job": job_id, "asker": asker}
    decided = execute(
        "UPDATE requested_updates SET state = 'accepted', decided_by_id = :person, decided_for = NULL, "
        "decided_at = :at, comment = NULL, request_id = :request "
        "WHERE id = :id AND state = 'ready' AND revision = 1",
        known,
    )
    if decided.rowcount != 1:
        raise RuntimeError("somebody was quicker")
    seq, before = execute("SELECT seq, hash FROM audit_head" + (" FOR UPDATE" if locks else "")).fetchone()
    facts = {"revision": revision}
    content = [
        before, seq + 1, now.isoformat(), Event.UPDATED.value, Place.SLACK.value, person, name, job_id,
        update_id, facts, known["request"],
    ]  # fmt: skip
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    known |= {
        "seq": seq + 1,
        "event": Event.UPDATED.value,
        "place": Place.SLACK.value,
        "facts": json.dumps(facts),
        "before": before,
        "hash": hashlib.sha256(text.encode()).hexdigest(),
    }
    execute(
        "INSERT INTO audit_events (seq, at, event, place, actor_id, actor, job_id, requested_update_id, "
        "facts, request_id, previous_hash, hash) VALUES (:seq, :at, :event, :place, :person, :actor, :job, "
        ":id, :facts, :request, :before, :hash)",
        known,
    )
    execute("UPDATE audit_head SET seq = :seq, hash = :hash WHERE id = 1", known)
    execute(
        "INSERT INTO outbox (kind, job_id, person_id, event_seq, broadcast, created_at, due_at, attempts, "
        "given_up, request_id) VALUES ('card', :job, NULL, NULL, FALSE, :at, :at, 0, FALSE, :request), "
        "('thread', :job, NULL, :seq, FALSE, :at, :at, 0, FALSE, :request), "
        "('direct', :job, :asker, :seq, FALSE, :at, :at, 0, FALSE, :request)",
        known,
    )
