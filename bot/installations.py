"""Where the app is installed, on a host for many: each workspace's token, kept fresh, forgotten at the end.

Owns the database of installations (slack_sdk's own SQLAlchemy stores) and the rotation of tokens
(docs.slack.dev/authentication/using-token-rotation): a refresh token is good once, so one process rotates
at a time and the others use what it got.
"""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError, SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore
from slack_sdk.oauth.token_rotation import TokenRotator
from sqlalchemy import Row, delete, select
from sqlalchemy.engine import make_url

from bot.gateway import Gateway, web_client
from bot.slack_answers import SlackRefused, SlackUnavailable
from workflow.database import Database
from workflow.settings import Settings, SettingsError

ROTATE_MINUTES = 120
"""A token is rotated so long before it expires; Slack's live for twelve hours."""
STATE_SECONDS = 600
"""How long an install may take, from the page to the way back."""
_AT_ONCE = 10**6
_LOCK_SECONDS = 20.0
_log = structlog.get_logger()


class _States(SQLAlchemyOAuthStateStore):
    """Installs that were begun. Anybody may begin one, and the SDK keeps for good what nobody finishes."""

    def issue(self, *args: object, **more: object) -> str:
        """Begin one, and forget those whose time is over."""
        now = datetime.now(UTC).replace(tzinfo=None)  # as the SDK keeps it
        with self.engine.begin() as connection:
            connection.execute(delete(self.oauth_states).where(self.oauth_states.c.expire_at <= now))
        return super().issue(*args, **more)


class Installations:
    """The installations of one Slack app. Safe to share between threads and processes."""

    def __init__(self, settings: Settings) -> None:
        """Open the database, and make its tables where they are missing.

        Raises:
            SettingsError: the Slack app's client id or secret is missing.
        """
        if settings.slack_client_id is None or settings.slack_client_secret is None:
            raise SettingsError(
                "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are needed to host many companies: copy both from "
                "the Slack app's page, Basic Information, App Credentials."
            )
        self.client_id = settings.slack_client_id
        self.client_secret = settings.slack_client_secret.get_secret_value()
        self.client = web_client("", settings.slack_api_url)
        _make_private(settings.installations)
        self._database = Database(settings.installations)
        self.store = SQLAlchemyInstallationStore(self.client_id, self._database.writer)
        self.states = _States(STATE_SECONDS, self._database.writer)
        with self._database.exclusive("installations", wait_seconds=_LOCK_SECONDS):
            self.store.metadata.create_all(self._database.writer)
            self.states.metadata.create_all(self._database.writer)
        self._rotator = TokenRotator(
            client_id=self.client_id, client_secret=self.client_secret, client=self.client
        )

    def find(self, team: str) -> Bot | None:
        """The newest installation in a workspace (T…) or an organisation (E…)."""
        row = self._newest(team)
        if row is None:
            return None
        return self.store.find_bot(
            enterprise_id=row.enterprise_id,
            team_id=None if is_organisation(team) else team,
            is_enterprise_install=is_organisation(team),
        )

    def installed_at(self, team: str) -> float:
        """When the newest installation was made (Unix seconds); 0 without one."""
        row = self._newest(team)
        return _unix(row.installed_at) if row else 0.0

    def token(self, team: str, expired: str | None = None) -> str:
        """The token in force, rotated when its time comes, or when Slack has called it `expired`.

        Raises SlackRefused (`not_installed` without an installation) or SlackUnavailable.
        """
        bot = self._installed(team)
        if not _is_due(bot, expired):
            return bot.bot_token
        with self._database.exclusive(f"rotate-{team}", wait_seconds=_LOCK_SECONDS) as held:
            bot = self._installed(team)
            if not _is_due(bot, expired):
                return bot.bot_token
            if held:
                return self._rotated(bot, expired)
            if _is_still_good(bot, expired):
                return bot.bot_token
            raise SlackUnavailable(f"another process is rotating the token of {team} for too long")

    def forget(self, team: str, *, installed_before: float | None = None) -> bool:
        """Drop a workspace's tokens; False when there are none, or the newest is younger (Unix seconds)."""
        # a rotation that is under way would bring it back
        with self._database.exclusive(f"rotate-{team}", wait_seconds=_LOCK_SECONDS):
            newest = self._newest(team)
            if newest is None or (
                installed_before is not None and _unix(newest.installed_at) > installed_before
            ):
                return False
            with self._database.writer.begin() as connection:
                for table in (self.store.bots, self.store.installations):
                    connection.execute(
                        delete(table).where(
                            table.c.client_id == self.client_id,
                            table.c.enterprise_id.is_not_distinct_from(newest.enterprise_id),
                            table.c.team_id.is_not_distinct_from(newest.team_id),
                            # one that comes at this moment stays
                            table.c.installed_at <= newest.installed_at,
                        )
                    )
            return True

    def revoke(self, installation: Installation) -> None:
        """Give back a token that is not wanted, as well as Slack takes it."""
        with suppress(SlackApiError, OSError):
            self.client.auth_revoke(token=installation.bot_token)

    def close(self) -> None:
        self._database.close()

    def _newest(self, team: str) -> Row[Any, Any, Any] | None:
        bots = self.store.bots.c
        mine = bots.enterprise_id if is_organisation(team) else bots.team_id
        # a workspace of an Enterprise Grid is kept under both ids, and only one is known here
        newest = (
            select(bots.enterprise_id, bots.team_id, bots.installed_at)
            .where(bots.client_id == self.client_id, mine == team)
            .where(bots.is_enterprise_install.is_(is_organisation(team)))
            .order_by(bots.installed_at.desc())
            .limit(1)
        )
        with self._database.engine.connect() as connection:
            return connection.execute(newest).first()

    def _installed(self, team: str) -> Bot:
        bot = self.find(team)
        if bot is None:
            raise SlackRefused("oauth", "not_installed", (f"costbot is not installed in {team}",))
        return bot

    def _rotated(self, bot: Bot, expired: str | None) -> str:
        early = _AT_ONCE if bot.bot_token == expired else ROTATE_MINUTES
        try:
            fresh = self._rotator.perform_bot_token_rotation(bot=bot, minutes_before_expiration=early)
        except SlackTokenRotationError as error:
            code = str(error.api_error.response.get("error") or "")
            if _is_still_good(bot, expired):
                _log.warning("a token could not be rotated yet", team=bot.team_id, error=code)
                return bot.bot_token
            raise SlackRefused("oauth.v2.access", code or "invalid_refresh_token") from error
        except OSError as error:
            if _is_still_good(bot, expired):
                return bot.bot_token
            raise SlackUnavailable(f"oauth.v2.access got no answer: {error}") from error
        if fresh is None:
            return bot.bot_token
        self.store.save_bot(fresh)
        _log.info("a token was rotated", team=bot.team_id or bot.enterprise_id)
        return fresh.bot_token


