"""`python -m tests.locks`: whether the locks fit pyproject.toml and each other; `make lock` writes them.

Owns reading locks. Looks nothing up: that what is pinned works together, the installation shows.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
DEV, RUN, BUILD = (f"requirements{part}.lock" for part in ("-dev", "", "-build"))


@dataclass(frozen=True, slots=True)
class Pin:
    """A package of a lock, for the systems of its marker; one package may have several."""

    name: str
    version: str
    marker: str
    hashes: frozenset[str]


def read(lock: Path) -> frozenset[Pin]:
    """The pins of a lock."""
    lines = (line for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    return frozenset(_pin(entry) for entry in re.split(r"\n(?=\S)", "\n".join(lines)))


def _pin(entry: str) -> Pin:
    written = Requirement(re.split(r"\s*\\?\n", entry)[0].rstrip("\\ "))
    [exactly] = written.specifier
    hashes = frozenset(re.findall(r"--hash=(\S+)", entry))
    return Pin(canonicalize_name(written.name), exactly.version, str(written.marker or ""), hashes)


def problems(project: Path) -> list[str]:
    """What is wrong with the locks in a folder, a sentence each."""
    wanted = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    own, groups = wanted["project"], wanted["dependency-groups"]
    extras = own["optional-dependencies"]
    # whoever runs costbot chooses by settings, and an image has no pip
    ours = [*own["dependencies"], *extras["odbc"], *extras["otel"]]
    asked = {
        DEV: [*ours, *extras["dev"], *groups["build"]],
        RUN: ours,
        BUILD: [*groups["build"], *wanted["build-system"]["requires"]],
    }
    pins = {lock: read(project / lock) for lock in asked}
    found = [
        f"{lock} does not have {requirement}, which pyproject.toml asks for."
        for lock, requirements in asked.items()
        for requirement in _missing(requirements, pins[lock], own["name"])
    ]
    for lock in (RUN, BUILD):
        found += [
            f"{pin.name} {pin.version} of {lock} is not in {DEV}." for pin in _sorted(pins[lock] - pins[DEV])
        ]
    for lock, all_pins in pins.items():
        found += [f"{pin.name} of {lock} has no hash." for pin in _sorted(all_pins) if not pin.hashes]
    return found


def _missing(requirements: Iterable[str], pins: Iterable[Pin], itself: str) -> Iterator[str]:
    for requirement in requirements:
        asked = Requirement(requirement)
        versions = [pin.version for pin in pins if pin.name == canonicalize_name(asked.name)]
        fits = versions and all(asked.specifier.contains(version, prereleases=True) for version in versions)
        if not fits and asked.name != itself:
            yield requirement


def _sorted(pins: Iterable[Pin]) -> list[Pin]:
    return sorted(pins, key=lambda pin: (pin.name, pin.marker))


def main() -> Any:
    """Exit code 1, naming the mend, when a lock does not fit."""
    found = problems(ROOT)
    return "\n".join([*found, "Run `make lock`."]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
