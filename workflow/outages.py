"""Outages: times in which costbot cannot post in its channel, and who is told of each, once; and installs.

A request never fails because of one: what is to be told waits in the outbox.
"""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from workflow import audit, deliveries, directory, outbox
from workflow.privileges import SCHEDULE, Actor, Rules
from workflow.tables import ChannelOutage, Person
from workflow.vocabulary import Event


def begin(session: Session, *, channel: str, code: str, at: datetime, rules: Rules) -> bool:
    """Slack refuses the channel with `code`: tell the administrator; False when they were told already.

    `channel` is as it is set, '' for none. Without an administrator on record the approvers are told.
    """
    # before it is looked, so that of two who find none the second finds the first one's note
    newest = session.scalar(select(func.max(ChannelOutage.id)))
    known = select(ChannelOutage.id).where(ChannelOutage.channel == channel, ChannelOutage.ended_at.is_(None))
    if session.scalar(known.limit(1)) is not None:
        return False
    if not deliveries.first_time(session, f"outage:{channel}:{newest}", at=at):
        return False
    session.add(ChannelOutage(channel=channel, code=code, began_at=at))
    event = audit.record(session, Event.CHANNEL_CLOSED, by=SCHEDULE, at=at, channel=channel, code=code)
    outbox.tell_people(session, event, [person.id for person in _who_mends(session, rules)])
    return True


def is_open(session: Session) -> bool:
    """Whether costbot could not post when it last tried."""
    return (
        session.scalar(select(ChannelOutage.id).where(ChannelOutage.ended_at.is_(None)).limit(1)) is not None
    )


def end(session: Session, *, channel: str, at: datetime) -> bool:
    """The channel took a message: every outage is over, and what waits comes. False when that was known."""
    ended = update(ChannelOutage).where(ChannelOutage.ended_at.is_(None)).values(ended_at=at)
    if not session.execute(ended).rowcount:  # type: ignore[attr-defined]
        return False
    audit.record(session, Event.CHANNEL_OPEN, by=SCHEDULE, at=at, channel=channel)
    outbox.try_now(session, at=at)
    return True


def installed(session: Session, *, workspace: str, by: Actor, at: datetime) -> None:
    """The app was installed in Slack: it is on record, and what has waited for it is tried now."""
    # the trail first, as whoever has a digest brought forward locks it before the digest
    audit.record(session, Event.SLACK_INSTALLED, by=by, at=at, workspace=workspace)
    outbox.try_now(session, at=at)


def _who_mends(session: Session, rules: Rules) -> list[Person]:
    return directory.administrators(session, rules) or directory.accounting_approvers(session)
