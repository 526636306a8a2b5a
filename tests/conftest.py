"""Fixtures every test may use: a migrated database on both engines, a real Redis, a real browser.

Each test process starts what its tests ask for, once, so that parallel workers share nothing.
"""

import gc
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, Page, expect

from tests import junk
from tests.browser import PATIENCE_MILLISECONDS, chromium
from tests.order import dealt
from tests.pristine import PristineDatabase, kept_open
from tests.servers import PostgresServer, RedisServer
from tests.turns import BOTH, left_out
from workflow.database import Database, migrate

_EVERY_DATABASE = "--every-database"
_OTHER_DATABASE = "--other-database"

# the same examples in every run, and no clock in them: a busy machine fails no test
settings.register_profile(
    "costbot", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(junk.DEEP, settings.get_profile("costbot"), derandomize=False, max_examples=3_000)
settings.load_profile("costbot")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which of two ways the tests that take turns are run, where not the one that is dealt to each."""
    parser.addoption(_EVERY_DATABASE, action="store_true", help="run what takes turns both ways")
    parser.addoption(_OTHER_DATABASE, action="store_true", help="run what is left out without an option")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded and collected stays to the end: no time goes into looking for garbage in it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Three test processes a core: much of the time they wait, for processes, pages and the clock."""
    return 3 * (os.cpu_count() or 1)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Which tests are run, and in which order where several processes share them (`order.py`)."""
    if config.getoption(_OTHER_DATABASE):
        _take(config, items, left_out(items))
    elif not config.getoption(_EVERY_DATABASE) and not any("::" in argument for argument in config.args):
        _take(config, items, set(items) - left_out(items))
    if settings.get_current_profile_name() == junk.DEEP:
        for item in items:
            item.add_marker(pytest.mark.timeout(0), append=False)
    of_this_process = getattr(config, "workerinput", None)
    if of_this_process:
        items[:] = dealt(items, of_this_process["workercount"], _shared)


def _shared(item: pytest.Item) -> str | None:
    """What a test marked `long` shares with others: its module, where the mark names nothing else."""
    mark = item.get_closest_marker("long")
    return None if mark is None else str(mark.args[0] if mark.args else item.path)


def _take(config: pytest.Config, items: list[pytest.Item], taken: set[pytest.Item]) -> None:
    left = [item for item in items if item not in taken]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item in taken]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The PostgreSQL of this test process, with a migrated database named `template`; not to be killed."""
    with PostgresServer() as server:
        server.execute("CREATE DATABASE template")
        migrate(server.url_of("template"))
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """The Redis of this test process; may be flushed but not killed."""
    with RedisServer() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of an empty Redis that is this test's own."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of an empty Redis; RQ wants the answers as bytes, as they are here."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture(scope="session")
def pristine_database(postgres_server: PostgresServer) -> Iterator[PristineDatabase]:
    """The PostgreSQL database that the tests of this process use one after another."""
    with closing(PristineDatabase(postgres_server, template="template")) as database:
        yield database


@pytest.fixture
def postgres_url(pristine_database: PristineDatabase) -> Iterator[str]:
    """A migrated, empty PostgreSQL database that no other test uses meanwhile."""
    with pristine_database.lent() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every test of this process finds its SQLite file."""
    return tmp_path_factory.mktemp("sqlite") / "now"


@pytest.fixture
def sqlite_url(sqlite_template: Path, sqlite_folder: Path) -> Iterator[str]:
    """A migrated, empty SQLite file that no other test uses meanwhile."""
    sqlite_folder.mkdir()
    path = shutil.copyfile(sqlite_template, sqlite_folder / "costbot.sqlite")
    yield f"sqlite:///{path}"
    shutil.rmtree(sqlite_folder)


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database of this test's own, on SQLite or on PostgreSQL (`turns.py`)."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture(params=BOTH)
def unmigrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table, for tests of the migrations, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'unmigrated.sqlite'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with server.database(template="template0") as url:
            yield url


@pytest.fixture(scope="session")
def database_of() -> Iterator[Callable[[str], Database]]:
    """The door to an address: one for all tests, since SQLAlchemy compiles each statement once for each."""
    with ExitStack() as doors:

        def open_door(url: str) -> Database:
            return doors.enter_context(closing(Database(kept_open(url))))

        yield cache(open_door)


@pytest.fixture
def database(database_url: str, database_of: Callable[[str], Database]) -> Iterator[Database]:
    """`workflow`'s own door to `database_url`."""
    with lent(database_of(database_url)) as database:
        yield database


@contextmanager
def lent(database: Database) -> Iterator[Database]:
    """A door that all tests share, for one; to SQLite's file, which is new each time, it is closed."""
    yield database
    if database.engine.dialect.name == "sqlite":
        database.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; each `page` has a context of its own."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page with cookies and storage of its own."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context.new_page()
    context.close()
