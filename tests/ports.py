"""Ports of loopback for servers that are started soon: each is given to one of all who ask, in any process.

The processes of the tests choose at the same time, and some start what listens only half a minute later: with
one port two companies would have one bot, which takes what is signed for either.
"""

import atexit
import random
import socket
from contextlib import suppress

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Below those that the machine lends to whoever connects: one is still free when it is listened on."""


def free_ports(count: int) -> list[int]:
    """So many ports that nobody listens on, and that nobody else is given as long as this process lives."""
    free: list[int] = []
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        if len(free) == count:
            return free
        if _is_ours(port):
            free.append(port)
    assert len(free) == count, "no port is left"
    return free


def _is_ours(port: int) -> bool:
    # the same port of UDP, of which nobody has a use, is the sign that it is given; it ends with the process
    sign = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with suppress(OSError):
        sign.bind((HOST, port))
        with socket.create_server((HOST, port)):
            atexit.register(sign.close)
            return True
    sign.close()
    return False
