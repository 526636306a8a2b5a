"""A Procore look-alike on a socket, a client of it, and a clock that both go by."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bot.procore_webhooks import webhook_route
from bot.sandbox.procore.app import CLIENT_ID, CLIENT_SECRET, Procore, create_procore
from bot.sandbox.procore.company import Company
from bot.sandbox.procore.limits import Limits
from bot.sandbox.server import running
from sync.procore import work
from sync.procore.budget import Budget, SharedBudget
from sync.procore.client import Account, ProcoreClient
from sync.procore.limits import Told
from tests.sync.procore.company import Kestrel
from workflow.database import Database
from workflow.settings import Settings, Source

SECRET = "long-and-random-0123456789"


class Clock:
    """A time that moves when somebody waits."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
        self.waits: list[float] = []

    def __call__(self) -> datetime:
        return self.at

    def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds)

    def unix(self) -> float:
        return self.at.timestamp()


class NoBudget:
    """Lets every call pass, and keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    def take(self) -> datetime | None:
        return None

    def heed(self, told: Told) -> None:
        self.told.append(told)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def nobody_really_waits(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its tries the periodic work waits as everybody here does."""
    monkeypatch.setattr(work, "time", SimpleNamespace(sleep=clock.pause))


MakeProcore = Callable[..., tuple[Procore, Account]]


@pytest.fixture
def make_procore(clock: Clock) -> Iterator[MakeProcore]:
    with ExitStack() as stack:

        def make(limits: Limits | None = None) -> tuple[Procore, Account]:
            # a limit of a spike is what its own tests are about
            made = create_procore(
                Company(clock=clock.unix), limits=limits or Limits(spike=10_000), pause=clock.pause
            )
            stack.callback(made.webhooks.close)
            address = stack.enter_context(running(made.app)) + "/"
            secret = SecretStr(CLIENT_SECRET)
            return made, Account(made.company.id, CLIENT_ID, secret, address, address)

        yield make


@pytest.fixture
def served(make_procore: MakeProcore) -> tuple[Procore, Account]:
    return make_procore()


@pytest.fixture
def procore(served: tuple[Procore, Account]) -> Procore:
    return served[0]


@pytest.fixture
def account(served: tuple[Procore, Account]) -> Account:
    return served[1]


def client_of(
    account: Account, clock: Clock, budget: Budget | None = None, patience: timedelta = timedelta(seconds=30)
) -> ProcoreClient:
    return ProcoreClient(account, budget or NoBudget(), clock=clock, pause=clock.pause, patience=patience)


def shared(database: Database, clock: Clock, *, share: float = 0.5, usual_limit: int = 3600) -> SharedBudget:
    return SharedBudget(database, 4001, share, usual_limit, clock)


@pytest.fixture
def client(account: Account, clock: Clock) -> Iterator[ProcoreClient]:
    with client_of(account, clock) as made:
        yield made


@pytest.fixture
def kestrel(procore: Procore, database: Database, client: ProcoreClient, clock: Clock) -> Kestrel:
    return Kestrel(procore, database, client, clock)


@pytest.fixture
def settings(account: Account, database_url: str) -> Settings:
    return Settings(
        _env_file=None,
        source=Source.PROCORE,
        database_url=database_url,
        procore_client_id=CLIENT_ID,
        procore_client_secret=SecretStr(CLIENT_SECRET),
        procore_company_id=account.company_id,
        procore_api_url=account.api_url,
        procore_login_url=account.login_url,
        procore_webhook_secret=SecretStr(SECRET),
    )


@dataclass
class Door:
    """Where Procore's webhooks arrive; shut, it answers none of them."""

    app: Starlette
    address: str = ""
    is_open: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.is_open or scope["type"] != "http":
            await self.app(scope, receive, send)
        else:
            await PlainTextResponse("out of order", 503)(scope, receive, send)


@pytest.fixture
def door(kestrel: Kestrel, clock: Clock) -> Iterator[Door]:
    route = webhook_route(
        secret=SECRET,
        company_id=kestrel.procore.company.id,
        database=kestrel.database,
        nudge=lambda _: None,
        clock=clock,
    )
    made = Door(Starlette(routes=[route]))
    with running(made) as url:
        made.address = f"{url}/procore/webhooks"
        yield made


@pytest.fixture
def address(door: Door) -> str:
    return door.address