@contextmanager
def connected(settings: Settings) -> Iterator[Gateway]:
    """The gateway to the company's workspace: with its token of the settings, or of the install.

    Raises SettingsError where the settings have neither.
    """
    if settings.companies is None:
        yield Gateway.connect(settings)
        return
    with closing(Installations(settings)) as installations:
        yield gateway_of(settings, installations)


def gateway_of(settings: Settings, installations: Installations) -> Gateway:
    """The gateway to a company's workspace with the token that was installed there, as of each call."""
    tokens = partial(installations.token, settings.slack_team or "")
    return Gateway(web_client("", settings.slack_api_url), tokens=tokens)


def is_organisation(team: str) -> bool:
    """Whether an id is that of an Enterprise Grid organisation."""
    return team.startswith("E")


def _is_due(bot: Bot, expired: str | None) -> bool:
    if bot.bot_token_expires_at is None:
        return False
    return bot.bot_token == expired or bot.bot_token_expires_at <= time.time() + ROTATE_MINUTES * 60


def _is_still_good(bot: Bot, expired: str | None) -> bool:
    return bot.bot_token != expired and (bot.bot_token_expires_at or 0) > time.time()


def _unix(at: datetime) -> float:
    """A time as the SDK keeps it, in Unix seconds."""
    return at.replace(tzinfo=UTC).timestamp()


def _make_private(url: str) -> None:
    """The tokens in a SQLite file are for costbot's own user alone."""
    where = make_url(url)
    if where.get_backend_name() == "sqlite" and where.database:
        file = Path(where.database)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
