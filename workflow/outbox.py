"""The transactional outbox: what Slack must be told, committed with what it tells of.

Owns adding notices, and what delivery (in `bot`) notes about each: done, put off, given up. Redis
is never the truth about them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, delete, func, insert, select, update
from sqlalchemy.orm import Session

from workflow import bulk
from workflow.audit import Recorded
from workflow.tables import OutboxNotice, RequestedUpdate
from workflow.vocabulary import NoticeKind, State

GATHER = timedelta(seconds=2)
"""How long a direct message waits for others to the same person, so that a burst is one message."""
CLOCKS_DIFFER = timedelta(minutes=1)
"""How far the clocks of two machines may be apart."""
LONGEST_PUT_OFF = timedelta(hours=1)
"""What could not be delivered is tried again sooner than that."""
READY_CARDS = 40
OF_A_JOB = (NoticeKind.CARD, NoticeKind.THREAD)
TO_A_PERSON = (NoticeKind.DIRECT, NoticeKind.DIGEST)
BY_ITSELF = (NoticeKind.PRIVILEGE, NoticeKind.REPORT, NoticeKind.STEP)
"""What is neither drawn with others nor gathered."""
IN_PLACE = (NoticeKind.CARD, NoticeKind.PRIVILEGE)
"""What is drawn as it is now, in the place of what it was."""
_WAITS = (OutboxNotice.done_at.is_(None), OutboxNotice.given_up.is_(False))
_IDS_A_STATEMENT = 500
_ADD = insert(OutboxNotice.__table__)  # type: ignore[arg-type]


def refresh_card(session: Session, job_id: int, *, at: datetime) -> None:
    """The job's card no longer says the truth: draw it again."""
    refresh_cards(session, [job_id], at=at)


def refresh_cards(session: Session, job_ids: Iterable[int], *, at: datetime) -> None:
    """The cards of these jobs no longer say the truth: draw them again."""
    _add(session, [_notice(NoticeKind.CARD, at=at, job_id=job_id) for job_id in job_ids])


def refresh_ready_cards(session: Session, *, at: datetime) -> None:
    """A data sync has run, so the next one that the cards of ready jobs name has changed.

    The newest READY_CARDS only: Slack takes some 50 updates a minute, and nobody reads further back.
    """
    newest = (
        select(RequestedUpdate.job_id)
        .where(RequestedUpdate.state == State.READY)
        .order_by(RequestedUpdate.requested_at.desc())
        .limit(READY_CARDS)
    )
    job_ids = sorted(session.scalars(newest))  # in the order in which everybody takes jobs
    refresh_cards(session, job_ids, at=at)


def tell(session: Session, event: Recorded, *, people: Iterable[int] = (), broadcast: bool = False) -> None:
    """An event of a job: its card changes, its thread says so, and `people` get a direct message.

    `broadcast` shows the thread's reply in the channel too.
    """
    if event.job_id is None:
        raise ValueError("only an event of a job has a card and a thread")
    card = _notice(NoticeKind.CARD, at=event.at, job_id=event.job_id)
    thread = _notice(NoticeKind.THREAD, at=event.at, job_id=event.job_id, event=event, broadcast=broadcast)
    _add(session, [card, thread, *_direct(event, people)])


class Told(NamedTuple):
    """An event of a job, by its number, as one of many that are told at once."""

    event_seq: int
    job_id: int
    people: Collection[int]
    request_id: str | None


def tell_many(session: Session, told: Sequence[Told], *, at: datetime) -> None:
    """Events of jobs that happened together: of each, what `tell` tells."""
    shared = {"broadcast": False, "created_at": at, "attempts": 0, "given_up": False}
    of_jobs = (
        (kind, one.job_id, one.event_seq if kind is NoticeKind.THREAD else None, one.request_id)
        for one in told
        for kind in OF_A_JOB
    )
    columns = ("kind", "job_id", "event_seq", "request_id")
    bulk.insert_many(session, OutboxNotice, columns, of_jobs, due_at=at, **shared)
    direct = (
        (one.job_id, person_id, one.event_seq, one.request_id)
        for one in told
        for person_id in sorted(one.people)
    )
    columns, shared["kind"] = ("job_id", "person_id", "event_seq", "request_id"), NoticeKind.DIRECT
    bulk.insert_many(session, OutboxNotice, columns, direct, due_at=at + GATHER, **shared)


