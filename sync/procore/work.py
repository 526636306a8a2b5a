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
from sync.procore.errors import ProcoreError
from sync.procore.intake import OLDEST_A_RUN, Intake, IntakeReport
from sync.procore.write_back import WriteBack
from sync.sage.company import SageCompany, SageUnreachableError
from workflow.database import Database
from workflow.settings import Settings, SettingsError

PATIENCE = timedelta(seconds=30)
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
        yield ProcoreApi(client)


def look(
    settings: Settings, database: Database, sage: SageCompany, *, clock: Clock, oldest: int = OLDEST_A_RUN
) -> IntakeReport | None:
    """Take in what changed in Procore, and the `oldest` projects read; None when Procore is away."""
    with procore_of(settings, database, clock=clock) as api:
        intake = Intake(database, api, settings.rules, sage.limits, clock, sub_jobs=settings.procore_sub_jobs)
        try:
            report = intake.run(oldest=oldest)
            if report.to_read_back and _read_back(database, sage, report.to_read_back, clock=clock):
                # what only Sage could tell is decided now
                again = intake.run(oldest=0)
                _log.info("Procore after the read-back", requested=again.requested)
        except ProcoreError as error:
            _log.warning("Procore cannot be read now; the next run goes on", error=str(error))
            return None
        if settings.procore_write_back:
            _tell_procore(settings, database, api, clock=clock)
    _log.info(
        "Procore was read", **{name: getattr(report, name) for name in ("read", "requested", "removed")}
    )
    return report


def _tell_procore(settings: Settings, database: Database, api: ProcoreApi, *, clock: Clock) -> None:
    path = settings.procore_assignments_path
    try:
        told = WriteBack(database, api, clock, assignments_path=path).run()
    except ProcoreError as error:
        _log.warning("Procore was not told what reached Sage; the next run does it", error=str(error))
        return
    if told.written or told.refused:
        _log.info("Procore was told what reached Sage", written=told.written, refused=told.refused)


def _read_back(database: Database, sage: SageCompany, job_ids: tuple[int, ...], *, clock: Clock) -> bool:
    try:
        refresh_read_back(database, sage, job_ids, clock=clock)
    except SageUnreachableError as error:
        _log.warning("Sage cannot be asked what it has; the next run asks again", error=str(error))
        return False
    return True
