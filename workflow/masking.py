"""Secrets in a text that is shown, logged or kept: masked, whatever brought them into it.

Owns what a secret looks like, and which ones this process was told to hide. Knows no settings.
"""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

_MASK = "***"
_LONG_ENOUGH = 8
"""What is shorter is a word of some text too, and would take it apart."""
_SECRETS = re.compile(
    r"(?P<token>\bx(?:ox[a-z]|app)(?:-[\w.%-]+)+)"  # a token of Slack
    # a password inside an address; its scheme is left alone, or each word would be tried as one
    r"|(?P<user>://[^\s:/@]*):[^\s/]+@"
)
_hidden: list[str] = []


def hide(secrets: Iterable[str]) -> None:
    """Mask these too from here on, as they are and as JSON, Python or an address would write them."""
    forms = set(_hidden)
    for secret in secrets:
        if len(secret) >= _LONG_ENOUGH:
            forms |= _forms(secret)
    _hidden[:] = sorted(forms, key=len, reverse=True)


def hide_nothing() -> None:
    """As a process begins: what a secret looks like is masked, and no other."""
    _hidden.clear()


def mask(text: str) -> str:
    """The text without tokens and passwords, nor what was to be hidden."""
    text = mask_hidden(text)
    if "://" not in text and "xox" not in text and "xapp" not in text:
        return text  # as almost any, and quicker told so
    return _SECRETS.sub(lambda m: f"{m['user']}:{_MASK}@" if m["user"] else f"{m['token'][:5]}{_MASK}", text)


def mask_hidden(text: str, *more: str) -> str:
    """The text without what was to be hidden, or `more`."""
    for secret in (*_hidden, *more):
        if secret in text:
            text = text.replace(secret, _MASK)
    return text


def mask_within(facts: Any) -> Any:
    """Facts, as JSON has them, with `mask` done to each text in them."""
    if isinstance(facts, str):
        return mask(facts)
    if isinstance(facts, dict):
        return {name: mask_within(value) for name, value in facts.items()}
    return [mask_within(value) for value in facts] if isinstance(facts, list) else facts


def _forms(secret: str) -> set[str]:
    return {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }
