"""Both look-alikes on one port: Slack's at `/`, Procore's page at `/procore`, each with its API."""

import time
from pathlib import Path

from starlette.applications import Starlette

from bot.sandbox import sample_company, sample_procore
from bot.sandbox.app import create_app
from bot.sandbox.procore import kept
from bot.sandbox.procore.app import create_procore
from bot.sandbox.procore.limits import Limits
from bot.sandbox.procore.pages import HOME, Pages
from bot.sandbox.workspace import Workspace

LIMITS = Limits(hourly=36_000, spike=250)
"""Ten times Procore's: a trial with a look every minute must not make anybody wait."""


def create_both(workspace: Workspace, keep_in: Path) -> Starlette:
    """The sandbox with the sample company's Procore, whose records are kept in a file."""
    clock = time.time
    company = kept.load(keep_in, clock=clock) if keep_in.exists() else sample_procore.company(clock=clock)
    procore = create_procore(company, limits=LIMITS)
    pages = Pages(company, procore.webhooks, you=sample_company.PROJECT_ENGINEER)
    workspace.beside = {"Procore look-alike": HOME}

    def end() -> None:
        kept.save(company, keep_in)
        procore.webhooks.close()

    return create_app(workspace, beside=[*procore.app.routes, *pages.routes()], at_end=end)
