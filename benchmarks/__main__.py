"""`python -m benchmarks [--lines N]`: every measurement as a table; exit 1 when a limit is missed."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import import_file, type_ahead


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines of the batch")
    lines = parser.parse_args().lines
    table = Table(title=f"A batch of {lines:,} lines, from database to file", title_justify="left")
    for column in (
        "Database",
        "SELECT + csv.writer",
        "costbot",
        "ratio (2 at most)",
        "peak memory (200 MiB at most)",
    ):
        table.add_column(column, justify="left" if column == "Database" else "right")
    missed = False
    with (
        tempfile.TemporaryDirectory(prefix="costbot-bench-") as folder,
        Console(stderr=True).status("Starting") as status,
    ):
        for figures in import_file.measure(Path(folder), lines, tell=status.update):
            missed |= not figures.kept
            table.add_row(
                figures.database,
                f"{figures.bare_seconds:.2f} s",
                f"{figures.seconds:.2f} s",
                f"{figures.ratio:.2f}",
                f"{figures.peak_mib:.0f} MiB",
            )
        typing = Table(title=f"A letter typed into {type_ahead.CODES:,} cost codes", title_justify="left")
        for column in ("Database", "median", f"slowest ({type_ahead.MOST_MILLISECONDS:.0f} ms at most)"):
            typing.add_column(column, justify="left" if column == "Database" else "right")
        for each in type_ahead.measure(Path(folder), tell=status.update):
            missed |= not each.kept
            typing.add_row(each.database, f"{each.median:.1f} ms", f"{each.slowest:.1f} ms")
    Console().print(table, typing)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
