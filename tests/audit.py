"""`python -m tests.audit`: are there known vulnerabilities in what is locked? Asks OSV by pip-audit.

Exit code 1 when there are, or when pip-audit itself fails; 0 when OSV cannot be reached, and then it says so.
"""

import argparse
import json
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

import httpx

from tests.locks import DEV, ROOT

OSV = "https://api.osv.dev/v1/query"
_ANSWER_SECONDS = 10
_MOST_SECONDS = 120.0
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


def _unreachable(osv: str) -> str | None:
    try:
        httpx.post(osv, json=_ASKED, timeout=_ANSWER_SECONDS).raise_for_status()
    except httpx.HTTPError as error:
        return type(error).__name__
    return None


def main() -> int:
    """Audit the lock that holds all others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--osv", default=OSV, help="address that answers as OSV does")
    parser.add_argument("--lock", type=Path, default=ROOT / DEV)
    asked = parser.parse_args()
    code, words = audit(asked.lock, asked.osv)
    sys.stdout.write(f"{words}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
