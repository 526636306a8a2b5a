"""The locks fit pyproject.toml, and what does not fit is named."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.locks import BUILD, DEV, ROOT, RUN, problems, read

LOCKS = (DEV, RUN, BUILD)
_IMPORT_ALL = """
import importlib, pkgutil, re, sys
from importlib.metadata import packages_distributions

ours, locked = {"bot", "workflow", "sync"}, set(sys.argv[1:])
others = {
    module
    for module, names in packages_distributions().items()
    if module not in ours and not {re.sub("[-_.]+", "-", name).lower() for name in names} & locked
}

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in others:
            raise ModuleNotFoundError(f"No module named {name!r} in the lock", name=name)

sys.meta_path.insert(0, NotInstalled())
for package in sorted(ours):
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not found.name.endswith(("__main__", ".env")) and ".versions." not in found.name:
            importlib.import_module(found.name)

from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace import export
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", *LOCKS):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def edit(file: Path, pattern: str, new: str) -> None:
    text, number = re.subn(pattern, new, file.read_text(), count=1, flags=re.MULTILINE)
    assert number == 1
    file.write_text(text)


def test_the_locks_fit() -> None:
    assert problems(ROOT) == []


def test_the_locks_name_no_machine_and_no_index() -> None:
    for lock in LOCKS:
        assert re.findall(r"://|^-|(?<![\w.])/", (ROOT / lock).read_text(), re.MULTILINE) == []


def test_costbot_and_its_traces_need_nothing_that_only_its_developers_have() -> None:
    locked = {pin.name for pin in read(ROOT / RUN)}

    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL, *locked], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_what_is_new_in_pyproject_is_missing_in_the_locks(project: Path) -> None:
    edit(project / "pyproject.toml", r"^dependencies = \[", 'dependencies = ["quart>=0.20", ')

    assert problems(project) == [
        f"{lock} does not have quart>=0.20, which pyproject.toml asks for." for lock in (DEV, RUN)
    ]


def test_a_bound_that_was_raised_is_missing_in_the_locks(project: Path) -> None:
    edit(project / "pyproject.toml", r'"hatchling>=[\d.]+"', '"hatchling>=1000"')

    assert problems(project) == [f"{BUILD} does not have hatchling>=1000, which pyproject.toml asks for."]


def test_a_version_that_was_not_tested_is_named(project: Path) -> None:
    edit(project / RUN, r"^rq==\S+", "rq==3.999")

    assert problems(project) == [f"rq 3.999 of {RUN} is not in {DEV}."]


def test_a_pin_without_hashes_is_named(project: Path) -> None:
    edit(project / DEV, r"^(xdist|pytest-xdist)==(\S+) \\\n(?: +--hash=\S+(?: \\)?\n)+", r"\1==\2\n")

    assert problems(project) == [f"pytest-xdist of {DEV} has no hash."]
