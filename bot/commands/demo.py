"""`costbot demo`: costbot on a sample company and a Slack look-alike, with nothing else to set up.

It runs the same processes and loads the company by the same commands as a real one, or with Procore as the
source from a look-alike of it (`demo_procore`). It has a folder and settings of its own: nothing of whoever
runs it is read or touched.
"""

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import structlog

from bot.authorities import authorities
from bot.commands import demo_company, demo_procore
from bot.commands.command import CommandLine, StopError, failed
from bot.commands.processes import BOT, HOST, OF_A_COMPANY, require_port
from bot.commands.running import family_on
from bot.commands.terminal import say
from bot.processes import Child, Pause, stopping_on_signals
from bot.sandbox import sample_company, workspace
from bot.sandbox.procore.pages import HOME
from bot.sandbox.sample_company import Request
from sync.sage import embedded_company
from sync.sage.export_file import QUIET
from sync.sage.folders import Folders
from sync.sage.import_task import ImportTask
from sync.worker import nudger
from workflow import outbox, queries
from workflow.settings import SageTarget, Settings, Source, secret_files
from workflow.vocabulary import PeriodicWork

FOLDER = Path(".demo")
_MARK = "made-by-costbot-demo"
_REQUESTS_AT_ONCE = 3
_REQUEST_EVERY_SECONDS = 20.0
_START_SECONDS = 120.0

log = structlog.get_logger()


def run_demo(
    port: int, *, keep: bool, sage: SageTarget = SageTarget.EMBEDDED, source: Source = Source.FILES
) -> None:
    """Prepare the sample company and run everything on it, until a signal stops it."""
    require_port(port, "demo")
    address, of_procore = f"http://{HOST}:{port}", source is Source.PROCORE
    with _own_folder(FOLDER.absolute(), keep=keep) as kept, stopping_on_signals() as pause:
        _own_settings(address, demo_procore.settings(address) if of_procore else {})
        line = CommandLine()
        line.start_logs(process="demo", traced=False)
        say("Preparing the sample company …")
        if not kept:
            (demo_company.load_sage if of_procore else demo_company.load)(line)
        _reach_sage(sage)
        line.close()
        line = CommandLine()
        look_alikes = ("sandbox", "--port", str(port), *(demo_procore.BESIDE if of_procore else ()))
        with family_on([line.settings]) as family:
            family.start(Child("sandbox", look_alikes))
            if kept:
                _draw_cards_anew(line)
            _wait_until_up(f"{address}/", "The Slack look-alike", pause)
            family.start(BOT)
            ask: demo_company.Ask = partial(demo_company.ask, line)
            if of_procore:
                _wait_until_up(f"http://{HOST}:{line.settings.http_port}/healthz", "The bot", pause)
                ask = demo_procore.begin(line, address, pause, kept=kept)
                say(f"Procore's look-alike is at {address}{HOME}: what is added there comes to Slack.")
            waiting = [] if kept else _request_some(ask)
            for child in OF_A_COMPANY:
                family.start(child)
            if sage is SageTarget.IMPORT_FILE:
                family.start(Child("import task", ("import-task",)))
                say(f"Files for Sage appear in {line.settings.sage_folder}, and are imported soon after.")
            say(f"Open {address} in your browser. Ctrl-C stops the demo.")
            _arrive_later(line.settings, waiting, ask, pause)
            family.keep_running(pause)
        line.close()
    say("The demo has stopped.")


@contextmanager
def _own_folder(folder: Path, *, keep: bool) -> Iterator[bool]:
    """The demo's data folder as working directory, for one demo at a time; True when it has data to keep."""
    mark = folder / _MARK
    if folder.exists() and not mark.exists():
        raise StopError(failed(f"{folder} is not the folder of a demo. Move it away, or try elsewhere."))
    folder.mkdir(exist_ok=True)
    with mark.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StopError(failed(f"A demo runs in {folder} already.")) from None
        others = [path for path in folder.iterdir() if path != mark]
        if not keep:
            for path in others:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        os.chdir(folder)  # no `.env` of the user's is found from here
        yield keep and bool(others)


def _own_settings(address: str, more: Mapping[str, str]) -> None:
    """Replace every setting of costbot in this process' environment by the demo's."""
    level = os.environ.get("COSTBOT_LOG_LEVEL", "warning")
    for field in Settings.model_fields.values():
        for name in (str(field.validation_alias), f"{field.validation_alias}{secret_files.SUFFIX}"):
            os.environ.pop(name, None)
    os.environ |= {
        "COSTBOT_DATA_DIR": str(Path.cwd()),
        "COSTBOT_CHANNEL": f"#{workspace.CHANNEL_NAME}",
        "COSTBOT_SYNC_CRON": "* * * * *",
        "COSTBOT_HTTP_PORT": "0",
        "COSTBOT_ADMIN_EMAIL": sample_company.SECOND_APPROVER,
        "COSTBOT_LOG_LEVEL": level,
        "SLACK_API_URL": f"{address}/api/",
        "SLACK_BOT_TOKEN": workspace.BOT_TOKEN,
        "SLACK_APP_TOKEN": workspace.APP_TOKEN,
        **more,
    }


def _reach_sage(target: SageTarget) -> None:
    """Let the demo's Sage be reached as `target` says; behind the files is the embedded company."""
    if target is SageTarget.EMBEDDED:
        return
    folder = Path.cwd() / "sage"
    export = folder / "export.csv"
    Folders.under(folder).set_up()
    ImportTask(folder, embedded_company(CommandLine().settings), export).save_export()
    long_ago = export.stat().st_mtime - QUIET.total_seconds()
    os.utime(export, (long_ago, long_ago))  # it stands whole: nobody need wait until it was left alone
    os.environ |= {
        "COSTBOT_SAGE": target.value,
        "COSTBOT_SAGE_FOLDER": str(folder),
        "COSTBOT_SAGE_EXPORT": str(export),
    }


def _request_some(ask: demo_company.Ask) -> Sequence[Request]:
    """Request what waits when the demo starts; returns the requests for later."""
    arriving = sample_company.requests()
    for request in arriving[:_REQUESTS_AT_ONCE]:
        ask(request)
    return arriving[_REQUESTS_AT_ONCE:]


def _draw_cards_anew(line: CommandLine) -> None:
    """A new sandbox remembers no message, so every job's card is posted once more."""
    with line.database.writing() as session:
        for update in queries.list_updates(session):
            outbox.refresh_card(session, update.job_id, at=line.now())


def _wait_until_up(url: str, what: str, pause: Pause) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not pause(0.1):
        try:
            httpx.get(url, verify=authorities()).raise_for_status()
        except httpx.HTTPError as error:
            if time.monotonic() > deadline:
                raise StopError(failed(f"{what} did not start: {error}")) from None
        else:
            return


def _arrive_later(
    settings: Settings, waiting: Sequence[Request], ask: demo_company.Ask, pause: Pause
) -> None:
    """Let the other requests come in one by one, as they would on a working day."""
    nudge = nudger(settings)

    def arrive() -> None:
        for request in waiting:
            if pause(_REQUEST_EVERY_SECONDS):
                break
            try:
                say(ask(request))
            except (StopError, httpx.HTTPError) as error:
                log.warning("a sample request was not taken", job=request.job, why=str(error))
            nudge(PeriodicWork.DELIVER)

    threading.Thread(target=arrive, name="requests", daemon=True).start()
