"""The sample company taken over by the commands that a real one uses."""

import csv
from collections.abc import Callable
from typing import TypeAlias

from bot.commands import holds, imports, requests, sage
from bot.commands.command import CommandLine, StopError
from bot.commands.terminal import Answer
from bot.sandbox import sample_company
from bot.sandbox.sample_company import Request
from workflow.vocabulary import HoldKind

Ask: TypeAlias = Callable[[Request], str]
"""Asks for what a sample request lists; says in words what came of it."""


def load(line: CommandLine) -> None:
    """The company's lists, what Sage has, and the contracts that wait."""
    _must(imports.people(line, sample_company.PEOPLE))
    _must(imports.categories(line, sample_company.CATEGORIES))
    _must(imports.standard_codes(line, sample_company.STANDARD_CODES))
    _must(imports.jobs(line, sample_company.JOBS))
    load_sage(line)
    hold_contracts(line)


def load_sage(line: CommandLine) -> None:
    """What Sage has already."""
    _must(sage.load(line, sample_company.SAGE))
    _must(sage.load_categories(line, sample_company.SAGE_CATEGORIES))


def hold_contracts(line: CommandLine) -> None:
    """The contracts that wait for cost codes; their jobs are known."""
    with sample_company.HOLDS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            _must(holds.add(line, row["job"], HoldKind(row["kind"]), row["number"], row["title"]))


def ask(line: CommandLine, request: Request) -> str:
    """Request it by file, in the name of the project engineer."""
    answer = _must(requests.request(line, request.job, request.path, sample_company.PROJECT_ENGINEER))
    return "\n".join(map(str, answer.words))


def _must(answer: Answer) -> Answer:
    if answer.exit_code:
        raise StopError(answer)
    return answer
