"""What looks like a secret is masked, in time that grows as the text does."""

import time

import pytest

from workflow.masking import mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:pw@host/0", "redis://:***@host/0"),
        ("at postgresql+psycopg://bob:pa@ss@host:5432/db", "at postgresql+psycopg://bob:***@host:5432/db"),
        ("REDIS://bob:pw@host", "REDIS://bob:***@host"),
        ("https://host:443/path?at=1 and bob@host", "https://host:443/path?at=1 and bob@host"),
        ("xoxb-1-abc and xapp-1-A-1-b", "xoxb-*** and xapp-***"),
    ],
)
def test_tokens_and_passwords_in_addresses_are_masked(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.parametrize(
    "text",
    ["a." * 32_000 + " ://", "://" + "a-" * 32_000, "x://a:b " * 8_000, "x://" + ":" * 64_000],
    ids=["dots", "dashes", "addresses", "colons"],
)
def test_a_long_text_is_masked_at_once_whatever_is_in_it(text: str) -> None:
    began = time.process_time()
    assert mask(text) == text
    assert time.process_time() - began < 1
