"""Two companies at work: a small office on embedded defaults, a head office on servers of its own.

Each test has jobs of its own in them; a test that kills something has an office that others do not share.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from bot.sandbox import workspace
from tests.collector import Collector, collecting
from tests.e2e.office import Office, at_work
from tests.servers import PostgresServer, RedisServer
from tests.turns import OFFICES

_HERE = Path(__file__).parent
OpenOffice = Callable[[str], AbstractContextManager[Office]]
in_small_office = pytest.mark.parametrize("office", OFFICES[:1], indirect=True)
in_head_office = pytest.mark.parametrize("office", OFFICES[1:], indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is long, and the tests of one office are kept together, whatever their modules are."""
    for item in items:
        if _HERE in item.path.parents:
            case = getattr(item, "callspec", None)
            item.add_marker(pytest.mark.long(case.params.get("office", item.path) if case else item.path))


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Where the small offices send their traces."""
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="session")
def open_office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> OpenOffice:
    """Opens an office: `small office` or `head office`."""

    @contextmanager
    def small() -> Iterator[Office]:
        """SQLite, an embedded Redis and Socket Mode, traced."""
        settings = {
            "COSTBOT_CHANNEL": f"#{workspace.CHANNEL_NAME}",
            "SLACK_APP_TOKEN": workspace.APP_TOKEN,
        }
        collector: Collector = request.getfixturevalue("collector")
        with at_work(tmp_path_factory.mktemp("small"), settings, traces_to=collector.address) as office:
            yield office

    @contextmanager
    def head() -> Iterator[Office]:
        """PostgreSQL, a Redis server and HTTP mode."""
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        with postgres.database(template="template") as database_url, RedisServer() as redis:
            settings = {
                "COSTBOT_DATABASE_URL": database_url,
                "COSTBOT_REDIS_URL": redis.url,
                "COSTBOT_CHANNEL": workspace.CHANNEL_ID,
                "SLACK_SIGNING_SECRET": workspace.SIGNING_SECRET,
            }
            with at_work(tmp_path_factory.mktemp("head"), settings, redis) as office:
                yield office

    kinds = dict(zip(OFFICES, (small, head), strict=True))
    return lambda kind: kinds[kind]()


@pytest.fixture(scope="session", params=OFFICES)
def office(request: pytest.FixtureRequest, open_office: OpenOffice) -> Iterator[Office]:
    """The same test in either office; nothing in them may be killed."""
    with open_office(request.param) as office:
        yield office
