"""costbot's processes while everybody refuses them and repeats what they send: no secret is shown or kept."""

import os
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import httpx
import pytest
import redis

from bot.sandbox.client import NO_AUTHORITIES
from tests import factories
from tests.e2e.tree import PATIENCE, ProcessTree, wait_until
from tests.parrot import LOGIN, SLACK, parrot
from tests.ports import free_ports
from tests.servers import PostgresServer, RedisServer
from tests.workflow.everything import raw
from workflow.database import Database
from workflow.settings import Settings

PASSWORD = "planted database password"
SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-planted-bot-token",
    "SLACK_APP_TOKEN": "xapp-planted-app-token",
    "SLACK_SIGNING_SECRET": "planted-signing-secret",
    "SLACK_CLIENT_SECRET": "planted-client-secret",
    "COSTBOT_DATABASE_PASSWORD": PASSWORD,
    "COSTBOT_REDIS_PASSWORD": "planted-redis-password",
    "COSTBOT_METRICS_TOKEN": "planted-metrics-token",
    "COSTBOT_PROCORE_CLIENT_SECRET": 'planted "Procore" \\ secret',
    "COSTBOT_PROCORE_WEBHOOK_SECRET": "planted-webhook-secret",
    "COSTBOT_SAGE_ODBC": "DRIVER=Timberline;UID=sage;PWD=planted-odbc-password",
    "COSTBOT_INSTALLATIONS_URL": "postgresql://costbot:planted-installs-password@127.0.0.1:9/installs",
}


def test_every_secret_setting_is_planted() -> None:
    secret = {str(field.validation_alias) for field in Settings.model_fields.values() if not field.repr}
    assert secret - {"COSTBOT_DATABASE_URL", "COSTBOT_REDIS_URL"} == SECRETS.keys()


@pytest.fixture
def database_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database that asks for the planted password; the address is without it."""
    postgres_server.add_user("planter", PASSWORD)
    with postgres_server.database(template="template", owner="planter") as url:
        postgres_server.execute("GRANT pg_read_all_data, pg_write_all_data TO planter")
        yield url


@pytest.fixture
def redis_user(redis_server: RedisServer, redis_client: redis.Redis) -> Iterator[str]:
    """The address of Redis for somebody who has to give the planted password, and is without it."""
    password = SECRETS["COSTBOT_REDIS_PASSWORD"]
    redis_client.acl_setuser(
        "planter", enabled=True, passwords=[f"+{password}"], keys=["*"], channels=["*"], categories=["+@all"]
    )
    yield redis_server.url.replace("unix://", "unix://planter@")
    redis_client.acl_deluser("planter")


@pytest.mark.timeout(600)
def test_no_process_shows_or_keeps_a_secret(
    database_url: str, redis_user: str, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    (tmp_path / "sage" / "outgoing").mkdir(parents=True)
    with closing(Database(database_url)) as database, parrot() as (address, asked):
        with database.writing() as session:
            job, approver = factories.job(session), factories.approver(session)
            factories.standard_list(session)
            factories.requested(session, job=job, by=approver)
        settings = SECRETS | {
            "PATH": os.environ["PATH"],
            "SLACK_API_URL": address + SLACK[1:],
            "COSTBOT_CHANNEL": "C1",
            "COSTBOT_DATA_DIR": str(tmp_path / "data"),
            "COSTBOT_DATABASE_URL": database_url.replace("postgres@", "planter@"),
            "COSTBOT_REDIS_URL": redis_user,
            "COSTBOT_HTTP_PORT": str(port),
            "COSTBOT_LOG_LEVEL": "debug",
            "COSTBOT_SAGE": "import-file",
            "COSTBOT_SAGE_FOLDER": str(tmp_path / "sage"),
            "COSTBOT_SOURCE": "procore",
            "COSTBOT_PROCORE_CLIENT_ID": "client",
            "COSTBOT_PROCORE_COMPANY_ID": "4001",
            "COSTBOT_PROCORE_API_URL": address,
            "COSTBOT_PROCORE_LOGIN_URL": address,
        }
        costbot = ProcessTree(tmp_path, settings)
        costbot.start("run")
        try:
            for path in (
                f"{SLACK}apps.connections.open",
                f"{SLACK}chat.postMessage",
                LOGIN,
                "/rest/v1.0/line_item_types",
            ):
                costbot.wait_for_start(partial(asked.__contains__, path), f"{path} is asked for")
            told = list(answers_of_the_bot(f"http://127.0.0.1:{port}"))
            kept = repr(raw(database))
            postgres_server.execute("ALTER ROLE planter NOLOGIN")
            postgres_server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'planter'"
            )
            log = tmp_path / "log"
            wait_until(lambda: "the scheduler cannot go on yet" in log.read_text(), "the database is missed")
        finally:
            costbot.stop()

    assert "cannot connect to Slack yet" in log.read_text()
    found = [word for word in [*SECRETS.values(), "planted"] if word in kept or word in str(told)]
    assert found == []
    assert [path for path in tmp_path.rglob("*") if path.is_file() and b"planted" in path.read_bytes()] == []


def answers_of_the_bot(url: str) -> Iterator[str]:
    """What it says to strangers, and to who may ask."""
    with httpx.Client(base_url=url, timeout=PATIENCE, verify=NO_AUTHORITIES) as stranger:
        for path in ("/healthz", "/readyz", "/metrics", "/slack/install"):
            yield stranger.get(path).text
        bearer = {"Authorization": f"Bearer {SECRETS['COSTBOT_METRICS_TOKEN']}"}
        yield stranger.get("/metrics", headers=bearer).text
        for path in ("/slack/events", "/procore/webhooks"):
            yield stranger.post(path, content="{}", headers=bearer | {"X-Slack-Signature": "v0=1"}).text
