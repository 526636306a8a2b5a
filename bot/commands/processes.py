"""`costbot run`, `demo`, `bot`, `worker`, `scheduler` and `sandbox`: processes, alone or as one tree."""

import os
from collections.abc import Mapping
from contextlib import ExitStack, closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import structlog
import typer

from bot.commands.command import CommandLine, StopError, failed, process
from bot.commands.running import family_on, ready_to_run
from bot.commands.terminal import say
from bot.processes import Child, stopping_on_signals
from workflow.companies import read_companies
from workflow.database import Database
from workflow.masking import hide, mask
from workflow.settings import SageTarget, Settings, Source
from workflow.vocabulary import Queue

HOST = "127.0.0.1"

app = typer.Typer()
log = structlog.get_logger()

_LOOK_SECONDS = 1.0
_LIES = timedelta(seconds=10)
"""How long a file lies in `outgoing` before the demo's accountant comes by, so that one can look at it."""

COMPANY = "COSTBOT_COMPANY"
BOT = Child("bot", ("bot",))
OF_A_COMPANY = (
    Child("notices worker", ("worker", Queue.NOTICES)),
    Child("sync worker", ("worker", Queue.SYNC)),
    Child("scheduler", ("scheduler",)),
)
"""A worker of its own for notices, so that no long data sync keeps people waiting for a message."""
SERVICES = (BOT, *OF_A_COMPANY)


@process(app, "bot")
def bot(line: CommandLine) -> None:
    """Run the Slack bot, in Socket Mode or HTTP mode, until it is stopped."""
    from bot.bot_process import run_bot
    from sync.procore.people import know_person
    from sync.sage import open_company
    from sync.worker import nudger, read_back

    line.start_logs(process="bot")
    if line.host:
        _run_bot_of_many(line.host)
        return
    _require_all_companies(line.settings, "bot")
    require_slack(line.settings)
    with ready_to_run(line.settings):
        company = open_company(line.settings)
        run_bot(
            line.settings,
            nudge=nudger(line.settings),
            limits=company.limits,
            read_back=partial(read_back, company),
            know_person=partial(know_person, line.settings),
        )


@process(app, "worker")
def worker(
    line: CommandLine,
    queues: Annotated[
        list[Queue] | None, typer.Argument(metavar="QUEUE", help="notices, sync or both.")
    ] = None,
) -> None:
    """Run a worker that sends notices and runs data syncs, until it is stopped."""
    from sync.worker import run_worker

    if line.settings.company:
        # read again by each piece of work, in a process of its own
        os.environ[COMPANY] = line.settings.company
    line.start_logs(process="worker")
    with ready_to_run(line.settings):
        run_worker(line.settings, queues or list(Queue))


@process(app, "scheduler")
def scheduler(line: CommandLine) -> None:
    """Run the scheduler of data syncs and notices, until it is stopped; several never double anything."""
    from sync.worker import run_scheduler

    line.start_logs(process="scheduler")
    with ready_to_run(line.settings):
        run_scheduler(line.settings)


@process(app, "run")
def run(line: CommandLine) -> None:
    """Run bot, workers and scheduler together, with SQLite and a Redis of their own unless set otherwise."""
    line.start_logs(process="run", traced=False)
    if line.host:
        _run_many(line.host)
        return
    settings = line.settings
    _require_all_companies(settings, "run")
    require_slack(settings)
    with stopping_on_signals() as pause, family_on([settings]) as family:
        for child in SERVICES:
            family.start(child)
        say(f"costbot runs. Cards go to {settings.channel}; data syncs: `{settings.sync_cron}` (UTC).")
        say(f"Database: {mask(settings.database)}; Redis: {mask(settings.redis)}. Ctrl-C stops everything.")
        family.keep_running(pause)
    say("costbot has stopped.")


def _run_many(host: Settings) -> None:
    """One bot for all companies, and for each its own workers and scheduler."""
    companies = _companies_of(host)
    require_slack_of_many(host, companies)
    with stopping_on_signals() as pause, family_on(companies.values()) as family:
        family.start(BOT)
        for name, settings in companies.items():
            for child in OF_A_COMPANY:
                family.start(Child(f"{name}: {child.name}", (*child.words, "--company", name)))
            say(f"{name}: cards go to {settings.channel}; data syncs: `{settings.sync_cron}` (UTC).")
        say(f"costbot runs for {len(companies)} companies. Ctrl-C stops everything.")
        family.keep_running(pause)
    say("costbot has stopped.")


def _run_bot_of_many(host: Settings) -> None:
    from bot.many import Company, run_many
    from sync.procore.people import know_person
    from sync.sage import open_company
    from sync.worker import nudger, read_back

    companies = _companies_of(host)
    require_slack_of_many(host, companies)
    with ExitStack() as stack:
        found = []
        for settings in companies.values():
            stack.enter_context(ready_to_run(settings))
            database = stack.enter_context(closing(Database(settings.database)))
            sage = open_company(settings)
            found.append(
                Company(
                    settings,
                    database,
                    nudger(settings),
                    sage.limits,
                    partial(read_back, sage, database),
                    partial(know_person, settings, database),
                )
            )
        run_many(host, found)


