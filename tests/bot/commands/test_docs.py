"""The documents say what is so: examples are run, and every command and setting is told."""

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from bot.cli import app
from bot.sandbox import sample_company
from tests.bot.commands.conftest import Shell
from workflow.settings import Settings

ROOT = Path(__file__).parents[3]
CLI_PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Example:
    """A command of the page, how it ends, and the JSON shown after it, if any."""

    arguments: list[str]
    exit_code: int
    shown: Any


def examples() -> Iterator[Example]:
    blocks = re.findall(r"```console\n(.*?)```(?:\n```json\n(.*?)```)?", CLI_PAGE, re.DOTALL)
    for console, shown in blocks:
        lines = console.strip().splitlines()
        for number, line in enumerate(lines, start=1):
            words = line.removeprefix("$ costbot ")
            words, _, code = words.partition("   # exit code ")
            last = number == len(lines)
            yield Example(shlex.split(words), int(code or 0), json.loads(shown) if shown and last else None)


def shape(value: Any) -> Any:
    """The keys and the types of the values; a list by its first item, facts of events by nothing."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items() if key != "facts"}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value)


def test_every_example_of_the_command_line_page_does_what_the_page_shows(shell: Shell) -> None:
    for file in sample_company.FOLDER.rglob("*.csv"):
        shutil.copy(file, shell.folder)

    for example in examples():
        ran = shell.run(*example.arguments)

        assert ran.exit_code == example.exit_code, (example, ran)
        if example.shown is not None:
            assert shape(ran.json) == shape(example.shown), example


def test_every_command_is_on_the_page() -> None:
    root = get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    for name, command in root.commands.items():
        under = command.commands if isinstance(command, typer.core.TyperGroup) else {"": None}
        for sub in under:
            assert re.search(rf"costbot {name} ?{sub}\b", CLI_PAGE), f"costbot {name} {sub}"


def settings_table() -> str:
    rows = ["| variable | default | what it is |", "|---|---|---|"]
    for field in Settings.model_fields.values():
        default = "" if field.default is None else f"`{str(field.default).lower()}`"
        if isinstance(field.default, str):
            default = f"`{field.default}`"
        rows.append(f"| `{field.validation_alias}` | {default} | {field.description} |")
    return "\n".join(rows)


def test_the_readme_has_every_setting() -> None:
    assert settings_table() in README, f"put this table into README.md:\n{settings_table()}"


def test_files_that_the_readme_points_to_are_there() -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", README):
        assert (ROOT / target).exists(), target
