"""What Slack may send about a small company: each published payload, with costbot's own names and junk in it.

What belongs to one run of the bot (triggers, ids of deliveries, where to answer) stands as in the samples,
so that the same examples come in every run.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from bot.middleware import HEARD_EVENTS
from bot.payloads import Action, Shortcut, Typed, Window
from bot.sandbox.workspace import APP_ID, CHANNEL_ID, TEAM_ID
from tests.bot.junk import JUNK, ODD, spoiled
from tests.bot.slack_samples import SAMPLES, dressed
from workflow.vocabulary import Refusal, StepKind

Json = dict[str, Any]

PUBLIC = "https://costbot.example"
NOBODIES = ("U0GRACE", "U0NOBODY")
DRAFT = "sample:draft"
"""Stands for what carries the token of somebody's draft."""
_UNKNOWN = "of_an_older_costbot"
_BLOCKS = ("reason", "comment", "job", "codes", "lines", "file", "tick:03-300", "notify", "quiet_from")
_KINDS = [(kind, name) for kind, samples in SAMPLES.items() for name in samples]
_HEARD = [(kind, name) for kind, name in _KINDS if kind != "events_api" or name in HEARD_EVENTS]


@dataclass(frozen=True)
class Sent:
    """A payload of one of Socket Mode's kinds, and who acts."""

    kind: str
    who: str
    payload: Json


def _carried(who: str) -> st.SearchStrategy[str]:
    """What costbot's buttons and windows may carry when this person sends them.

    An approver sends what costbot never drew, for with what it drew they decide; the engineer has no token of
    a draft, for with one they ask. Whoever may do nothing sends everything.
    """
    revisions = (7, 2**31) if who == "U0DANA" else (1, 2, 7)
    sent: list[Json] = [
        {"job_id": job, "requested_update_id": job, "revision": revision, "page": 0, "channel_id": CHANNEL_ID}
        for job in (1, 2, 3)
        for revision in revisions
    ]
    sent += [{"page": 1, "drawing": 1, "ticked": [f"{job}.7", f"{job}.{revisions[0]}"]} for job in (1, 2)]
    sent += [{"privilege_request_id": 1}, {"reason": Refusal.PRIVILEGE_MISSING.value}, {"filter": "all"}]
    sent += [{"page": 0, "tick": True}, {"token": "none", "lines_in_file": 1}]
    ticks = [f"1.{revision}" for revision in revisions]
    drafts = [DRAFT] if who in NOBODIES else []
    return st.sampled_from([*map(json.dumps, sent), *ticks, *drafts, "24-017", *ODD]) | st.text(max_size=40)


@st.composite
def sent_by_slack(draw: st.DrawFn) -> Sent:
    """A request of any kind that Slack publishes, about something of costbot's, with junk in it."""
    kind, name = draw(st.sampled_from(_HEARD) | st.sampled_from(_HEARD) | st.sampled_from(_KINDS))
    who = draw(st.sampled_from([*NOBODIES, "U0TOM", "U0DANA"]))
    values = _carried(who)
    number = draw(st.sampled_from(["24-017", "24-018", "none", *ODD]))
    names = {
        "T0SAMPLE": TEAM_ID,
        "E0SAMPLE": None,
        "A0SAMPLE": APP_ID,
        "C0SAMPLE": CHANNEL_ID,
        "U0SAMPLE": who,
        "/sample": "/costcodes",
        "sample:action": draw(st.sampled_from([*Action, *Typed, _UNKNOWN])),
        "sample:window": draw(st.sampled_from([*Window, _UNKNOWN])),
        "sample:shortcut": draw(st.sampled_from([*Shortcut, _UNKNOWN])),
        "sample:step": draw(st.sampled_from([*StepKind, _UNKNOWN])),
        "sample:value": draw(values),
        "sample:metadata": draw(values),
        "chosen": draw(values),
        "https://www.example.com/jobs/24-017": f"{PUBLIC}/jobs/{quote(number, errors='replace')}",
    }
    payload = dressed(SAMPLES[kind][name], names)
    if "view" in payload:
        # what was typed is read by the ids of costbot's own blocks
        typed = payload["view"]["state"]["values"]
        inputs = st.dictionaries(st.sampled_from(_BLOCKS), st.sampled_from(list(typed.values())), max_size=4)
        payload["view"]["state"] = {"values": typed | draw(inputs)}
    return Sent(kind, who, draw(spoiled(payload)))


def _instead(junk: object) -> Callable[[str], str]:
    return lambda _: json.dumps(junk)


def _cut(end: int) -> Callable[[str], str]:
    return lambda text: text[:end]


HOW_IT_COMES: st.SearchStrategy[Callable[[str], str]] = st.one_of(
    st.just(str),
    st.just(str),
    st.integers(0, 2_000).map(_cut),
    JUNK.map(_instead),
    st.sampled_from(["", "{", "[]", '{"a":' * 5_000]).map(lambda text: lambda _: text),
)
"""An envelope as its WebSocket brings it: whole, cut off, or something else."""
