"""The messages that costbot has in Slack, by their keys: where each stands, or that one was attempted.

An attempt is noted before the call and the place after it, so that a kill between the two leaves a
trace: the message may be there, and has to be looked for before it is posted again.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from workflow.tables import SlackMessage


def card_key(job_id: int) -> str:
    """The key of a job's one card."""
    return f"card:{job_id}"


def thread_key(event_seq: int) -> str:
    """The key of the reply that tells an event in its job's thread."""
    return f"thread:{event_seq}"


def direct_key(notice_id: int) -> str:
    """The key of the direct message that tells a notice, and those gathered with it."""
    return f"direct:{notice_id}"


def privilege_key(privilege_request_id: int, person_id: int) -> str:
    """The key of the message in which an administrator answers a request for the privilege."""
    return f"privilege:{privilege_request_id}:{person_id}"


def find(session: Session, key: str) -> SlackMessage | None:
    """What is known of a message; `ts` is None when it was attempted and may be there."""
    return session.get(SlackMessage, key)


def attempt(session: Session, key: str, *, channel: str, at: datetime) -> None:
    """The message is about to be posted."""
    session.merge(SlackMessage(key=key, channel=channel, ts=None, attempted_at=at))


def posted(session: Session, key: str, *, channel: str, ts: str) -> None:
    """The message stands there."""
    message = session.get_one(SlackMessage, key)
    message.channel, message.ts = channel, ts


def forget(session: Session, key: str) -> None:
    """The message is not there: it was deleted, or the attempt was refused."""
    message = session.get(SlackMessage, key)
    if message is not None:
        session.delete(message)
