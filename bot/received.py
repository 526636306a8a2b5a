"""The body of a request, as far as it may be long."""

from starlette.requests import Request


async def body_of(request: Request, *, at_most: int) -> bytes | None:
    """The body, or None as soon as it is longer, whatever its `Content-Length` promised."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > at_most:
            return None
    return bytes(received)
