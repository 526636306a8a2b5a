"""How Slack is reached, for one company or for many, and where its messages go."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings

from workflow.settings.values import a_slack_team, a_web_address, prefixed, usable_database_url, written

BURST = 10


class SlackSettings(BaseSettings):
    """How Slack is reached, for one company or for many, and where its messages go."""

    slack_bot_token: Annotated[SecretStr, prefixed("xoxb-")] | None = Field(
        None,
        repr=False,
        validation_alias="SLACK_BOT_TOKEN",
        description="Bot token (xoxb-…) of the Slack app.",
    )
    slack_app_token: Annotated[SecretStr, prefixed("xapp-")] | None = Field(
        None,
        repr=False,
        validation_alias="SLACK_APP_TOKEN",
        description="App-level token (xapp-…): switches Socket Mode on.",
    )
    slack_signing_secret: SecretStr | None = Field(
        None,
        repr=False,
        validation_alias="SLACK_SIGNING_SECRET",
        description="Signing secret: switches HTTP mode on (`POST /slack/events`).",
    )
    slack_api_url: Annotated[str, AfterValidator(a_web_address)] = Field(
        "https://slack.com/api/",
        validation_alias="SLACK_API_URL",
        description="Slack's Web API, or any Slack-compatible server for trials.",
    )
    channel: str | None = Field(
        None,
        validation_alias="COSTBOT_CHANNEL",
        description="Where job cards go: a channel id (C…) or #name.",
    )
    burst: int = Field(
        BURST,
        ge=2,
        validation_alias="COSTBOT_BURST",
        description="When so many jobs become Ready to Update at once, one message tells the channel first.",
    )
    companies: Path | None = Field(
        None,
        validation_alias="COSTBOT_COMPANIES",
        description="Host for many companies: a folder with one sub-folder each (docs/many-workspaces.md).",
    )
    company: str | None = Field(
        None,
        validation_alias="COSTBOT_COMPANY",
        description="On a host for many: the company that a command works on, as `--company` does.",
    )
    slack_team: Annotated[str, written(a_slack_team)] | None = Field(
        None,
        validation_alias="COSTBOT_SLACK_TEAM",
        description="In a company's `.env`: its Slack workspace (T…), or Enterprise Grid organisation (E…).",
    )
    slack_client_id: str | None = Field(
        None,
        validation_alias="SLACK_CLIENT_ID",
        description="Client ID of the Slack app, for installing it in many workspaces.",
    )
    slack_client_secret: SecretStr | None = Field(
        None,
        repr=False,
        validation_alias="SLACK_CLIENT_SECRET",
        description="Client Secret of the Slack app, likewise.",
    )
    installations_url: Annotated[str, AfterValidator(usable_database_url)] | None = Field(
        None,
        repr=False,
        validation_alias="COSTBOT_INSTALLATIONS_URL",
        description="Database of the workspaces' tokens. Default: a SQLite file in the host's data folder.",
    )

    @property
    def reaches_slack(self) -> bool:
        """Whether there is a token, or a place where the install puts it."""
        return self.slack_bot_token is not None or self.companies is not None