def _companies_of(host: Settings) -> dict[str, Settings]:
    companies = read_companies(host)
    for settings in companies.values():
        hide(settings.secrets)
    return companies


def _require_all_companies(settings: Settings, command: str) -> None:
    if settings.company:
        words = f"Slack reaches all companies by one bot: `costbot {command}` without a company runs it."
        raise StopError(failed(words))


@process(app, "demo")
def demo(
    _line: CommandLine,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the page to open.")] = 4390,
    keep: Annotated[bool, typer.Option("--keep", help="Go on with the data of the last demo.")] = False,
    sage: Annotated[
        SageTarget, typer.Option("--sage", help="How Sage is reached; import-file shows the files.")
    ] = SageTarget.EMBEDDED,
    source: Annotated[
        Source, typer.Option("--source", help="Where requests come from; procore has a page at /procore.")
    ] = Source.FILES,
) -> None:
    """Try costbot: a sample company, and a Slack look-alike in your browser. Everything stays in .demo/."""
    from bot.commands.demo import run_demo

    run_demo(port, keep=keep, sage=sage, source=source)


@process(app, "import-task")
def import_task(line: CommandLine) -> None:
    """Play the accountant of the demo: import each file that lies in the folder `outgoing` for a while."""
    from sync.sage import embedded_company
    from sync.sage.import_task import ImportTask

    line.start_logs(process="import task")
    settings = line.settings
    if settings.sage_folder is None or settings.sage_export is None:
        raise StopError(failed("Set COSTBOT_SAGE=import-file, COSTBOT_SAGE_FOLDER and COSTBOT_SAGE_EXPORT."))
    task = ImportTask(settings.sage_folder, embedded_company(settings), settings.sage_export)
    with stopping_on_signals() as pause:
        while not pause(_LOOK_SECONDS):
            for name in task.run(lain_for=_LIES):
                say(f"{name} was imported into the demo's Sage.")


@process(app, "sandbox")
def sandbox(
    line: CommandLine,
    port: Annotated[
        int, typer.Option("--port", min=1, max=65535, help="Port of its page and Web API.")
    ] = 4390,
    procore: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A Procore look-alike too, at /procore; FILE keeps its records."),
    ] = None,
) -> None:
    """Run the Slack look-alike alone: its page in the browser, and SLACK_API_URL at /api/."""
    from bot.sandbox import sample_company
    from bot.sandbox.server import serve

    line.start_logs(process="sandbox")
    require_port(port, "sandbox")
    log.info("the sandbox is up", page=f"http://{HOST}:{port}/", SLACK_API_URL=f"http://{HOST}:{port}/api/")
    workspace = sample_company.workspace()
    if procore is None:
        from bot.sandbox.app import create_app

        app = create_app(workspace)
    else:
        from bot.sandbox.with_procore import create_both

        log.info("with Procore", page=f"http://{HOST}:{port}/procore")
        app = create_both(workspace, procore)
    serve(app, HOST, port)


def require_port(port: int, command: str) -> None:
    """Stop here, naming a way out, when the port is taken."""
    from bot.sandbox.server import listening

    try:
        listening(HOST, port).close()
    except OSError as error:
        words = f"Port {port} cannot be used ({error.strerror}). Stop what uses it, or try another: "
        raise StopError(failed(f"{words}`costbot {command} --port {port + 1}`.")) from None


def require_slack(settings: Settings) -> None:
    """Stop here, naming every setting that Slack needs and that is missing, and where to get it."""
    missing = []
    if settings.slack_bot_token is None:
        missing.append("SLACK_BOT_TOKEN (xoxb-…, your Slack app's page, OAuth & Permissions)")
    if settings.slack_app_token is None and settings.slack_signing_secret is None:
        missing.append(
            "SLACK_APP_TOKEN (xapp-…, Basic Information, App-Level Tokens) or SLACK_SIGNING_SECRET"
        )
    if not settings.channel:
        missing.append("COSTBOT_CHANNEL (the channel for cards, such as #cost-codes)")
    if missing:
        raise StopError(
            failed(f"Not set: {'; '.join(missing)}. To try costbot without Slack: `costbot demo`.")
        )


def require_slack_of_many(host: Settings, companies: Mapping[str, Settings]) -> None:
    """Stop here, naming every setting of the Slack app and of the companies that is missing."""
    where = "(your Slack app's page, Basic Information)"
    missing = [
        f"{name} {where}"
        for name, value in (
            ("SLACK_CLIENT_ID", host.slack_client_id),
            ("SLACK_CLIENT_SECRET", host.slack_client_secret),
            ("SLACK_SIGNING_SECRET or SLACK_APP_TOKEN", host.slack_signing_secret or host.slack_app_token),
        )
        if value is None
    ]
    missing += [
        f"COSTBOT_CHANNEL in {name}'s .env" for name, settings in companies.items() if not settings.channel
    ]
    if missing:
        raise StopError(failed(f"Not set: {'; '.join(missing)}. docs/many-workspaces.md tells more."))
