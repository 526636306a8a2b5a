"""`python -m tests.audit`: are there known vulnerabilities in what is locked? Asks OSV by pip-audit, and npm.

Exit code 1 when there are, or when pip-audit itself fails; 0 for what cannot be looked up, which it says.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import httpx

from tests.locks import DEV, ROOT

OSV = "https://api.osv.dev/v1/query"
PAGE = ROOT / "bot" / "sandbox" / "page"
_ANSWER_SECONDS = 10
_MOST_SECONDS = 120.0
_NPM_WAITS = 10_000  # milliseconds
_ASKED = {"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "0"}


def audit(lock: Path, osv: str) -> tuple[int, str]:
    """The exit code, and what there is to say."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        try:
            said = _run(lock, osv, into=result)
        except subprocess.TimeoutExpired:
            return 0, f"Not audited: {osv} took too long to answer."
        found = result.read_text(encoding="utf-8") if result.exists() else ""
    if found:
        return _judge(json.loads(found)["dependencies"])
    if unreachable := _unreachable(osv):
        return 0, f"Not audited: {osv} cannot be reached ({unreachable})."
    return 1, f"pip-audit failed:\n{said}"


def _run(lock: Path, osv: str, *, into: Path) -> str:
    program = Path(sysconfig.get_path("scripts")) / "pip-audit"
    words = [
        "--requirement",
        str(lock),
        "--require-hashes",
        "--disable-pip",
        "--vulnerability-service",
        "osv",
    ]
    words += ["--osv-url", osv, "--timeout", str(_ANSWER_SECONDS), "--progress-spinner", "off"]
    words += ["--format", "json", "--output", str(into), "--cache-dir", str(into.parent / "cache")]
    done = subprocess.run(
        [str(program), *words], capture_output=True, text=True, timeout=_MOST_SECONDS, check=False
    )
    return done.stderr


def _judge(packages: list[dict[str, Any]]) -> tuple[int, str]:
    lines = [
        f"{one['name']} {one['version']}: {vulnerability['id']}, mended in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for one in packages
        for vulnerability in one.get("vulns", [])
    ]
    if lines:
        return 1, "\n".join([*lines, "Raise them in pyproject.toml, or all by `make lock ARGS=--upgrade`."])
    if skipped := [one["name"] for one in packages if "skip_reason" in one]:
        return 1, f"pip-audit could not judge {', '.join(skipped)}."
    return 0, f"No known vulnerability in {len(packages)} packages."


def audit_page(folder: Path, registry: str | None = None) -> tuple[int, str]:
    """The same of npm's lock in a folder, as the registry knows it: npm's own unless one is given."""
    npm = shutil.which("npm")
    if npm is None:
        return 0, f"Not audited: npm, for {folder.name}, is not installed."
    elsewhere = {"npm_config_registry": registry} if registry else {}
    words = ["audit", "--package-lock-only", "--json", "--fetch-retries=0", f"--fetch-timeout={_NPM_WAITS}"]
    try:
        done = subprocess.run(
            [npm, *words],
            cwd=folder,
            env=os.environ | elsewhere,
            capture_output=True,
            text=True,
            timeout=_MOST_SECONDS,
            check=False,
        )
        found = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        return 0, f"Not audited: npm does not tell of {folder.name} ({type(error).__name__})."
    if "vulnerabilities" not in found and "code" in found.get("error", {}):
        return 1, f"npm audit of {folder.name} failed: {found['error'].get('summary')}"
    if "vulnerabilities" not in found:
        return 0, f"Not audited: npm does not tell of {folder.name} ({found.get('message', 'no reason')})."
    lines = [f"{name} of {folder.name}: {one['severity']}" for name, one in found["vulnerabilities"].items()]
    if lines:
        return 1, "\n".join(
            [*sorted(lines), f"Raise them in {folder.name}/package.json, or by `npm update`."]
        )
    return 0, f"No known vulnerability in {found['metadata']['dependencies']['total']} packages of npm."


def _unreachable(osv: str) -> str | None:
    try:
        httpx.post(osv, json=_ASKED, timeout=_ANSWER_SECONDS).raise_for_status()
    except httpx.HTTPError as error:
        return type(error).__name__
    return None


def main() -> int:
    """Audit the lock that holds all others, and that of the sandbox's page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--osv", default=OSV, help="address that answers as OSV does")
    parser.add_argument("--lock", type=Path, default=ROOT / DEV)
    asked = parser.parse_args()
    found = [audit(asked.lock, asked.osv), audit_page(PAGE)]
    sys.stdout.writelines(f"{words}\n" for _, words in found)
    return max(code for code, _ in found)


if __name__ == "__main__":
    sys.exit(main())
