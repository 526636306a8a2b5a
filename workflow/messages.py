"""The messages that costbot has in Slack, by their keys: where each stands, or that one was attempted.

An attempt is noted before the call and the place after it, so that a kill between the two leaves a
trace: the message may be there, and has to be looked for before it is posted again. Of several who are
about to attempt the same, one may: locks can be lost, rows cannot.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from workflow.database import upsert
from workflow.tables import SlackMessage

_KEYS_A_QUERY = 500
_PERMALINK_CHARACTERS = SlackMessage.__table__.c.permalink.type.length  # type: ignore[attr-defined]


def card_key(job_id: int) -> str:
    """The key of a job's one card."""
    return f"card:{job_id}"


def thread_key(event_seq: int) -> str:
    """The key of the reply that tells an event in its job's thread."""
    return f"thread:{event_seq}"


def direct_key(notice_id: int) -> str:
    """The key of the direct message that tells a notice, and those gathered with it."""
    return f"direct:{notice_id}"


def burst_key(burst_id: int) -> str:
    """The key of the digest that tells the channel of a burst."""
    return f"burst:{burst_id}"


def report_key(notice_id: int) -> str:
    """The key of a report to the channel that is in words alone."""
    return f"report:{notice_id}"


def report_files_key(notice_id: int) -> str:
    """The key of a report to the channel with its files."""
    return f"report-files:{notice_id}"


def with_card(session: Session, job_ids: Sequence[int]) -> set[int]:
    """Those of the jobs whose card stands in Slack."""
    by_key = {card_key(job_id): job_id for job_id in job_ids}
    keys = list(by_key)
    found: set[int] = set()
    for start in range(0, len(keys), _KEYS_A_QUERY):
        some = keys[start : start + _KEYS_A_QUERY]
        there = select(SlackMessage.key).where(SlackMessage.key.in_(some), SlackMessage.ts.is_not(None))
        found.update(by_key[key] for key in session.scalars(there))
    return found


def latest_attempt(session: Session, channel: str) -> datetime | None:
    """When something was last posted in a channel, or was about to be, by whichever process."""
    return session.scalar(select(func.max(SlackMessage.attempted_at)).where(SlackMessage.channel == channel))


def newest(session: Session) -> float | None:
    """Slack's own time of the newest message that stands there, in Unix seconds."""
    ts = session.scalar(select(func.max(SlackMessage.ts)))
    return float(ts) if ts else None


def privilege_key(privilege_request_id: int, person_id: int) -> str:
    """The key of the message in which an administrator answers a request for the privilege."""
    return f"privilege:{privilege_request_id}:{person_id}"


def find(session: Session, key: str) -> SlackMessage | None:
    """What is known of a message; `ts` is None when it was attempted and may be there."""
    return session.get(SlackMessage, key)


def attempt(
    session: Session, key: str, *, channel: str, at: datetime, known: SlackMessage | None = None
) -> bool:
    """The message is about to be posted; False when somebody has come first since it was as `known`."""
    if known is None:
        new = upsert(session, SlackMessage).values(key=key, channel=channel, ts=None, attempted_at=at)
        return session.scalar(new.on_conflict_do_nothing().returning(SlackMessage.key)) is not None
    again = (
        update(SlackMessage)
        .where(
            SlackMessage.key == key,
            SlackMessage.ts.is_(None),
            SlackMessage.attempted_at == known.attempted_at,
        )
        .values(channel=channel, attempted_at=at)
    )
    return session.scalar(again.returning(SlackMessage.key)) is not None


def posted(session: Session, key: str, *, channel: str, ts: str) -> None:
    """The message stands there."""
    message = session.get_one(SlackMessage, key)
    message.channel, message.ts = channel, ts


def has_address(session: Session, key: str, *, ts: str, permalink: str) -> None:
    """The message of this time stamp has this address in Slack; kept as long as it stands there."""
    if len(permalink) <= _PERMALINK_CHARACTERS:
        session.execute(
            update(SlackMessage)
            .where(SlackMessage.key == key, SlackMessage.ts == ts)
            .values(permalink=permalink)
        )


def refused(session: Session, key: str, *, at: datetime) -> None:
    """The attempt of that moment came to nothing; a later one stays."""
    attempted = SlackMessage.ts.is_(None), SlackMessage.attempted_at == at
    session.execute(delete(SlackMessage).where(SlackMessage.key == key, *attempted))


def forget(session: Session, key: str, *, ts: str) -> bool:
    """The message of this time stamp was deleted, not one in its place. Whether it was on record."""
    gone = delete(SlackMessage).where(SlackMessage.key == key, SlackMessage.ts == ts)
    return session.scalar(gone.returning(SlackMessage.key)) is not None
