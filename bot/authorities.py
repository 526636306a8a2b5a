"""The certificates that HTTPS is trusted by."""

import ssl
from functools import cache

import httpx


@cache
def authorities() -> ssl.SSLContext:
    """Those of httpx, which would read them all, some 40 ms, for each client and each single call."""
    return httpx.create_ssl_context()
