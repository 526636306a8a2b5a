"""What costbot needs before its processes run: database, Redis, and who keeps several of them running."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module

from sqlalchemy.orm import configure_mappers

from bot.commands.command import StopError, failed
from bot.commands.opening import open_database
from bot.processes import Family
from workflow.settings import Settings

_OF_ALL = ("bot.bot_process", "bot.delivery", "sync.embedded_redis", "sync.worker")
"""What is imported once for all of a family."""


@contextmanager
def family_on(companies: Collection[Settings]) -> Iterator[Family]:
    """A family of `costbot`s for these companies, each with its database made ready and a Redis running."""
    for name in _OF_ALL:
        import_module(name)
    configure_mappers()
    for settings in companies:
        open_database(settings).close()
    with ExitStack() as stack:
        # made before Redis, which is kept by a thread, and stopped before it too
        family = stack.enter_context(closing(Family(_costbot)))
        for settings in companies:
            stack.enter_context(redis_running(settings))
        yield stack.enter_context(closing(family))


def _costbot() -> None:
    """Be `costbot` as `sys.argv` says; found by name, since the command line is built of this module."""
    import_module("bot.cli").main()


@contextmanager
def ready_to_run(settings: Settings) -> Iterator[None]:
    """The database made ready, and a Redis running."""
    open_database(settings).close()
    with redis_running(settings):
        yield


@contextmanager
def redis_running(settings: Settings) -> Iterator[None]:
    """The embedded Redis, where no other is set."""
    from sync.embedded_redis import EmbeddedRedisError, embedded_redis

    try:
        with embedded_redis(settings):
            yield
    except EmbeddedRedisError as error:
        raise StopError(failed(str(error))) from error
