"""A relay between a client and a server that can fall silent: nothing comes any more, nothing is closed."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Relay:
    """Passes on what comes to `port`; each connection until it is silenced."""

    def __init__(self, listener: socket.socket, server: tuple[str, int]) -> None:
        self.port: int = listener.getsockname()[1]
        self.sockets: list[socket.socket] = []
        self._listener, self._server = listener, server
        self._silent: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """What comes by the connections of now goes nowhere, but for their end; later ones are passed on."""
        self._silent |= set(self.sockets)

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(self._server)
                self.sockets += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while content := one.recv(65_536):
                if one not in self._silent:
                    other.sendall(content)
            other.shutdown(socket.SHUT_WR)


@contextmanager
def relay(url: str) -> Iterator[Relay]:
    """A relay before the server at this address, for the length of the block."""
    where = urlsplit(url)
    assert where.hostname is not None
    assert where.port is not None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        between = Relay(listener, (where.hostname, where.port))
        try:
            yield between
        finally:
            for one in between.sockets:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
