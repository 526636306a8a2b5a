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
    burst,
    clicks,
    import_file,
    imports,
    lists,
    nothing_to_do,
    report,
    start,
    type_ahead,
)
from benchmarks.company import Company, sqlite_url
from benchmarks.loading import DurablePostgres
from benchmarks.measure import FULL, SHORT, Row, Sizes
from bot import logs


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
        urls = [sqlite_url(self._folder, name) for name in ("many", "few", "burst")]
        self._on("SQLite", *urls)
        with DurablePostgres() as server:
            for name in ("many", "few", "burst"):
                server.execute(f"CREATE DATABASE {name}")
            self._on("PostgreSQL", *(server.url_of(name) for name in ("many", "few", "burst")))

    def _on(self, engine: str, many_url: str, few_url: str, burst_url: str) -> None:
        sizes, folder = self._sizes, self._folder
        many = Company(engine, many_url, sizes, lines=sizes.lines)
        few = Company(engine, few_url, sizes, lines=sizes.few_lines)
        for company in (many, few):
            self._say(f"{engine}: a company with {company.lines:,} lines")
            company.found()
            company.plan_a_batch()
        self._take("import_file", import_file.measure(many, sizes, folder))
        self._say(f"{engine}: Sage takes all of it")
        many.sync()
        few.sync()
        self._take("nothing_to_do", nothing_to_do.measure(few, many, sizes, folder))
        many.ask(sizes.jobs)
        few.ask(sizes.few_ready)
        self._take("lists", lists.measure(few, many, sizes))
        self._take("clicks", clicks.measure(many, sizes))
        self._take("imports", imports.measure(many, sizes, folder))
        self._take("type_ahead", type_ahead.measure(many, sizes))
        if engine == "PostgreSQL":  # what takes the time is Slack, not the database
            empty = Company(engine, burst_url, sizes, lines=0)
            empty.found()
            self._take("burst", burst.measure(empty, sizes))

    def _take(self, module: str, rows: Iterable[Row] | Iterator[Row]) -> None:
        if self._only not in module:
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
