"""Text of anybody's as both databases can hold it."""


def storable(text: str) -> str:
    """The text with U+FFFD in place of NUL and of halves of characters."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
