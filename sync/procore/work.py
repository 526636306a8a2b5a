"""The periodic work with Procore: looking for what changed, and telling it what reached Sage.

Wires settings, database and Sage to `sync.procore.intake`. Thin; each may be killed anywhere and run again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from sync.data_sync import refresh_read_back
from sync.procore.api import ProcoreApi
from sync.procore.budget import SharedBudget
from sync.procore.client import Account, ProcoreClient
from sync.procore.closing import Closing
from sync.procore.erp_requests import ErpRequests
from sync.procore.errors import ProcoreError
from sync.procore.intake import OLDEST_A_RUN, Intake, IntakeReport
from sync.procore.write_back import WriteBack
from sync.sage.company import SageCompany, SageUnreachableError
from workflow import tally
from workflow.checks import SageLimits
from workflow.database import Database, Held
from workflow.settings import ProcoreIntake, Settings, SettingsError
from workflow.tally import PROCORE_CALLS

PATIENCE = timedelta(seconds=30)
_TELLING = "procore_telling"
Clock = Callable[[], datetime]
_log = structlog.get_logger()


@contextmanager
def procore_of(
    settings: Settings, database: Database, *, clock: Clock, patience: timedelta = PATIENCE
) -> Iterator[ProcoreApi]:
    """The company's Procore, as the settings have it; a call waits for limits as long as `patience`.

    Raises:
        SettingsError: they do not have it.
    """
    client_id, secret = settings.procore_client_id, settings.procore_client_secret
    if client_id is None or secret is None or settings.procore_company_id is None:
        raise SettingsError(
            "COSTBOT_PROCORE_CLIENT_ID, COSTBOT_PROCORE_CLIENT_SECRET and COSTBOT_PROCORE_COMPANY_ID "
            "must be set."
        )
    account = Account(
        settings.procore_company_id, client_id, secret, settings.procore_api_url, settings.procore_login_url
    )
    budget = SharedBudget(
        database, account.company_id, settings.procore_share, settings.procore_hourly_limit, clock
    )
    with ProcoreClient(account, budget, clock=clock, pause=time.sleep, patience=patience) as client:
        try:
            yield ProcoreApi(client)
        finally:
            tally.add(settings.redis, {(PROCORE_CALLS, *call): count for call, count in client.calls.items()})


def look(
    settings: Settings, database: Database, sage: SageCompany, *, clock: Clock, oldest: int = OLDEST_A_RUN
) -> IntakeReport | None:
    """Take in what changed in Procore, and the `oldest` projects read; None when Procore is away."""
    with procore_of(settings, database, clock=clock) as api:
        try:
            report = take_in(settings, database, api, sage.limits, clock=clock, oldest=oldest)
            if report.to_read_back and _read_back(database, sage, report.to_read_back, clock=clock):
                # what only Sage could tell is decided now
                again = take_in(settings, database, api, sage.limits, clock=clock, oldest=0)
                _log.info("Procore after the read-back", requested=again.requested)
        except ProcoreError as error:
            _log.warning("Procore cannot be read now; the next run goes on", error=str(error))
            return None
        _tell_procore(settings, database, api, clock=clock)
    _log.info(
        "Procore was read", **{name: getattr(report, name) for name in ("read", "requested", "removed")}
    )
    return report


def take_in(
    settings: Settings,
    database: Database,
    api: ProcoreApi,
    limits: SageLimits,
    *,
    clock: Clock,
    oldest: int = OLDEST_A_RUN,
    at_once: bool = False,
) -> IntakeReport:
    """Take in what Procore has, in the way that the settings say.

    `at_once` reads the lists anew, and looks for missed requests too.

    Raises:
        ProcoreError: what was taken in before stays.
    """
    intake = Intake(database, api, settings.rules, limits, clock, sub_jobs=settings.procore_sub_jobs)
    if at_once:
        intake.read_lists(at_once=True)
    if settings.procore_intake is ProcoreIntake.COST_CODES:
        return intake.run(oldest=oldest)
    requests = ErpRequests(intake, settings.procore_erp_request_path)
    return requests.run(look=oldest > 0, at_once=at_once)


def tell(settings: Settings, database: Database, *, clock: Clock) -> None:
    """Tell Procore what reached Sage and close what waits for it, without looking there for anything else."""
    with procore_of(settings, database, clock=clock) as api:
        _tell_procore(settings, database, api, clock=clock)


def _tell_procore(settings: Settings, database: Database, api: ProcoreApi, *, clock: Clock) -> None:
    """One process at a time, so that no answer that is older overtakes a newer one on the way."""
    with database.exclusive(_TELLING, wait_seconds=PATIENCE.total_seconds()) as held:
        if held:
            _tell(settings, database, api, held, clock=clock)
        else:
            _log.warning("Procore is being told by another process; the next run does the rest")


def _tell(settings: Settings, database: Database, api: ProcoreApi, held: Held, *, clock: Clock) -> None:
    path = settings.procore_assignments_path
    try:
        if settings.writes_back:
            told = WriteBack(database, api, clock, assignments_path=path).run()
            if told.written or told.refused:
                _log.info("Procore was told what reached Sage", written=told.written, refused=told.refused)
    except ProcoreError as error:
        _log.warning("Procore was not told what reached Sage; the next run does it", error=str(error))
    try:
        # those that came before a switch to the other way too
        if closed := Closing(database, api, clock, settings.language, held.is_kept).run():
            _log.info("ERP requests of Procore were closed", closed=closed)
    except ProcoreError as error:
        _log.warning("ERP requests were not closed in Procore; the next run does it", error=str(error))


def _read_back(database: Database, sage: SageCompany, job_ids: tuple[int, ...], *, clock: Clock) -> bool:
    try:
        refresh_read_back(database, sage, job_ids, clock=clock)
    except SageUnreachableError as error:
        words = "Sage cannot be asked what it has; the next run asks again"
        _log.log(error.level, words, error=str(error))
        return False
    return True
