"""What `costbot doctor` says of Procore: the account, what it may read, lists, webhooks. Changes nothing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from bot.commands.upkeep_shapes import FindingShape
from sync.procore import hooks
from sync.procore.api import ProcoreApi
from sync.procore.errors import ProcoreError, ProcoreRefusedError
from sync.procore.work import procore_of
from workflow import procore_events
from workflow.database import Database
from workflow.settings import Settings

_LATER = (
    "Check the network, COSTBOT_PROCORE_API_URL and COSTBOT_PROCORE_LOGIN_URL, or look at "
    "https://status.procore.com."
)
_ACCOUNT = (
    "Copy client id and secret anew from the app's page in Procore's developer portal into "
    "COSTBOT_PROCORE_CLIENT_ID and COSTBOT_PROCORE_CLIENT_SECRET, install the app in the company, and check "
    "COSTBOT_PROCORE_COMPANY_ID."
)
_PERMISSIONS = (
    "In Procore's Company Directory give the app's service account a permission template with at least "
    "Read Only on these tools, and add it to the projects."
)
_CONNECT = "Type `costbot procore connect https://your.address` (costbot's address as Procore reaches it)."


def look_at_procore(settings: Settings, database: Database) -> Iterator[FindingShape]:
    """Everything that costbot needs of Procore, in the order in which to mend it."""
    with procore_of(settings, database, clock=lambda: datetime.now(UTC)) as api:
        try:
            api.own_user_id()
        except ProcoreRefusedError as refused:
            yield _wrong("Procore", str(refused), _ACCOUNT)
            return
        except ProcoreError as error:
            yield _wrong("Procore", str(error), _LATER)
            return
        yield _fine("Procore", f"good for company {settings.procore_company_id}")
        try:
            yield from _readable(api)
            yield _webhooks(settings, database, api)
        except ProcoreError as error:
            yield _wrong("Procore's answers", str(error), _LATER)


def _readable(api: ProcoreApi) -> Iterator[FindingShape]:
    """One page of everything that costbot reads."""
    refused: list[str] = []

    def read(tool: str, first: Callable[[], int | None]) -> int | None:
        try:
            return first()
        except ProcoreRefusedError as error:
            if error.status not in (401, 403, 404):
                raise
            refused.append(tool)
            return None

    project = read("Projects", lambda: next((each.id for each in api.projects()), None))
    if project is not None:
        read("Cost Codes", lambda: next((each.id for each in api.cost_codes(project)), None))
    list_id = read(
        "Standard Cost Codes",
        lambda: next((each.id for each in api.standard_lists() if each.is_erp_list), None),
    )
    read("Cost Types", lambda: next((each.id for each in api.line_item_types()), None))
    read("Company Directory", lambda: next((each.id for each in api.users()), None))
    if refused:
        yield _wrong("Procore permissions", f"costbot may not read {', '.join(refused)}", _PERMISSIONS)
        return
    yield _fine("Procore permissions", "costbot may read all that it needs")
    if project is None:
        mend = "In Procore's ERP Integrations tool sync a project with the ERP."
        yield _wrong("Procore projects", "none is synced with the ERP, so there is no job", mend)
    if list_id is None:
        mend = "In Procore's ERP Integrations tool import the ERP's standard cost codes."
        yield _wrong("Procore list", "there is no ERP standard cost code list", mend)


def _webhooks(settings: Settings, database: Database, api: ProcoreApi) -> FindingShape:
    name = "Procore webhooks"
    if settings.procore_webhook_secret is None:
        return _fine(name, f"off; costbot looks by its schedule, `{settings.procore_cron}` (UTC)")
    with database.reading() as session:
        hook = procore_events.hook(session)
    if hook is None:
        return _wrong(name, "Procore was not asked for them yet", _CONNECT)
    if hook.hook_id not in hooks.there(api):
        return _wrong(name, f"Procore has hook {hook.hook_id} no more", _CONNECT)
    return _fine(name, f"hook {hook.hook_id} sends them to {hook.url}")


def _fine(name: str, words: str) -> FindingShape:
    return FindingShape(name=name, ok=True, words=words, mend="")


def _wrong(name: str, words: str, mend: str) -> FindingShape:
    return FindingShape(name=name, ok=False, words=words, mend=mend)
