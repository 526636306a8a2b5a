"""`make faults`: every fault of the table on real servers and processes, then the verdict, as a table.

    python -m tests.faults [--seed N] [--short] [--only WORDS]

Exits 1 when anything was lost, doubled or wrong, or a fault did not come about. Its last line is
`faults: N tried, N lost, N doubled`.
"""

import argparse
import logging
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import structlog
from rich.console import Console
from rich.table import Table

from tests.faults.companies import COMPANIES
from tests.faults.company import Company
from tests.faults.table import FAULTS, Fault
from tests.faults.tries import Tries
from tests.faults.verdict import Finding, Kind, judge

_HARD_BOUND_SECONDS = 20 * 60
_WIDTH = 130


@dataclass(frozen=True)
class Row:
    """What came of one fault in one company."""

    fault: Fault
    company: str
    tries: Tries
    findings: tuple[Finding, ...]
    seconds: float
    drained: float | None
    """None where the company drained after a later fault."""

    @property
    def name(self) -> str:
        """Of the fault, and where it happened when that is not the only place."""
        return f"{self.fault.name} ({self.company})" if len(self.fault.companies) > 1 else self.fault.name

    def count(self, kind: Kind) -> int:
        return sum(finding.kind is kind for finding in self.findings)


def main(arguments: Sequence[str]) -> int:
    """Run the table, print what came of it; the exit code."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="the same choices as in an earlier run")
    parser.add_argument("--short", action="store_true", help="the short form, of some two minutes")
    parser.add_argument("--only", default="", help="faults whose name has these words")
    asked = parser.parse_args(arguments)
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    faults = [fault for fault in FAULTS if asked.only in fault.name and (fault.short or not asked.short)]
    if not faults:
        parser.error(f"no fault has {asked.only!r} in its name")
    console = Console(width=_WIDTH, highlight=False)
    # what the suite itself does while things are broken is no news
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    console.print(f"faults: seed {seed}; the same again: make faults SEED={seed}")
    began = time.monotonic()
    each = [(fault, name) for fault in faults for name in fault.companies[: 1 if asked.short else None]]
    lanes = {name: [fault for fault, where in each if where == name] for name in COMPANIES}
    lanes = {name: some for name, some in lanes.items() if some}
    rows: list[Row] = []
    with ThreadPoolExecutor(len(lanes)) as pool:
        for name, some in lanes.items():
            pool.submit(_happen, console, name, some, seed, asked.short, began + _HARD_BOUND_SECONDS, rows)
    rows.sort(key=lambda row: (FAULTS.index(row.fault), row.company))
    console.print(_table(rows, f"seed {seed}, {time.monotonic() - began:.0f} s"))
    for row in rows:
        for finding in row.findings:
            console.print(f"{finding.kind}: {row.name}: {finding.words}", markup=False)
    left_out = len(each) - len(rows)
    if left_out:
        console.print(
            f"wrong: {left_out} faults could not be tried, or not in {_HARD_BOUND_SECONDS // 60} minutes"
        )
    never = [row for row in rows if not (row.tries.times or row.tries.cannot_be_had)]
    for row in never:
        console.print(f"wrong: {row.name}: it never came about, so nothing is known of it", markup=False)
    few = [row for row in rows if not asked.short and 0 < row.tries.times < row.fault.least]
    for row in few:
        console.print(
            f"wrong: {row.name}: {row.tries.times} tries, and a whole run has at least {row.fault.least}",
            markup=False,
        )
    total = Counter(finding.kind for row in rows for finding in row.findings)
    tried = sum(row.tries.times for row in rows)
    print(f"faults: {tried} tried, {total[Kind.LOST]} lost, {total[Kind.DOUBLED]} doubled")  # noqa: T201
    return 1 if total or left_out or never or few else 0


def _happen(
    console: Console,
    name: str,
    faults: Sequence[Fault],
    seed: int,
    short: bool,
    until: float,
    rows: list[Row],
) -> None:
    """One company, and all that happens to it, one fault after another; each adds its row.

    In the short form it drains and is judged once, after the last of its faults.
    """
    known: set[Finding] = set()
    try:
        with COMPANIES[name]() as company:
            for fault in faults:
                if time.monotonic() > until:
                    return
                judged = not short or fault is faults[-1]
                row = _try(company, name, fault, random.Random(f"{seed} {fault.name}"), known, short, judged)
                known |= set(row.findings)
                rows.append(row)
                console.print(
                    f"  {row.name}: {row.tries.times} tried in {row.seconds:.0f} s"
                    + (f", drained in {row.drained:.0f} s, {len(row.findings)} findings" if judged else "")
                )
    except Exception:  # noqa: BLE001 - the other companies go on; what was not tried is told at the end
        console.print_exception()


def _try(
    company: Company,
    name: str,
    fault: Fault,
    rng: random.Random,
    known: set[Finding],
    short: bool,
    judged: bool,
) -> Row:
    began = time.monotonic()
    tries = fault.run(company, rng, fault.short if short else fault.times)
    seconds, drained = time.monotonic() - began, None
    company.sandbox.clear_faults()
    found = {*tries.findings}
    if judged:
        drained = company.drain()
        found |= set(judge(company.facts()))
    return Row(fault, name, tries, tuple(sorted(found - known)), seconds, drained)


def _table(rows: Sequence[Row], caption: str) -> Table:
    table = Table(title="faults", caption=caption)
    table.add_column("Fault")
    for column in ("Tries", "Lost", "Doubled", "Wrong", "Seconds", "Drained in"):
        table.add_column(column, justify="right")
    table.add_column("How")
    for row in rows:
        counts = [str(row.count(kind)) for kind in (Kind.LOST, Kind.DOUBLED, Kind.WRONG)]
        times = [f"{row.seconds:.0f}", "" if row.drained is None else f"{row.drained:.0f} s"]
        how = f"{COMPANIES[row.company].__doc__} {row.tries.note}".strip()
        table.add_row(row.name, str(row.tries.times), *counts, *times, how)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
