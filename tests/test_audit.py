"""The audit of what is locked: what it finds fails, what it cannot look up does not and is said."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.audit import audit

FOUND = {"id": "PYSEC-2026-1", "summary": "It leaks.", "schema_version": "1.0.0"}


class Osv(BaseHTTPRequestHandler):
    """Answers as OSV does: of `leaky` it knows something."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        package = asked["package"]["name"]
        affected = {
            "package": {"name": package, "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
        known = {"vulns": [FOUND | {"affected": [affected]}]} if package == "leaky" else {}
        self.send_response(200)
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
