"""Secrets among the settings: read from files, and what of each is to be hidden.

`NAME_FILE` names a file that holds what NAME would, as images of servers do. What a file holds is never in an
error.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote

from pydantic import SecretStr

SUFFIX = "_FILE"
_ODBC_PASSWORD = re.compile(
    r"\b(?:PWD|Password)\s*=\s*(?:\{(?P<braced>(?:[^}]|\}\})*)\}|(?P<plain>[^;]+))", re.IGNORECASE
)


class SecretFileError(Exception):
    """A line for each file that is not usable, with the mend."""


def read_secrets(names: Iterable[str], variables: Mapping[str, str | None], folder: Path) -> dict[str, str]:
    """The secrets by their names; `variables` are by lower case, and a path may begin at `folder`.

    An empty file is a secret that is not set, so that a container may always be given all of them.

    Raises:
        SecretFileError: a file cannot be read, or holds more than one line, or the secret is set too.
    """
    found: dict[str, str] = {}
    wrong: list[str] = []
    for name in names:
        path = variables.get((name + SUFFIX).lower())
        if not path:
            continue
        try:
            secret = _only_line(folder / path)
        except OSError as error:
            wrong.append(f"{name}{SUFFIX} is not usable: {path}: {error.strerror}.")
        except ValueError:
            wrong.append(f"{name}{SUFFIX} is not usable: {path} must be one line of UTF-8 text.")
        else:
            if secret and variables.get(name.lower()):
                wrong.append(f"{name} and {name}{SUFFIX} are both set: remove one.")
            elif secret:
                found[name] = secret
    if wrong:
        raise SecretFileError("\n".join(wrong))
    return found


def secrets_in(value: SecretStr | str | None) -> Iterator[str]:
    """What is to be hidden of a secret setting: all of it, of an address its password alone."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
        for found in _ODBC_PASSWORD.finditer(value.get_secret_value()):
            if found["plain"] is not None:
                yield found["plain"].strip()
            else:
                yield from (found["braced"], found["braced"].replace("}}", "}"))
    elif value is not None:
        # by hand, for a password that is not quoted may hold what breaks an address apart elsewhere
        credentials, _, rest = value.partition("://")[2].rpartition("@")
        name, _, password = credentials.partition(":")
        yield from parse_qs(rest.partition("?")[2]).get("password", ())
        if password and "/" not in name:
            yield from (password, unquote(password))


def _only_line(path: Path) -> str:
    text = path.read_text(encoding="utf-8-sig").rstrip("\r\n")
    if any(mark in text for mark in "\r\n\0"):
        raise ValueError
    return text
