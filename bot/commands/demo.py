"""`costbot demo`: costbot on a sample company and a Slack look-alike, with nothing else to set up.

It runs the same processes and loads the company by the same commands as a real one. It has a folder
and settings of its own: nothing of whoever runs it is read or touched.
"""

import csv
import fcntl
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import structlog

from bot.commands import holds, imports, requests, sage
from bot.commands.command import CommandLine, StopError, failed
from bot.commands.processes import HOST, SERVICES, ready_to_run, require_port
from bot.commands.terminal import Answer, say
from bot.processes import Child, Family, Pause, costbot, stopping_on_signals
from bot.sandbox import sample_company, workspace
from bot.sandbox.sample_company import Request
from sync.sage import embedded_company
from sync.sage.export_file import QUIET
from sync.sage.folders import Folders
from sync.sage.import_task import ImportTask
from sync.worker import nudger
from workflow import outbox, queries
from workflow.settings import SageTarget, Settings
from workflow.vocabulary import HoldKind, PeriodicWork

FOLDER = Path(".demo")
_MARK = "made-by-costbot-demo"
_REQUESTS_AT_ONCE = 3
_REQUEST_EVERY_SECONDS = 20.0
_START_SECONDS = 30.0

log = structlog.get_logger()


def run_demo(port: int, *, keep: bool, sage: SageTarget = SageTarget.EMBEDDED) -> None:
    """Prepare the sample company and run everything on it, until a signal stops it."""
    require_port(port, "demo")
    with _own_folder(FOLDER.absolute(), keep=keep) as kept, stopping_on_signals() as pause:
        _own_settings(port)
        line = CommandLine()
        line.start_logs(process="demo")
        say("Preparing the sample company …")
        if not kept:
            load_sample_company(line)
        _reach_sage(sage)
        line.close()
        line = CommandLine()
        if kept:
            _draw_cards_anew(line)
        waiting = [] if kept else _request_some(line)
        with ready_to_run(line.settings), Family() as family:
            family.start(Child("sandbox", costbot("sandbox", "--port", str(port))))
            _wait_for_sandbox(port, pause)
            for child in SERVICES:
                family.start(child)
            if sage is SageTarget.IMPORT_FILE:
                family.start(Child("import task", costbot("import-task")))
                say(f"Files for Sage appear in {line.settings.sage_folder}, and are imported soon after.")
            say(f"Open http://{HOST}:{port} in your browser. Ctrl-C stops the demo.")
            _arrive_later(line.settings, waiting, pause)
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


def _own_settings(port: int) -> None:
    """Replace every setting of costbot in this process' environment by the demo's."""
    level = os.environ.get("COSTBOT_LOG_LEVEL", "warning")
    for field in Settings.model_fields.values():
        os.environ.pop(str(field.validation_alias), None)
    os.environ |= {
        "COSTBOT_DATA_DIR": str(Path.cwd()),
        "COSTBOT_CHANNEL": f"#{workspace.CHANNEL_NAME}",
        "COSTBOT_SYNC_CRON": "* * * * *",
        "COSTBOT_HTTP_PORT": "0",
        "COSTBOT_ADMIN_EMAIL": sample_company.SECOND_APPROVER,
        "COSTBOT_LOG_LEVEL": level,
        "SLACK_API_URL": f"http://{HOST}:{port}/api/",
        "SLACK_BOT_TOKEN": workspace.BOT_TOKEN,
        "SLACK_APP_TOKEN": workspace.APP_TOKEN,
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


def load_sample_company(line: CommandLine) -> None:
    """Take the sample company over by the commands that a real one uses."""
    _must(imports.people(line, sample_company.PEOPLE))
    _must(imports.categories(line, sample_company.CATEGORIES))
    _must(imports.standard_codes(line, sample_company.STANDARD_CODES))
    _must(imports.jobs(line, sample_company.JOBS))
    _must(sage.load(line, sample_company.SAGE))
    _must(sage.load_categories(line, sample_company.SAGE_CATEGORIES))
    with sample_company.HOLDS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            _must(holds.add(line, row["job"], HoldKind(row["kind"]), row["number"], row["title"]))


def _request_some(line: CommandLine) -> Sequence[Request]:
    """Request what waits when the demo starts; returns the requests for later."""
    arriving = sample_company.requests()
    for request in arriving[:_REQUESTS_AT_ONCE]:
        _ask(line, request)
    return arriving[_REQUESTS_AT_ONCE:]


def _ask(line: CommandLine, request: Request) -> Answer:
    return _must(requests.request(line, request.job, request.path, sample_company.PROJECT_ENGINEER))


def _must(answer: Answer) -> Answer:
    if answer.exit_code:
        raise StopError(answer)
    return answer


def _draw_cards_anew(line: CommandLine) -> None:
    """A new sandbox remembers no message, so every job's card is posted once more."""
    with line.database.writing() as session:
        for update in queries.list_updates(session):
            outbox.refresh_card(session, update.job_id, at=line.now())


def _wait_for_sandbox(port: int, pause: Pause) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not pause(0.1):
        try:
            httpx.get(f"http://{HOST}:{port}/").raise_for_status()
        except httpx.HTTPError as error:
            if time.monotonic() > deadline:
                raise StopError(failed(f"The Slack look-alike did not start: {error}")) from None
        else:
            return


def _arrive_later(settings: Settings, waiting: Sequence[Request], pause: Pause) -> None:
    """Let the other requests come in one by one, as they would on a working day."""
    nudge = nudger(settings)

    def arrive() -> None:
        line = CommandLine(settings)
        for request in waiting:
            if pause(_REQUEST_EVERY_SECONDS):
                break
            try:
                for words in _ask(line, request).words:
                    say(str(words))
            except StopError as error:
                log.warning("a sample request was not taken", job=request.job, why=str(error))
            nudge(PeriodicWork.DELIVER)
        line.close()

    threading.Thread(target=arrive, name="requests", daemon=True).start()
