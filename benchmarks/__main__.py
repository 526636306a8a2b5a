"""`python -m benchmarks [--short] [--only WORD]`: costbot against baselines; exit 1 when a goal is missed.

The whole run writes results.json, and the table and chart of docs/. `--short` sees that everything still
runs, with little data; it judges nothing and writes nothing. `--only` measures what has the word in the name
of its module, and writes nothing either.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console

from benchmarks import (
    at_work,
    burst,
    clicks,
    import_file,
    imports,
    lists,
    nothing_to_do,
    report,
    start,
    type_ahead,
    whole_sync,
)
from benchmarks.company import Company, sqlite_url
from benchmarks.loading import DurablePostgres
from benchmarks.measure import FULL, SHORT, Row, Sizes
from bot import logs
from tests.servers import RedisServer

_COMPANIES = ("many", "few", "tenth", "hundredth", "small")
_OF_A_BATCH = ("whole_sync", "import_file")
_WHEN_SYNCED = ("nothing_to_do",)
_WHEN_READY = ("at_work", "lists", "clicks", "imports", "type_ahead")
_OF_FEWER_LINES_TOO = _OF_A_BATCH
_OF_FEW_TOO = ("nothing_to_do", "lists")
_IN_COMPANIES = _OF_A_BATCH + _WHEN_SYNCED + _WHEN_READY
_MODULES = ("start", *_IN_COMPANIES, "burst")


class Bench:
    """One run: what is measured, and what was."""

    def __init__(self, sizes: Sizes, only: str, folder: Path, console: Console) -> None:
        self.rows: list[Row] = []
        self._sizes = sizes
        self._only = only
        self._folder = folder
        self._console = console

    def all(self) -> None:
        """Measure everything, each company first on SQLite and then on PostgreSQL."""
        self._take("start", start.measure(self._sizes, self._folder))
        self._on("SQLite", *(sqlite_url(self._folder, name) for name in _COMPANIES))
        with DurablePostgres() as server:
            if self._wants("start"):
                server.execute("CREATE DATABASE start")
                with RedisServer() as queues:
                    on = start.servers(server.url_of("start"), queues.url)
                    self._take("start", start.measure(self._sizes, self._folder, on))
            if not self._wants(*_IN_COMPANIES, "burst"):
                return
            for name in (*_COMPANIES, "burst"):
                server.execute(f"CREATE DATABASE {name}")
            self._on("PostgreSQL", *(server.url_of(name) for name in _COMPANIES))
            if self._wants("burst"):  # what takes the time is Slack, so one engine is enough
                empty = Company("PostgreSQL", server.url_of("burst"), self._sizes, lines=0)
                empty.found()
                self._take("burst", burst.measure(empty, self._sizes))

    def _on(self, engine: str, *urls: str) -> None:
        """Lead the companies through their life as far as something that is measured needs."""
        if not self._wants(*_IN_COMPANIES):
            return
        sizes, folder = self._sizes, self._folder
        many_url, few_url, tenth_url, hundredth_url, small_url = urls
        many = Company(engine, many_url, sizes, lines=sizes.lines)
        few = Company(engine, few_url, sizes, lines=sizes.few_lines)
        tenth, hundredth, small = (
            Company(engine, url, some := sizes.of_fewer_jobs(part), lines=some.lines)
            for url, part in ((tenth_url, 10), (hundredth_url, 100), (small_url, 100))
        )
        companies = {many: sizes.jobs}
        if self._wants(*_OF_FEW_TOO):
            companies[few] = sizes.few_ready
        accepted = [*companies, tenth, hundredth] if self._wants(*_OF_FEWER_LINES_TOO) else [*companies]
        for company in accepted:
            self._say(f"{engine}: a company with {company.lines:,} lines")
            company.found()
            company.accept()
        self._take("whole_sync", whole_sync.measure(many, tenth, hundredth, sizes, folder))
        if not self._wants("import_file", *_WHEN_SYNCED, *_WHEN_READY):
            return
        for company in accepted:
            company.plan_a_batch()
        self._take("import_file", import_file.measure(many, tenth, sizes, folder))
        if not self._wants(*_WHEN_SYNCED, *_WHEN_READY):
            return
        self._say(f"{engine}: Sage takes all of it")
        for company in companies:
            company.sync()
        self._take("nothing_to_do", nothing_to_do.measure(few, many, sizes, folder))
        for company, ready in companies.items() if self._wants(*_WHEN_READY) else ():
            company.ask(ready)
        if engine == "PostgreSQL":  # several of each process are what it is for
            self._take("at_work", at_work.measure(many, small, sizes, folder))
        self._take("lists", lists.measure(few, many, sizes))
        self._take("clicks", clicks.measure(many, sizes))
        self._take("imports", imports.measure(many, sizes, folder))
        self._take("type_ahead", type_ahead.measure(many, sizes))

    def _wants(self, *modules: str) -> bool:
        return any(self._only in module for module in modules)

    def _take(self, module: str, rows: Iterable[Row] | Iterator[Row]) -> None:
        if not self._wants(module):
            return
        self._say(f"measuring {module}")
        for row in rows:
            self.rows.append(row)
            self._console.print(f"{row.name}: {row.ratio:.2f}, goal {row.goal:g} {row.note}", highlight=False)

    def _say(self, words: str) -> None:
        self._console.print(words, style="dim", highlight=False)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="little data; only errors fail")
    parser.add_argument("--only", default="", help="modules whose name has this word")
    asked = parser.parse_args()
    if not any(asked.only in module for module in _MODULES):
        parser.error(f"--only: nothing has {asked.only!r} in its name; there are {', '.join(_MODULES)}")
    with (
        tempfile.TemporaryDirectory(prefix="costbot-bench-") as folder,
        Path(os.devnull).open("w") as nowhere,
    ):
        logs.configure("info", stream=nowhere)  # what costbot logs is part of its work
        bench = Bench(SHORT if asked.short else FULL, asked.only, Path(folder), Console(stderr=True))
        bench.all()
    Console(width=200 if not sys.stdout.isatty() else None).print(report.table(bench.rows))
    if asked.short:
        return 0
    if not asked.only:
        report.write(bench.rows)
    return int(not all(row.met for row in bench.rows))


if __name__ == "__main__":
    sys.exit(main())
