"""Everything that costbot draws, in every language: it fits Slack, is said in words, and is translated."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.blocks.checking import problems, view_problems
from bot.blocks.pieces import Message
from tests.bot.drawings import everything
from workflow import language
from workflow.language import languages, say, speaking

SPANISH = language.LOCALES / "es" / "LC_MESSAGES" / "costbot.po"
DATA = """
    Riverside Medical Center Pat Rivera Dana Whitfield Sam Ortiz Tom Wrong phase Concrete formwork Formwork
    Stahl Concr SC PC CA LA
    Steel erection example com ada bob UTC acme slack archives Equipment Labor Material Subcontract jce csv
    costcodes https CO DS
"""
PROCORES = "ERP Integrations Can Push to Accounting Directory Permissions can push accounting"
TYPED = re.compile(r"`[^`]*`|<[^<>]*>|\{[a-z_]+\}")
WORD = re.compile(r"[^\W\d_]{2,}")
EMOJI = re.compile("[\N{WATCH}-\N{BLACK STAR}\U0001f300-\U0001faff⏰-⏿⚠⛔✅❌]")


def texts(drawn: Any) -> Iterator[tuple[str, str]]:
    """Every text that a person reads, with the kind of the object that holds it."""
    if isinstance(drawn, Message):
        yield "fallback text", drawn.text
        drawn = [drawn.blocks, drawn.fallback_blocks or ()]
    if isinstance(drawn, dict):
        for key in ("text", "alt_text"):
            if isinstance(drawn.get(key), str):
                yield drawn.get("type", "text"), drawn[key]
        for value in drawn.values():
            yield from texts(value)
    elif isinstance(drawn, list | tuple):
        for each in drawn:
            yield from texts(each)


def objects(drawn: Any, kind: str) -> Iterator[dict[str, Any]]:
    if isinstance(drawn, Message):
        drawn = drawn.blocks
    if isinstance(drawn, dict):
        if drawn.get("type") == kind:
            yield drawn
        for value in drawn.values():
            yield from objects(value, kind)
    elif isinstance(drawn, list | tuple):
        for each in drawn:
            yield from objects(each, kind)


def messages() -> list[str]:
    """Everything that is said, in English."""
    with SPANISH.open("rb") as file:
        ids = [message.id for message in read_po(file) if message.id]
    return [str(one) for each in ids for one in (each if isinstance(each, tuple) else (each,))]


@pytest.mark.parametrize("spoken", languages())
def test_slack_takes_everything_in_every_language_and_nothing_of_it_is_cut(spoken: str) -> None:
    with speaking(spoken):
        whole = {say(message) for message in messages() if message.endswith("…")}
        for name, drawn in everything():
            if isinstance(drawn, Message):
                assert problems(drawn.blocks, "message") == [], name
                assert problems(drawn.fallback_blocks or drawn.blocks, "message") == [], name
            else:
                assert view_problems(drawn) == [], name
            cut = [text for kind, text in texts(drawn) if kind == "plain_text" and text.endswith("…")]
            assert [text for text in cut if text not in whole] == [], name


@pytest.mark.parametrize("spoken", languages())
def test_everything_is_said_in_words_to_who_hears_it_or_sees_no_colours(spoken: str) -> None:
    with speaking(spoken):
        for name, drawn in everything():
            if isinstance(drawn, Message):
                assert WORD.search(drawn.text), name
            for kind, text in texts(drawn):
                bare = EMOJI.sub("", text)
                assert not EMOJI.search(text) or re.search(r"\w", bare), (name, kind, text)
            for button in objects(drawn, "button"):
                # a colour (style) is beside a word, never in place of one
                assert WORD.search(button["text"]["text"]), (name, button)
            for image in objects(drawn, "image"):
                assert WORD.search(image["alt_text"]), (name, image)


@pytest.fixture
def marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A language whose every message stands in brackets, so that what was never looked up is seen."""
    with SPANISH.open("rb") as file:
        spanish = read_po(file)
    catalogue = Catalog(locale="eo", domain="costbot")
    for message in spanish:
        if message.id:
            every = message.id if isinstance(message.id, tuple) else (message.id,)
            said = tuple(f"⟦{one}⟧" for one in every)
            catalogue.add(message.id, said if isinstance(message.id, tuple) else said[0])
    folder = tmp_path / "eo" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "costbot.mo").open("wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setattr(language, "LOCALES", tmp_path)
    language._catalogue.cache_clear()
    language.languages.cache_clear()
    yield "eo"
    language._catalogue.cache_clear()
    language.languages.cache_clear()


def outside(text: str) -> str:
    """What is left of a text without the bracketed messages and the data in them."""
    while (shorter := re.sub("⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = shorter
    return text


def test_every_word_that_people_read_went_through_the_catalogue(marked: str) -> None:
    known = {*DATA.split(), *PROCORES.split()}
    left: dict[str, str] = {}
    with speaking(marked):
        for name, drawn in everything():
            for _, text in texts(drawn):
                if text.count("⟦") != text.count("⟧"):
                    continue  # cut to Slack's limit by the brackets
                for word in WORD.findall(TYPED.sub(" ", outside(text))):
                    if word not in known:
                        left.setdefault(word, f"{name}: {text}")
    assert not left, "\n".join(left.values())
