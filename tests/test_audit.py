"""The audit of what is locked: what it finds fails, what it cannot look up does not and is said."""

import gzip
import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.audit import audit, audit_page

FOUND = {"id": "PYSEC-2026-1", "summary": "It leaks.", "schema_version": "1.0.0"}


def _known(asked: dict[str, Any]) -> dict[str, Any]:
    """What OSV tells of a package."""
    package = asked["package"]["name"]
    affected = {
        "package": {"name": package, "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
    }
    return {"vulns": [FOUND | {"affected": [affected]}]} if package == "leaky" else {}


def _advisories(asked: dict[str, list[str]]) -> dict[str, Any]:
    """What npm's registry tells of packages."""
    leak = {"id": 1, "title": "It leaks.", "url": "", "severity": "high", "vulnerable_versions": "<1.1"}
    return {name: [leak | {"cwe": [], "cvss": {"score": 0}}] for name in asked if name == "leaky"}


class Osv(BaseHTTPRequestHandler):
    """Answers as OSV does, and as npm's registry does: of `leaky` they know something."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        by_npm = self.headers["Content-Encoding"] == "gzip"
        known = _advisories(json.loads(gzip.decompress(body))) if by_npm else _known(json.loads(body))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(known).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def osv() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Osv) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "some.lock"
    path.write_text(f"sound==2.0 \\\n    --hash=sha256:{'0' * 64}\n")
    return path


def test_what_is_sound_passes(lock: Path, osv: str) -> None:
    assert audit(lock, osv) == (0, "No known vulnerability in 1 packages.")


def test_a_known_vulnerability_fails_and_is_named(lock: Path, osv: str) -> None:
    lock.write_text(f"{lock.read_text()}leaky==1.0 \\\n    --hash=sha256:{'1' * 64}\n")

    code, words = audit(lock, osv)

    assert code == 1
    assert words.startswith("leaky 1.0: PYSEC-2026-1, mended in 1.1\n")


def test_what_cannot_be_looked_up_is_said_and_does_not_fail(lock: Path) -> None:
    nowhere = "http://127.0.0.1:9/v1/query"

    assert audit(lock, nowhere) == (0, f"Not audited: {nowhere} cannot be reached (ConnectError).")


def test_a_lock_that_cannot_be_read_is_no_matter_of_the_network(lock: Path, osv: str) -> None:
    lock.write_text("sound>=2\n")

    code, words = audit(lock, osv)

    assert code == 1
    assert "pip-audit failed" in words


def page(folder: Path, package: str) -> Path:
    """A folder `page` whose lock has one package of npm."""
    at = {"version": "1.0.0", "resolved": f"https://registry.npmjs.org/{package}/-/{package}-1.0.0.tgz"}
    asked = {"name": "page", "dependencies": {package: "^1.0.0"}}
    packages = {"": asked, f"node_modules/{package}": at}
    made = folder / "page"
    made.mkdir()
    (made / "package.json").write_text(json.dumps(asked))
    lock = {"name": "page", "lockfileVersion": 3, "requires": True, "packages": packages}
    (made / "package-lock.json").write_text(json.dumps(lock))
    return made


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("sound", (0, "No known vulnerability in 1 packages of npm.")),
        ("leaky", (1, "leaky of page: high\nRaise them in page/package.json, or by `npm update`.")),
    ],
)
def test_what_npm_knows_of_the_page_is_told(
    tmp_path: Path, osv: str, package: str, expected: tuple[int, str]
) -> None:
    registry = osv.removesuffix("/v1/query")

    assert audit_page(page(tmp_path, package), registry) == expected


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_a_page_that_npm_cannot_look_up_is_said_and_one_without_a_lock_fails(tmp_path: Path) -> None:
    folder = page(tmp_path, "sound")
    code, words = audit_page(folder, "http://127.0.0.1:9")
    assert (code, words.partition(" (")[0]) == (0, "Not audited: npm does not tell of page")
    assert "ECONNREFUSED" in words

    (folder / "package-lock.json").unlink()
    code, words = audit_page(folder, "http://127.0.0.1:9")
    assert (code, words.partition(":")[0]) == (1, "npm audit of page failed")


def test_without_npm_the_page_is_not_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert audit_page(tmp_path) == (0, f"Not audited: npm, for {tmp_path.name}, is not installed.")