def tell_people(
    session: Session, event: Recorded, people: Iterable[int], *, not_before: datetime | None = None
) -> None:
    """A direct message about the event to each person, once each; not before a certain time."""
    _add(session, _direct(event, people, not_before=not_before))


def put_digest(
    session: Session, person_id: int, *, at: datetime, due_at: datetime, event_seq: int | None = None
) -> None:
    """A message with what waits for an approver when it is delivered: one waiting at a time, the soonest.

    `event_seq` is the reminder that it is for, if any.
    """
    waiting = session.scalars(
        select(OutboxNotice)
        .where(
            *_WAITS,
            OutboxNotice.kind == NoticeKind.DIGEST,
            OutboxNotice.person_id == person_id,
            OutboxNotice.message_key.is_(None),
        )
        .limit(1)
        # whoever writes the message waits for this, or this for them, and then it is another one
        .with_for_update()
    ).one_or_none()
    if waiting is None:
        session.add(
            OutboxNotice(
                kind=NoticeKind.DIGEST,
                person_id=person_id,
                event_seq=event_seq,
                created_at=at,
                due_at=due_at,
            )
        )
    else:
        waiting.due_at = min(waiting.due_at, due_at)
        waiting.event_seq = waiting.event_seq or event_seq
    session.flush()


def show_privilege_request(session: Session, event: Recorded, administrators: Iterable[int]) -> None:
    """Draw the request for the privilege that the event is of for each administrator: new, or in place."""
    _add(
        session,
        [
            _notice(NoticeKind.PRIVILEGE, at=event.at, event=event, person_id=person_id)
            for person_id in sorted(set(administrators))
        ],
    )


def put_report(session: Session, *, until: datetime, at: datetime) -> None:
    """The channel gets the report of the week that ended at `until`, which is the notice's own time."""
    _add(session, [_notice(NoticeKind.REPORT, at=until, due_at=at)])


