"""The look-alike wired together: a company, its REST API and its webhooks.

`bot.sandbox.server` serves it. It stands beside the Slack look-alike, and not in the tests or in
`sync`, because the demo shows it and the demo is `bot`'s. It imports nothing else of costbot's, so that it
behaves as its sources say and not as costbot hopes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette

from bot.sandbox.procore.company import Company
from bot.sandbox.procore.erp_tool import ErpTool
from bot.sandbox.procore.faults import Faults
from bot.sandbox.procore.limits import Limits
from bot.sandbox.procore.web_api import WebApi
from bot.sandbox.procore.webhooks import Webhooks

CLIENT_ID, CLIENT_SECRET = "costbot-trial", "a-secret-for-trials"


@dataclass(frozen=True, slots=True)
class Procore:
    """A running look-alike's parts; close its webhooks when done."""

    company: Company
    faults: Faults
    web_api: WebApi
    webhooks: Webhooks
    erp: ErpTool
    app: Starlette


def create_procore(
    company: Company, *, limits: Limits | None = None, pause: Callable[[float], None] | None = None
) -> Procore:
    """The look-alike of one company as an ASGI app; `pause` is how webhooks wait before they try again."""
    faults = Faults()
    web_api = WebApi(
        company,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        limits=limits or Limits(),
        faults=faults,
    )
    webhooks = Webhooks(company, web_api, pause=pause)
    erp = ErpTool(company, web_api)
    app = Starlette(routes=[*web_api.routes(), *webhooks.routes(), *erp.routes()])
    return Procore(company, faults, web_api, webhooks, erp, app)
