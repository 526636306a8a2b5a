"""How people left their App Home, and whose is out of date: the truth behind drawing pages anew.

A page shows the company as of one event of the audit trail. Once the trail has gone on, or a data sync
has run, a page that is likely still open is out of date. So no act has to say whose page it changes, and
a hundred acts are one new page. Slack tells when a page is opened, and never when it is closed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, false, func, or_, select, update
from sqlalchemy.orm import Session

from workflow import slots
from workflow.characters import storable
from workflow.database import upsert
from workflow.tables import AuditHead, HomeView
from workflow.vocabulary import JobFilter, PeriodicWork

OPEN_FOR = timedelta(hours=1)
"""How long after its reader's last act on it a page is taken to be open."""
REST = timedelta(seconds=2)
"""How long a page stays as it is before it is drawn anew, whatever happens meanwhile."""
SEARCH_CHARACTERS = 200
NOT_DRAWN = -1
"""In place of an event's number: what Slack shows is not known to be of any use."""


def open_page(session: Session, *, team_id: str, user_id: str, at: datetime) -> HomeView:
    """The person opens their page; it is as they left it."""
    session.execute(
        upsert(session, HomeView)
        .values(
            team_id=team_id,
            user_id=user_id,
            search="",
            page=0,
            opened_at=at,
            drawn_seq=NOT_DRAWN,
            drawn_at=at,
            version=0,
        )
        .on_conflict_do_nothing()
    )
    view = session.get_one(HomeView, (team_id, user_id), with_for_update=True, populate_existing=True)
    view.opened_at = at
    view.version += 1
    return view


def choose(view: HomeView, which: JobFilter) -> None:
    """List other jobs, from the first page on."""
    view.filter, view.page = which, 0


def search(view: HomeView, text: str) -> None:
    """List only jobs whose number or name has each word of this text; all of them for an empty one."""
    view.search, view.page = " ".join(storable(text).split())[:SEARCH_CHARACTERS], 0


def turn_to(view: HomeView, page: int) -> None:
    """Show another page of the list; pages count from 0."""
    view.page = max(page, 0)


def newest_event(session: Session) -> int:
    """The number of the audit trail's last event: what a page drawn now shows the company as of."""
    return session.scalars(select(AuditHead.seq)).one()


def drawn(session: Session, view: HomeView, *, seq: int, at: datetime) -> None:
    """Slack has the page as of this event, and of the time at which it was read. Where somebody else drew it
    meanwhile, nobody knows which of the two Slack shows, and it counts as out of date.
    """
    which = update(HomeView).where(HomeView.team_id == view.team_id, HomeView.user_id == view.user_id)
    noted = which.where(HomeView.version == view.version).values(
        drawn_seq=seq, drawn_at=at, version=view.version + 1
    )
    if session.scalar(noted.returning(HomeView.version)) is None:
        session.execute(which.values(drawn_seq=NOT_DRAWN, drawn_at=at, version=HomeView.version + 1))


def out_of_date(session: Session, *, now: datetime) -> Sequence[HomeView]:
    """The open pages that have rested and show the company as it was, those drawn longest ago first."""
    # drawn in time to come: by a clock that was ahead
    rested = (HomeView.drawn_at <= now - REST) | (HomeView.drawn_at > now + REST)
    query = select(HomeView).where(*_out_of_date(session, now), rested)
    return session.scalars(query.order_by(HomeView.drawn_at)).all()


def next_due(session: Session, *, now: datetime) -> datetime | None:
    """When the next open page has to be drawn anew; None when all are as they should be."""
    first = session.scalar(select(func.min(HomeView.drawn_at)).where(*_out_of_date(session, now)))
    return first + REST if first else None


def _out_of_date(session: Session, now: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    head = select(AuditHead.seq).scalar_subquery()
    last_run = slots.last_done(session, PeriodicWork.DATA_SYNC)
    # one that was read while a data sync noted its end may not show it
    is_before_it = HomeView.drawn_at < last_run + REST if last_run and last_run <= now else false()
    return HomeView.opened_at >= now - OPEN_FOR, or_(HomeView.drawn_seq < head, is_before_it)
