"""The `costbot` command: wires every command and process. The work is in `bot.commands`."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path

import typer

from bot.commands import (
    approvals,
    audit,
    checks,
    db,
    diff,
    doctor,
    holds,
    imports,
    people,
    privilege,
    processes,
    procore,
    report,
    requests,
    sage,
    status,
    syncs,
)

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    help="Review and accept new project cost codes before they go to Sage 300 CRE.",
)
for module in (requests, checks, diff, approvals, syncs, status, report, doctor, processes):
    app.add_typer(module.app)
app.add_typer(people.top)
for name, module in (
    ("import", imports),
    ("hold", holds),
    ("audit", audit),
    ("db", db),
    ("people", people),
    ("privilege", privilege),
    ("sage", sage),
    ("procore", procore),
):
    app.add_typer(module.app, name=name)


def main() -> None:
    """Run the command line; it ends with exit code 0, 1, 2 or 3 (see `docs/cli.md`)."""
    for name in ("stdin", "stdout", "stderr"):
        # one that was closed; else the next file to be opened, such as a database, would get its number
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("r+", encoding="utf-8"))  # noqa: SIM115 - to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    app()


if __name__ == "__main__":
    main()
