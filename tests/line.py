"""The command line in the process of the tests, for what a command does and not how its process does."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import structlog
from typer.main import get_command

from bot.cli import app
from workflow import masking


@cache
def costbot() -> Callable[..., Any]:
    """All of `costbot`, which Typer would put together anew for each run."""
    return get_command(app)


@contextmanager
def logs_as_before() -> Iterator[None]:
    """A command sets up logs for its process, which here is the tests' own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    masking.hide_nothing()
