"""The certificates that HTTPS is trusted by: read once in a process, some 40 ms, and not for each call."""

import ssl
from functools import cache

import httpx


@cache
def authorities() -> ssl.SSLContext:
    """Those of httpx, for its clients and its single calls."""
    return httpx.create_ssl_context()


@cache
def of_the_machine() -> ssl.SSLContext:
    """Those of the machine, for what trusts them where it is given none: slack_sdk."""
    return ssl.create_default_context()
