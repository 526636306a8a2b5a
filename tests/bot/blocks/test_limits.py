"""Data is made fit for Slack's limits: nothing that it holds is markup, and what is too long is cut."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.blocks.limits import clamp, escape


@given(st.text())
def test_escaped_text_shows_exactly_what_was_given(text: str) -> None:
    unseen = re.compile("[\u200b\u202a-\u202e\u2066-\u2069]")
    assert unseen.sub("", html.unescape(escape(text))) == unseen.sub("", text)


@given(st.text())
def test_escaped_text_opens_no_mention_and_no_formatting(text: str) -> None:
    escaped = escape(text)
    assert "<" not in escaped
    assert ">" not in escaped
    for mark in "*_~`":
        assert escaped.count(mark) == escaped.count(f"\u200b{mark}\u200b")


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("Pipe & fittings", "Pipe &amp; fittings"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("<@U1>", "&lt;@U1&gt;"),
        ("*bold*", "\u200b*\u200bbold\u200b*\u200b"),
        (":tada:", ":\u200btada:"),
        ("at 10:30", "at 10:30"),
        ("> quoted", "\u200b&gt; quoted"),
        ("2 > 1", "2 &gt; 1"),
        ("not \u202eyet\u202c \u2067now\u2069", "not yet now"),
    ],
)
def test_data_that_looks_like_markup_stays_text(data: str, shown: str) -> None:
    assert escape(data) == shown


@given(st.text(), st.integers(min_value=0, max_value=40))
def test_clamped_text_fits(text: str, limit: int) -> None:
    assert len(clamp(text, limit)) <= limit
    assert clamp(text, len(text)) == text


def test_clamping_marks_the_cut_and_keeps_tokens_whole() -> None:
    assert clamp("Concrete formwork", 9) == "Concrete…"
    assert clamp("Pipe &amp; fittings", 8) == "Pipe …"
    assert clamp("By <@U12345> today", 8) == "By …"
    assert clamp("Anything", 0) == ""
