"""The guides for people quote the program as it is: its pictures, its labels, its commands."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
import yaml
from PIL import Image

from bot.blocks.words import STATE_WORDS
from bot.cli import app
from bot.listeners.usage import Command, parse

ROOT = Path(__file__).parent.parent
GUIDES = [ROOT / "docs" / name for name in ("for-approvers.md", "for-project-teams.md")]
PICTURED = [ROOT / "README.md", *GUIDES, *(ROOT / "docs" / name for name in ("procore.md", "benchmarks.md"))]
IMAGES = ROOT / "docs" / "images"
LARGEST_PICTURE = 150_000
_PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<path>[^)]+\.png)\)")
_SIZED_PICTURE = re.compile(r'<img src="(?P<path>[^"]+)"[^>]* alt="(?P<alt>[^"]*)"')
_TWO_PAGES = 850
"""Words beside the pictures; more does not fit two printed pages."""


def pictures(page: Path) -> Iterator[tuple[Path, str]]:
    """The pictures of a page, each with its words for who cannot see it."""
    for pattern in (_PICTURE, _SIZED_PICTURE):
        for found in pattern.finditer(page.read_text(encoding="utf-8")):
            yield (page.parent / found["path"]).resolve(), found["alt"]


def said_in_slack() -> list[str]:
    """Every text in the code of what people see in Slack, and the names of the shortcuts."""
    texts = [
        node.value
        for path in (ROOT / "bot" / "blocks").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    manifest = yaml.safe_load((ROOT / "bot" / "manifest.yaml").read_text(encoding="utf-8"))
    return [*texts, *(shortcut["name"] for shortcut in manifest["features"]["shortcuts"])]


def test_every_picture_is_there_is_used_is_small_and_has_words() -> None:
    used = dict(found for page in PICTURED for found in pictures(page))
    assert set(used) == set(IMAGES.glob("*.png"))
    for path, alt in used.items():
        assert len(alt.split()) > 6, f"{path.name} needs words for who cannot see it"
        assert path.stat().st_size < LARGEST_PICTURE, f"{path.name} is too large"
        with Image.open(path) as picture:
            picture.verify()


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_what_a_guide_quotes_stands_in_the_program(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    quoted = set(re.findall(r"(?<![*\w])\*([^*\n]+)\*(?![*\w])", text)) - {"Home", "Apps"}  # Slack's own
    assert len(quoted) >= 8
    told = said_in_slack()
    assert [words for words in quoted if not any(words in one for one in told)] == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_what_a_guide_says_to_type_is_understood(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    typed = re.findall(r"`/costcodes ?([^`]*)`", text)
    assert len(typed) > 4
    assert [words for words in typed if not isinstance(parse(words), Command)] == []
    group = typer.main.get_command(app)
    for words in re.findall(r"`costbot ([^`]*)`", text):
        command = group
        for word in words.split():
            command = command.commands[word]  # type: ignore[attr-defined]


def test_the_states_of_the_project_teams_guide_are_the_programs() -> None:
    text = GUIDES[1].read_text(encoding="utf-8")
    head, *states = re.findall(r"^\| (\w[^|]*?) \|", text, re.MULTILINE)
    assert head == "it says"
    assert sorted(states) == sorted(STATE_WORDS.values())


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_a_guide_fits_two_printed_pages_and_the_readme_links_it(guide: Path) -> None:
    text = _PICTURE.sub("", guide.read_text(encoding="utf-8"))
    assert len(text.split()) <= _TWO_PAGES
    assert f"docs/{guide.name}" in (ROOT / "README.md").read_text(encoding="utf-8")