def answer_step(session: Session, function_execution_id: str, *, at: datetime) -> None:
    """Tell Slack what came of a step of a workflow."""
    _add(session, [_notice(NoticeKind.STEP, at=at, function_execution_id=function_execution_id)])


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many notices wait for delivery, since when, and how many were given up."""

    waiting: int
    oldest: datetime | None
    given_up: int


def backlog(session: Session, *, now: datetime | None = None) -> Backlog:
    """What delivery has still to do, and what it could not do.

    With `now`, what is meant to wait for a later hour, such as a digest, is none of it before then.
    """
    # what was tried in vain is put off as well, and waits since it was written
    since = case((OutboxNotice.last_error.is_(None), OutboxNotice.due_at), else_=OutboxNotice.created_at)
    waiting = select(func.count(), func.min(since)).where(*_WAITS)
    count, oldest = session.execute(waiting if now is None else waiting.where(since <= now)).one()
    given_up = session.scalar(
        # by the index of those that are not done, or every notice of a month would be read
        select(func.count()).where(OutboxNotice.given_up, OutboxNotice.done_at.is_(None))
    )
    return Backlog(count, oldest, given_up or 0)


def forget(session: Session, *, before: datetime) -> None:
    """Drop notices older than that which were delivered or given up.

    The newest notice stays: SQLite gives the number of a deleted last row away again, and the
    messages in Slack are known by these numbers.
    """
    newest = session.scalar(select(func.max(OutboxNotice.id)))
    session.execute(
        delete(OutboxNotice).where(
            OutboxNotice.created_at < before,
            OutboxNotice.done_at.is_not(None) | OutboxNotice.given_up,
            OutboxNotice.id != newest,
        ),
        execution_options={"synchronize_session": False},
    )


def next_due(session: Session) -> datetime | None:
    """When the next waiting notice is due; None when none waits."""
    return session.scalar(select(func.min(OutboxNotice.due_at)).where(*_WAITS))


def due_jobs(
    session: Session, *, now: datetime, limit: int, kinds: Collection[NoticeKind] = OF_A_JOB
) -> Sequence[int]:
    """The jobs whose card or thread is to be told of now, by their oldest such notice of these kinds.

    By its number, so that what was put off meanwhile does not lose its turn.
    """
    query = select(OutboxNotice.job_id).where(
        *_WAITS, OutboxNotice.due_at <= now, OutboxNotice.kind.in_(kinds), OutboxNotice.job_id.is_not(None)
    )
    query = query.group_by(OutboxNotice.job_id).order_by(func.min(OutboxNotice.id))
    return [job_id for job_id in session.scalars(query.limit(limit)) if job_id is not None]


def due_people(session: Session, *, now: datetime) -> Sequence[int]:
    """The people who are to be written to now, whoever waited longest first."""
    query = select(OutboxNotice.person_id).where(
        *_WAITS,
        OutboxNotice.due_at <= now,
        OutboxNotice.kind.in_(TO_A_PERSON),
        OutboxNotice.person_id.is_not(None),
    )
    oldest = func.min(OutboxNotice.due_at), func.min(OutboxNotice.id)
    query = query.group_by(OutboxNotice.person_id).order_by(*oldest)
    return [person_id for person_id in session.scalars(query) if person_id is not None]


def due(
    session: Session, *, now: datetime, limit: int, kinds: Collection[NoticeKind] = tuple(NoticeKind)
) -> Sequence[OutboxNotice]:
    """The notices of these kinds to deliver now, those that waited longest first."""
    query = select(OutboxNotice).where(*_WAITS, OutboxNotice.due_at <= now, OutboxNotice.kind.in_(kinds))
    return session.scalars(query.order_by(OutboxNotice.due_at, OutboxNotice.id).limit(limit)).all()


def ahead(session: Session, *, now: datetime) -> Sequence[OutboxNotice]:
    """Waiting notices that a clock which was ahead wrote or put off: they would wait until that time."""
    from_the_future = OutboxNotice.created_at > now + CLOCKS_DIFFER
    too_long = OutboxNotice.last_error.is_not(None) & (OutboxNotice.due_at > now + LONGEST_PUT_OFF)
    return session.scalars(select(OutboxNotice).where(*_WAITS, from_the_future | too_long)).all()


def bring_back(session: Session, *, now: datetime) -> None:
    """Have what is `ahead` come when it would have by a clock that was right."""
    for notice in ahead(session, now=now):
        lead = max(notice.created_at - now, timedelta())
        notice.created_at -= lead
        notice.due_at = now if notice.last_error else notice.due_at - lead
    session.flush()


def waiting_for_job(session: Session, job_id: int, kind: NoticeKind) -> Sequence[OutboxNotice]:
    """Every waiting card or thread notice of a job, due or not, oldest first."""
    query = select(OutboxNotice).where(*_WAITS, OutboxNotice.kind == kind, OutboxNotice.job_id == job_id)
    return session.scalars(query.order_by(OutboxNotice.id)).all()


def waiting_for_person(session: Session, person_id: int) -> Sequence[OutboxNotice]:
    """Every waiting direct notice to a person and their digest, due or not, oldest first."""
    query = select(OutboxNotice).where(
        *_WAITS, OutboxNotice.kind.in_(TO_A_PERSON), OutboxNotice.person_id == person_id
    )
    return session.scalars(query.order_by(OutboxNotice.id)).all()


def told_of(session: Session, person_id: int, event_seqs: Collection[int]) -> set[int]:
    """Those of these events of which a person gets, or got, a direct message of their own."""
    query = select(OutboxNotice.event_seq).where(
        OutboxNotice.kind == NoticeKind.DIRECT,
        OutboxNotice.person_id == person_id,
        OutboxNotice.event_seq.in_(event_seqs),
    )
    return {seq for seq in session.scalars(query) if seq is not None}


def gather(session: Session, notices: Collection[OutboxNotice], key: str) -> bool:
    """Fix, before it is sent, that one message of this key tells these notices; no other message may.

    False when another one tells one of them, or somebody has told it: then undo the transaction.
    """
    free = OutboxNotice.message_key.is_(None) | (OutboxNotice.message_key == key)
    return _change(session, notices, {"message_key": key}, *_WAITS, free) == len(notices)


def done(session: Session, notices: Collection[OutboxNotice], *, at: datetime) -> None:
    """Slack has what these notices tell.

    Where somebody else was as far with one of them at the same time, what is drawn in place is drawn once
    more: theirs may have been the newer, and come first.
    """
    if _change(session, notices, {"done_at": at, "last_error": None}, *_WAITS) < len(notices):
        in_place = [notice for notice in notices if notice.kind in IN_PLACE]
        _change(session, in_place, {"done_at": None, "due_at": at}, OutboxNotice.given_up.is_(False))


def lock(session: Session, notices: Iterable[OutboxNotice]) -> None:
    """Take notices that are to be changed by more than one act, in the order in which everybody takes them.

    None may be changed twice in a transaction: PostgreSQL would lock its job, whose turn was before.
    """
    ids = sorted(notice.id for notice in notices)
    for some in bulk.chunks(ids, _IDS_A_STATEMENT):
        _lock(session, some)


def put_off(
    session: Session,
    notices: Iterable[OutboxNotice],
    *,
    until: datetime,
    error: str | None,
    counts: bool = False,
) -> None:
    """Try again later; `counts` makes it an attempt that failed by the notice's own fault.

    Without an error it is meant to wait until then.
    """
    attempts = OutboxNotice.attempts + (1 if counts else 0)
    _change(session, notices, {"due_at": until, "last_error": error, "attempts": attempts}, *_WAITS)


def hush(session: Session, notice_ids: Collection[int]) -> None:
    """Show none of these replies in the channel too."""
    _change_ids(session, notice_ids, {"broadcast": False})


def try_now(session: Session, *, at: datetime) -> None:
    """Try again now what was put off by an error, and what waits behind it: the cause may be gone."""
    put_off_ones = select(OutboxNotice.id).where(
        *_WAITS, OutboxNotice.due_at > at, OutboxNotice.last_error.is_not(None)
    )
    _change_ids(session, session.scalars(put_off_ones).all(), {"due_at": at}, *_WAITS)


def is_put_off_by(session: Session, words: str) -> bool:
    """Whether something waits already because of an error that has these words in it."""
    waiting = select(OutboxNotice.id).where(*_WAITS, OutboxNotice.last_error.contains(words, autoescape=True))
    return session.scalar(waiting.limit(1)) is not None


def give_up(session: Session, notices: Iterable[OutboxNotice], *, error: str) -> None:
    """Never try again; the reason stays on record."""
    _change(session, notices, {"given_up": True, "last_error": error}, *_WAITS)


def _direct(
    event: Recorded, people: Iterable[int], *, not_before: datetime | None = None
) -> list[dict[str, Any]]:
    due_at = max(event.at, not_before or event.at) + GATHER
    return [
        _notice(
            NoticeKind.DIRECT,
            at=event.at,
            due_at=due_at,
            job_id=event.job_id,
            person_id=person_id,
            event=event,
        )
        for person_id in sorted(set(people))
    ]


def _notice(
    kind: NoticeKind,
    *,
    at: datetime,
    due_at: datetime | None = None,
    job_id: int | None = None,
    person_id: int | None = None,
    event: Recorded | None = None,
    function_execution_id: str | None = None,
    broadcast: bool = False,
) -> dict[str, Any]:
    """A row of the outbox; due at once where nothing else is said."""
    return {
        "kind": kind,
        "job_id": job_id,
        "person_id": person_id,
        "event_seq": event.seq if event else None,
        "function_execution_id": function_execution_id,
        "broadcast": broadcast,
        "created_at": at,
        "due_at": due_at or at,
    }


def _add(session: Session, notices: Sequence[dict[str, Any]]) -> None:
    """Add notices by one statement, past the session, which takes one for each."""
    if notices:
        session.flush()  # what they tell of comes before them
        session.connection().execute(_ADD, notices)


def _change(
    session: Session,
    notices: Iterable[OutboxNotice],
    values: dict[str, Any],
    *only: ColumnElement[bool],
) -> int:
    """Change those of these notices of which all this holds; how many they were."""
    return _change_ids(session, [notice.id for notice in notices], values, *only)


def _change_ids(
    session: Session, ids: Iterable[int], values: dict[str, Any], *only: ColumnElement[bool]
) -> int:
    """So by their numbers, and in this order, so that two never deadlock."""
    ordered, changed = sorted(ids), 0
    for some in bulk.chunks(ordered, _IDS_A_STATEMENT):
        if len(ordered) > 1:
            _lock(session, some)  # an UPDATE has an order of its own
        changed += session.execute(
            update(OutboxNotice).where(OutboxNotice.id.in_(some), *only).values(values),
            execution_options={"synchronize_session": False},
        ).rowcount  # type: ignore[attr-defined]
    return changed


def _lock(session: Session, ids: Collection[int]) -> None:
    in_order = select(OutboxNotice.id).where(OutboxNotice.id.in_(ids)).order_by(OutboxNotice.id)
    session.execute(in_order.with_for_update())
