"""The settings of a company at work, as the entry points of the worker read them."""

from pathlib import Path

import pytest

from sync.sage import embedded_company
from tests.sync import company_at_work as work
from workflow.database import Database
from workflow.settings import Settings, read_settings


@pytest.fixture
def settings(database: Database, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings that entry points read; a Sage company knows the jobs."""
    monkeypatch.setenv("COSTBOT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("COSTBOT_DATABASE_URL", database.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("COSTBOT_REDIS_URL", redis_url)
    settings = read_settings()
    work.set_up(database, embedded_company(settings))
    return settings
