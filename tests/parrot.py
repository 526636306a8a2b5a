"""A server that is nobody's friend: it refuses what it is asked, and repeats all of it, secrets included.

Speaks for Slack and for Procore, whose login alone it plays as it should.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCESS_TOKEN = "planted-access-token"
LOGIN = "/oauth/token"
SLACK = "/api/"


@contextmanager
def parrot() -> Iterator[tuple[str, set[str]]]:
    """Its address, which ends with a slash, and the paths that it was asked for so far."""
    asked: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("latin-1")
            asked.add(self.path.partition("?")[0])
            said = f"{self.headers.get('Authorization', '')} {body}"
            if self.path == LOGIN:
                self._answer(200, {"access_token": ACCESS_TOKEN, "expires_in": 5400})
            elif self.path.startswith(SLACK):
                messages = [f"[ERROR] {said}"]
                self._answer(
                    200,
                    {
                        "ok": False,
                        "error": said.replace(" ", "_"),
                        "response_metadata": {"messages": messages},
                    },
                )
            else:
                self._answer(403, {"errors": said})

        do_GET = do_PATCH = do_DELETE = do_PUT = do_POST  # noqa: N815 - as the server calls them

        def log_message(self, *_: object) -> None:
            """Nothing: the tests look at what costbot says."""

        def _answer(self, status: int, content: object) -> None:
            answer = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
