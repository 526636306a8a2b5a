"""The look-alike's records in a file, so that a demo can go on where it stopped; hooks are not among them."""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from bot.sandbox.procore.company import Company

_LIVING = {"clock", "listeners", "billed"}
"""What is not a record, and what the cost codes tell."""


def save(company: Company, path: Path) -> None:
    """Write every record; a file that was there is replaced as a whole."""
    with company.lock:
        facts = {
            each.name: _plain(getattr(company, each.name))
            for each in fields(company)
            if each.name not in _LIVING
        }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(facts), encoding="utf-8")
    fresh.replace(path)


def load(path: Path, *, clock: Callable[[], float]) -> Company:
    """The company as it was saved; what is new in it gets ids that nothing had before."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    company = Company(clock=clock)
    for name, value in facts.items():
        setattr(company, name, _as(getattr(company, name), value))
    for code in company.cost_codes.values():
        company.billed.setdefault((code["biller_type"], code["biller_id"]), {})[code["id"]] = code
    records = (getattr(company, name) for name in facts)
    used = [key for each in records if isinstance(each, dict) for key in each if isinstance(key, int)]
    company.ids_from(1 + max(used))
    return company


def _plain(value: Any) -> Any:
    """A record by id as pairs, for the keys of JSON are text."""
    if isinstance(value, dict):
        return list(value.items())
    return sorted(value) if isinstance(value, set) else value


def _as(like: Any, value: Any) -> Any:
    if isinstance(like, dict):
        return {tuple(key) if isinstance(key, list) else key: each for key, each in value}
    return {tuple(each) for each in value} if isinstance(like, set) else value
