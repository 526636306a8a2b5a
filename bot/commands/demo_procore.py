"""The demo's other source: costbot learns everything from the Procore look-alike, over its API and webhooks.

What Tom Beckett asks for he adds on its page, as anybody who tries the demo does.
"""

import csv
import socket
from functools import partial

import httpx

from bot.authorities import authorities
from bot.blocks.words import counted
from bot.commands import demo_company
from bot.commands.command import CommandLine, StopError, failed
from bot.commands.processes import HOST
from bot.processes import Pause
from bot.procore_webhooks import PATH
from bot.sandbox.procore.app import CLIENT_ID, CLIENT_SECRET
from bot.sandbox.procore.company import Company
from bot.sandbox.procore.pages import HOME
from bot.sandbox.sample_company import Request
from sync.procore import hooks
from sync.procore.people import refresh_people
from sync.procore.work import look, procore_of
from sync.sage import open_company
from workflow.settings import Source

BESIDE = ("--procore", "procore.json")
"""How `costbot sandbox` is told to have Procore beside Slack."""
_SECRET = "a-webhook-secret-for-trials"  # noqa: S105 - of a look-alike on this machine alone
_POLL_SECONDS = 0.1


def settings(address: str) -> dict[str, str]:
    """What the environment says where Procore is the source."""
    return {
        "COSTBOT_SOURCE": Source.PROCORE,
        "COSTBOT_PROCORE_CLIENT_ID": CLIENT_ID,
        "COSTBOT_PROCORE_CLIENT_SECRET": CLIENT_SECRET,
        "COSTBOT_PROCORE_COMPANY_ID": str(Company.id),
        "COSTBOT_PROCORE_API_URL": f"{address}/",
        "COSTBOT_PROCORE_LOGIN_URL": f"{address}/",
        "COSTBOT_PROCORE_CRON": "* * * * *",
        "COSTBOT_PROCORE_PEOPLE_CRON": "* * * * *",
        "COSTBOT_PROCORE_PEOPLE_MINUTES": "1",
        "COSTBOT_PROCORE_WRITE_BACK": "true",
        "COSTBOT_PROCORE_WEBHOOK_SECRET": _SECRET,
        # webhooks go to an address that is known beforehand
        "COSTBOT_HTTP_PORT": str(_free_port()),
    }


def begin(line: CommandLine, address: str, pause: Pause, *, kept: bool) -> demo_company.Ask:
    """Take in what Procore has, and have it send its webhooks; how to ask for more, by its page.

    The look-alike and the bot are up, the workers are not yet.
    """
    if not refresh_people(line.settings, line.database, clock=line.now):
        raise StopError(failed("The Procore look-alike does not answer."))
    look(line.settings, line.database, open_company(line.settings), clock=line.now)
    # not by `costbot procore connect`, for Procore itself takes https alone
    url = f"http://{HOST}:{line.settings.http_port}{PATH}"
    with procore_of(line.settings, line.database, clock=line.now) as api:
        hooks.connect(api, line.database, url=url, secret=_SECRET, clock=line.now)
    if not kept:
        demo_company.hold_contracts(line)
    return partial(_ask, f"{address}{HOME}", pause)


def _ask(pages: str, pause: Pause, request: Request) -> str:
    """Add the cost codes to the project on its page, and wait until the bot was told of them."""
    codes: dict[str, list[str]] = {}
    with request.path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            codes.setdefault(row["code"], []).append(row["category"])
    for code, types in codes.items():
        form = {"act": "add", "code": code, "type": types}
        page = f"{pages}/projects/{request.job}"
        httpx.post(page, data=form, verify=authorities()).raise_for_status()
    while _some_are_on_their_way(pages) and not pause(_POLL_SECONDS):
        pass
    return f"{counted(len(codes), 'cost code')} were added to project {request.job} in Procore."


def _some_are_on_their_way(pages: str) -> bool:
    return 'data-on-their-way="0"' not in httpx.get(f"{pages}/webhooks", verify=authorities()).text


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
