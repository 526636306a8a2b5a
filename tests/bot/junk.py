"""Junk for payloads, and what no junk may bring before a person's eyes."""

import re
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

ODD = (
    "http://[",
    "\x00",
    "\ud800",
    "x" * 5_000,
    "<!channel>",
    "24-017",
    "'; DROP TABLE jobs; --",
    "{}",
    "[]",
    "\u202e",
)
"""Texts that one part or another cannot hold: PostgreSQL no NUL, UTF-8 no half of a character."""
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
BARE = re.compile(
    r"Traceback|\bFile \"|\bline \d+, in |\b[A-Za-z]*(?:Error|Exception)\b|\bInternal\b|<class |object at 0x"
    r"|sqlalchemy|psycopg|sqlite3|pydantic|slack_bolt|NoneType"
)
"""What a person reads of a program that fell over."""


def with_junk(payload: Json, way: tuple[Any, ...], junk: Any) -> Json:
    """The payload with junk at that place, or without the place where `junk` is ..."""
    wrong = deepcopy(payload)
    place: Any = wrong
    for name in way[:-1]:
        place = place[name]
    if junk is ...:
        del place[way[-1]]
    else:
        place[way[-1]] = junk
    return wrong


@st.composite
def _way(draw: st.DrawFn, payload: Json) -> tuple[Any, ...]:
    """The way to a place; an id at the top is as likely as all the words of blocks below together."""
    way: list[Any] = []
    place: Any = payload
    while True:
        names = list(place) if isinstance(place, dict) else list(range(len(place)))
        way.append(draw(st.sampled_from(names)))
        place = place[way[-1]]
        if not isinstance(place, dict | list) or not place or draw(st.booleans()):
            return tuple(way)


@st.composite
def spoiled(draw: st.DrawFn, payload: Json, *, most: int = 2) -> Json:
    """The payload with junk in some of its places, or as it is."""
    for _ in range(draw(st.integers(0, most))):
        if payload:
            payload = with_junk(
                payload, draw(_way(payload)), draw(JUNK | st.sampled_from(ODD) | st.just(...))
            )
    return payload
