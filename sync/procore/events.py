"""Working on the webhooks that came: the projects and the people that they are about are read at once.

An event is a hint. Each thing is read once however many events name it; what cannot be read now waits on.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.exc import IntegrityError

from sync.procore.errors import BadAnswerError, ProcoreError, ProcoreRefusedError
from sync.procore.intake import IntakeReport
from sync.procore.people import Directory
from sync.procore.work import look, procore_of
from sync.sage.company import SageCompany
from workflow import procore_events, procore_projects, procore_requests
from workflow.database import Database
from workflow.procore_requests import is_new_request
from workflow.request_ids import working_for
from workflow.settings import ProcoreIntake, Settings
from workflow.tables import ProcoreEvent

COMPANY_USERS = "Company Users"
"""How webhooks name the people of the Company Directory; the resource is the user."""
ONE_BY_ONE = 10
"""When more people than this changed, the directory is read whole: one call for 2,000 of them."""

Clock = Callable[[], datetime]
_log = structlog.get_logger()


def work_on_events(
    settings: Settings, database: Database, sage: SageCompany, *, clock: Clock
) -> IntakeReport | None:
    """Work on the webhooks that came. None when there is nothing to do."""
    by_requests = settings.procore_intake is ProcoreIntake.ERP_REQUESTS
    with database.reading() as session:
        # those of a run that did not come to its end
        due = by_requests and bool(procore_requests.to_show(session, at=clock()))
        hook = procore_events.hook(session)
    own_user_id = hook.own_user_id if hook else None
    while True:
        with database.reading() as session:
            events = procore_events.waiting(session, last=COMPANY_USERS)
        of_people = [event for event in events if event.resource == COMPANY_USERS]
        for event in events:
            if event not in of_people:
                is_own = _is_own(event, own_user_id, settings)
                due |= _note(event, database, is_own=is_own, by_requests=by_requests, clock=clock)
        if of_people or len(events) < procore_events.EVENTS_A_READING:
            break
    people = _read_people(settings, database, of_people, clock=clock) if of_people else 0
    report = look(settings, database, sage, clock=clock, oldest=0) if due else None
    return replace(report or IntakeReport(), people=people) if people else report


def _note(event: ProcoreEvent, database: Database, *, is_own: bool, by_requests: bool, clock: Clock) -> bool:
    """Keep what an event tells of, which is not of people; whether something is to be read for it."""
    due = False
    with working_for(event.request_id), database.writing() as session:
        if not procore_events.handled(session, [event.ulid], at=clock()):
            # noted after what came later, it would be taken for the last that a reading has to know of
            return False
        if not is_own and by_requests and is_new_request(event):
            due = procore_requests.hear(
                session, event.resource_id, happened_at=event.happened_at, at=event.received_at
            )
        elif not is_own and event.project_id is not None:
            changed = procore_projects.stale(session, event.project_id, at=event.received_at)
            # by requests no project is read: what changed waits until somebody sends it to the ERP
            due = changed and not by_requests
        _log.info("a webhook of Procore is worked on", project=event.project_id, own=is_own)
    return due


def _read_people(
    settings: Settings, database: Database, events: Sequence[ProcoreEvent], *, clock: Clock
) -> int:
    """Read anew whom these events are about; how many of them changed. They wait on while Procore is away."""
    users = sorted({event.resource_id for event in events})
    try:
        with procore_of(settings, database, clock=clock) as api:
            changed = _changed(Directory(database, api, settings.procore_erp_tool, clock), users)
    except (ProcoreError, IntegrityError) as error:
        _log.warning("people cannot be read from Procore now; the next run does it", error=str(error))
        return 0
    with database.writing() as session:
        procore_events.handled(session, [event.ulid for event in events], at=clock())
    _log.info("people of Procore were read", people=len(users), changed=changed)
    return changed


def _changed(directory: Directory, users: Collection[int]) -> int:
    if len(users) > ONE_BY_ONE:
        taken = directory.refresh()
        return taken.changed + taken.gone
    changed = 0
    for user_id in users:
        try:
            changed += directory.read_user(user_id)
        except (ProcoreRefusedError, BadAnswerError) as error:
            # one whom the account may not see must not keep the others from being read
            _log.warning("a person cannot be read", user=user_id, reason=str(error))
    return changed


def _is_own(event: ProcoreEvent, own_user_id: int | None, settings: Settings) -> bool:
    """Whether costbot made the change itself, by marking what reached Sage."""
    by_user = own_user_id is not None and event.user_id == own_user_id
    application = event.application_id
    return by_user or (application is not None and application == settings.procore_client_id)
