"""Every setting of costbot, in one class, read from the environment, from `.env` and from files of secrets.

A field that is not shown (`repr=False`) is a secret, and may come from a file. Built once by the entry
point and passed down. `read_settings` turns each mistake into one line that names the variable and the mend.
"""

import os
import tempfile
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal, cast
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy.engine import make_url

from workflow.calendar import (
    Calendar,
    free_days_written,
    weekdays_named,
    working_hours_written,
    zone_named,
)
from workflow.language import ENGLISH, language_named
from workflow.privileges import Rules
from workflow.secret_files import SecretFileError, read_secrets
from workflow.setting_values import (
    a_cron,
    a_path_of_one,
    a_public_address,
    a_redis_url,
    a_slack_team,
    a_web_address,
    prefixed,
    usable_database_url,
    written,
)
from workflow.waiting import Patience

BURST = 10
_SOCKET_PATH_BYTES = 103
"""What the address of a Unix socket can hold everywhere (macOS: 104 with the end mark, Linux: 108)."""


class SageTarget(StrEnum):
    """How costbot reaches Sage 300 CRE."""

    EMBEDDED = "embedded"
    IMPORT_FILE = "import-file"


class Source(StrEnum):
    """Where jobs, lists, people and what a project team adds come from."""

    FILES = "files"
    PROCORE = "procore"


class ProcoreIntake(StrEnum):
    """How what a project team adds in Procore comes in."""

    COST_CODES = "cost-codes"
    ERP_REQUESTS = "erp-requests"


class SettingsError(Exception):
    """One line a mistake, each naming the variable and how to mend it."""


class Settings(BaseSettings):
    """What a company may set; the README's table is made from these fields."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        # without it, `populate_by_name` would read the likes of DATABASE_URL and CHANNEL too
        env_prefix="COSTBOT_",
    )

    data_dir: Path = Field(
        Path("costbot-data"),
        validation_alias="COSTBOT_DATA_DIR",
        description="Folder of costbot's own files.",
    )
    database_url: Annotated[str, AfterValidator(usable_database_url)] | None = Field(
        None,
        repr=False,
        validation_alias="COSTBOT_DATABASE_URL",
        description="PostgreSQL or SQLite. Default: a SQLite file in the data folder.",
    )
    redis_url: Annotated[str, AfterValidator(a_redis_url)] | None = Field(
        None,
        repr=False,
        validation_alias="COSTBOT_REDIS_URL",
        description="Redis for the work queue. Default: one that costbot starts itself in the data folder.",
    )
    database_password: SecretStr | None = Field(
        None,
        repr=False,
        validation_alias="COSTBOT_DATABASE_PASSWORD",
        description="Password for `COSTBOT_DATABASE_URL`, where that holds none.",
    )
    redis_password: SecretStr | None = Field(
        None,
        repr=False,
        validation_alias="COSTBOT_REDIS_PASSWORD",
        description="Password for `COSTBOT_REDIS_URL`, where that holds none.",
    )
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
    channel: str | None = Field(
        None,
        validation_alias="COSTBOT_CHANNEL",
        description="Where job cards go: a channel id (C…) or #name.",
    )
    sync_cron: Annotated[str, AfterValidator(a_cron)] = Field(
        "0 * * * *",
        validation_alias="COSTBOT_SYNC_CRON",
        description="When the data sync runs: five cron fields, UTC.",
    )
    remind_cron: Annotated[str, AfterValidator(a_cron)] = Field(
        "*/10 * * * *",
        validation_alias="COSTBOT_REMIND_CRON",
        description="When costbot looks whether to remind, escalate or expire: five cron fields, UTC.",
    )
    report_cron: Annotated[str, AfterValidator(a_cron)] | None = Field(
        None,
        validation_alias="COSTBOT_REPORT_CRON",
        description="When the channel gets the report of the last seven days: five cron fields, UTC. "
        "Default: never.",
    )
    language: Annotated[str, written(language_named)] = Field(
        ENGLISH,
        validation_alias="COSTBOT_LANGUAGE",
        description="The company's language: `en` or `es`. Who has set another in Slack reads that one.",
    )
    time_zone: Annotated[str, written(zone_named)] = Field(
        "UTC",
        validation_alias="COSTBOT_TIME_ZONE",
        description="The company's time zone (IANA), such as `America/Chicago`.",
    )
    working_days: Annotated[str, written(weekdays_named)] = Field(
        "mon-fri",
        validation_alias="COSTBOT_WORKING_DAYS",
        description="The days on which people work.",
    )
    working_hours: Annotated[str, written(working_hours_written)] = Field(
        "08:00-17:00",
        validation_alias="COSTBOT_WORKING_HOURS",
        description="The hours in which people work; each reader's are in their own time zone.",
    )
    holidays: Annotated[str, written(free_days_written)] | None = Field(
        None,
        validation_alias="COSTBOT_HOLIDAYS",
        description="Days off: dates, and countries or states for their public ones: `US-CA,2026-12-24`.",
    )
    remind_after: Annotated[float, Field(gt=0)] | None = Field(
        None,
        validation_alias="COSTBOT_REMIND_AFTER",
        description="Working hours until approvers are reminded of a job. Default: one working day.",
    )
    escalate_after: Annotated[float, Field(gt=0)] | None = Field(
        None,
        validation_alias="COSTBOT_ESCALATE_AFTER",
        description="Working hours until `COSTBOT_ESCALATE_TO` hears of a job. Default: never.",
    )
    escalate_to: str | None = Field(
        None,
        validation_alias="COSTBOT_ESCALATE_TO",
        description="Who hears of a job that waits too long: e-mails, separated by commas.",
    )
    expire_after_days: Annotated[int, Field(ge=1)] | None = Field(
        None,
        validation_alias="COSTBOT_EXPIRE_AFTER_DAYS",
        description="Days until a requested update that nobody decides on expires. Default: never.",
    )
    sage: SageTarget = Field(
        SageTarget.EMBEDDED,
        validation_alias="COSTBOT_SAGE",
        description="`embedded`: a Sage company of costbot's own, for trials. `import-file`: Sage 300 CRE.",
    )
    sage_profile: Path | None = Field(
        None,
        validation_alias="COSTBOT_SAGE_PROFILE",
        description="TOML file with the company's Job Cost set-up (`costbot sage profile --example`).",
    )
    sage_folder: Path | None = Field(
        None,
        validation_alias="COSTBOT_SAGE_FOLDER",
        description="Folder shared with the accountant: `outgoing`, `rejected` and `done` are made in it.",
    )
    sage_odbc: SecretStr | None = Field(
        None,
        repr=False,
        validation_alias="COSTBOT_SAGE_ODBC",
        description="ODBC connection string of the Timberline data source, for reading Sage back.",
    )
    sage_export: Path | None = Field(
        None,
        validation_alias="COSTBOT_SAGE_EXPORT",
        description="CSV export of Job Cost, for reading Sage back without ODBC.",
    )
    http_host: str = Field(
        "127.0.0.1",
        validation_alias="COSTBOT_HTTP_HOST",
        description="Address that the bot's HTTP server listens on.",
    )
    http_port: int = Field(
        3000,
        ge=0,
        le=65535,
        validation_alias="COSTBOT_HTTP_PORT",
        description="Port of the bot's HTTP server.",
    )
    public_url: Annotated[str, AfterValidator(a_public_address)] | None = Field(
        None,
        validation_alias="COSTBOT_PUBLIC_URL",
        description="Where others reach the bot's HTTP server; links to jobs begin with it.",
    )
    admin_email: str | None = Field(
        None,
        validation_alias="COSTBOT_ADMIN_EMAIL",
        description="Who is asked for the privilege: Procore's point of contact; several with commas.",
    )
    forbid_own_request: bool = Field(
        False,
        validation_alias="COSTBOT_FORBID_OWN_REQUEST",
        description="Four eyes: nobody may Update what they asked for themselves.",
    )
    two_approvers_above: int | None = Field(
        None,
        ge=0,
        validation_alias="COSTBOT_TWO_APPROVERS_ABOVE",
        description="Two different approvers must Update a job with more assignments than this.",
    )
    two_approvers_jobs: str | None = Field(
        None,
        validation_alias="COSTBOT_TWO_APPROVERS_JOBS",
        description="Two different approvers must Update these jobs: numbers or patterns, `24-017, 25-*`.",
    )
    burst: int = Field(
        BURST,
        ge=2,
        validation_alias="COSTBOT_BURST",
        description="When so many jobs become Ready to Update at once, one message tells the channel first.",
    )
    hold_every_export: bool = Field(
        False,
        validation_alias="COSTBOT_HOLD_EVERY_EXPORT",
        description="Hold budgets, direct costs and invoices too, as newer Procore manuals do.",
    )
    source: Source = Field(
        Source.FILES,
        validation_alias="COSTBOT_SOURCE",
        description="`files`: CSV and Slack. `procore`: jobs, lists, people and requests from Procore too.",
    )
    procore_client_id: str | None = Field(
        None,
        validation_alias="COSTBOT_PROCORE_CLIENT_ID",
        description="Client id of Procore's service account.",
    )
    procore_client_secret: SecretStr | None = Field(
        None,
        repr=False,
        validation_alias="COSTBOT_PROCORE_CLIENT_SECRET",
        description="Client secret of Procore's service account.",
    )
    procore_company_id: int | None = Field(
        None,
        gt=0,
        validation_alias="COSTBOT_PROCORE_COMPANY_ID",
        description="The number in the address app.procore.com/…/company/home.",
    )
    procore_api_url: Annotated[str, AfterValidator(a_web_address)] = Field(
        "https://api.procore.com/",
        validation_alias="COSTBOT_PROCORE_API_URL",
        description="Procore's REST API; `https://sandbox.procore.com/` for its sandbox.",
    )
    procore_login_url: Annotated[str, AfterValidator(a_web_address)] = Field(
        "https://login.procore.com/",
        validation_alias="COSTBOT_PROCORE_LOGIN_URL",
        description="Procore's login; `https://login-sandbox.procore.com/` for its sandbox.",
    )
    procore_share: float = Field(
        0.25,
        gt=0,
        le=1,
        validation_alias="COSTBOT_PROCORE_SHARE",
        description="The share of the company's hourly limit of calls that costbot takes at most.",
    )
    procore_hourly_limit: int = Field(
        3600,
        ge=1,
        validation_alias="COSTBOT_PROCORE_HOURLY_LIMIT",
        description="The hourly limit of calls, until Procore tells its own.",
    )
    procore_cron: Annotated[str, AfterValidator(a_cron)] = Field(
        "*/10 * * * *",
        validation_alias="COSTBOT_PROCORE_CRON",
        description="When costbot looks in Procore for what changed: five cron fields, UTC.",
    )
    procore_sub_jobs: bool = Field(
        False,
        validation_alias="COSTBOT_PROCORE_SUB_JOBS",
        description="Read the cost codes of sub jobs (Sage extras) too, where Procore switched them on.",
    )
    procore_people_cron: Annotated[str, AfterValidator(a_cron)] = Field(
        "5,35 * * * *",
        validation_alias="COSTBOT_PROCORE_PEOPLE_CRON",
        description="When costbot reads Procore's Company Directory: five cron fields, UTC.",
    )
    procore_people_minutes: int = Field(
        60,
        ge=1,
        validation_alias="COSTBOT_PROCORE_PEOPLE_MINUTES",
        description="Older than this, what Procore said of a person is asked anew before they Update.",
    )
    procore_intake: ProcoreIntake = Field(
        ProcoreIntake.COST_CODES,
        validation_alias="COSTBOT_PROCORE_INTAKE",
        description="`cost-codes`: projects are read. `erp-requests`: costbot is the ERP integrator.",
    )
    procore_erp_request_path: Annotated[str, AfterValidator(a_path_of_one)] = Field(
        "rest/v1.0/companies/{company_id}/erp_requests/{id}",
        validation_alias="COSTBOT_PROCORE_ERP_REQUEST_PATH",
        description="Procore's path of Show ERP Request; ask Procore for it.",
    )
    procore_write_back: bool | None = Field(
        None,
        validation_alias="COSTBOT_PROCORE_WRITE_BACK",
        description="Mark in Procore what reached Sage. Default: only with `erp-requests`.",
    )
    procore_assignments_path: str = Field(
        "rest/v1.0/cost_code_line_item_types/sync",
        pattern=r"^rest/[\w./-]+$",
        validation_alias="COSTBOT_PROCORE_ASSIGNMENTS_PATH",
        description="Procore's path for marking cost type assignments as synced; ask Procore for it.",
    )
    procore_webhook_secret: SecretStr | None = Field(
        None,
        repr=False,
        min_length=16,
        validation_alias="COSTBOT_PROCORE_WEBHOOK_SECRET",
        description="Long and random: switches `POST /procore/webhooks` on, and is what Procore must send.",
    )
    procore_erp_tool: str = Field(
        "erp_integrations",
        validation_alias="COSTBOT_PROCORE_ERP_TOOL",
        description="How permission templates name the tool ERP Integrations.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        repr=False,
        validation_alias="COSTBOT_METRICS_TOKEN",
        description="Long and random: switches `GET /metrics` on, and is what Prometheus must send.",
    )
    heartbeat: Path | None = Field(
        None,
        validation_alias="COSTBOT_HEARTBEAT",
        description="File that `costbot worker` or `scheduler` touches while it works, for a health check.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias="COSTBOT_LOG_LEVEL", description="How much is logged."
    )

    @model_validator(mode="after")
    def _sage_can_be_reached(self) -> "Settings":
        if self.sage is SageTarget.IMPORT_FILE:
            if self.sage_folder is None:
                raise ValueError("COSTBOT_SAGE=import-file needs COSTBOT_SAGE_FOLDER, for the import files.")
            if self.sage_odbc is None and self.sage_export is None:
                raise ValueError(
                    "COSTBOT_SAGE=import-file needs COSTBOT_SAGE_ODBC or COSTBOT_SAGE_EXPORT, to read back "
                    "what Sage holds."
                )
            if self.sage_odbc is not None and self.sage_export is not None:
                raise ValueError("COSTBOT_SAGE_ODBC and COSTBOT_SAGE_EXPORT are both set: remove one.")
        else:
            for name, value in (
                ("COSTBOT_SAGE_FOLDER", self.sage_folder),
                ("COSTBOT_SAGE_ODBC", self.sage_odbc),
                ("COSTBOT_SAGE_EXPORT", self.sage_export),
            ):
                if value is not None:
                    raise ValueError(f"{name} is set but not used: set COSTBOT_SAGE=import-file too.")
        return self

    @model_validator(mode="after")
    def _procore_can_be_reached(self) -> "Settings":
        if self.source is Source.PROCORE:
            needed = {
                "COSTBOT_PROCORE_CLIENT_ID": self.procore_client_id,
                "COSTBOT_PROCORE_CLIENT_SECRET": self.procore_client_secret,
                "COSTBOT_PROCORE_COMPANY_ID": self.procore_company_id,
            }
            missing = [name for name, value in needed.items() if value is None]
            if missing:
                raise ValueError(f"COSTBOT_SOURCE=procore needs {', '.join(missing)}.")
        if self.procore_intake is ProcoreIntake.ERP_REQUESTS and self.procore_write_back is False:
            raise ValueError(
                "COSTBOT_PROCORE_INTAKE=erp-requests makes costbot the ERP integrator, which must mark in "
                "Procore what reached Sage: remove COSTBOT_PROCORE_WRITE_BACK=false, or set "
                "COSTBOT_PROCORE_INTAKE=cost-codes."
            )
        return self

    @model_validator(mode="after")
    def _escalation_has_a_time_and_people(self) -> "Settings":
        if (self.escalate_after is None) != (self.escalate_to is None):
            raise ValueError("COSTBOT_ESCALATE_AFTER and COSTBOT_ESCALATE_TO need each other: set both.")
        return self

    @model_validator(mode="after")
    def _passwords_have_their_place(self) -> "Settings":
        if self.database_password is not None:
            url = make_url(self.database_url or "sqlite://")
            if url.username is None:
                raise ValueError(
                    "COSTBOT_DATABASE_PASSWORD needs a user in COSTBOT_DATABASE_URL: "
                    "postgresql+psycopg://user@host/name."
                )
            if url.password is not None:
                raise ValueError(
                    "COSTBOT_DATABASE_URL has a password, as has COSTBOT_DATABASE_PASSWORD: remove one."
                )
        if self.redis_password is not None:
            if self.redis_url is None:
                raise ValueError("COSTBOT_REDIS_PASSWORD is set but not used: set COSTBOT_REDIS_URL too.")
            if urlsplit(self.redis_url).password is not None:
                raise ValueError(
                    "COSTBOT_REDIS_URL has a password, as has COSTBOT_REDIS_PASSWORD: remove one."
                )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        env = cast("EnvSettingsSource", env_settings)
        return init_settings, _secrets(env, Path()), env_settings, *_of_file(dotenv_settings)

    @property
    def reaches_slack(self) -> bool:
        """Whether there is a token, or a place where the install puts it."""
        return self.slack_bot_token is not None or self.companies is not None

    @property
    def install_page(self) -> str:
        """On a host for many: where a browser begins the install."""
        at = self.public_url or "https://YOUR-HOST"
        return f"{at.removesuffix(company_path(self.company))}/slack/install"

    @property
    def installations(self) -> str:
        """The URL of the database that holds the workspaces' tokens, on a host for many."""
        return self.installations_url or f"sqlite:///{self.data_dir.absolute() / 'installations.db'}"

    @property
    def database(self) -> str:
        """The database URL in force."""
        url = self.database_url or f"sqlite:///{self.data_dir.absolute() / 'costbot.db'}"
        return _with_password(url, self.database_password)

    @property
    def redis_socket(self) -> Path:
        """The embedded Redis' Unix socket: in the data folder, unless its path is too long for a socket."""
        folder = self.data_dir.absolute()
        if len(os.fsencode(folder / "redis.sock")) > _SOCKET_PATH_BYTES:
            folder = Path(tempfile.gettempdir()) / f"costbot-{sha256(os.fsencode(folder)).hexdigest()[:16]}"
        return folder / "redis.sock"

    @property
    def redis(self) -> str:
        """The Redis URL in force."""
        url = self.redis_url or f"unix://{quote(str(self.redis_socket))}"
        return _with_password(url, self.redis_password)

    @property
    def writes_back(self) -> bool:
        """Whether Procore is told what reached Sage; an ERP integrator must."""
        return self.procore_write_back or self.procore_intake is ProcoreIntake.ERP_REQUESTS

    @property
    def rules(self) -> Rules:
        """The part of the settings that the rules ask for."""
        return Rules(
            forbid_own_request=self.forbid_own_request,
            two_approvers_above=self.two_approvers_above,
            two_approvers_jobs=tuple(
                filter(None, map(str.strip, (self.two_approvers_jobs or "").split(",")))
            ),
            hold_every_export=self.hold_every_export,
            admin_emails=tuple(
                dict.fromkeys(
                    email for one in (self.admin_email or "").split(",") if (email := one.strip().lower())
                )
            ),
            directory_is_procores=self.source is Source.PROCORE,
            people_known_for=(
                timedelta(minutes=self.procore_people_minutes) if self.source is Source.PROCORE else None
            ),
            calendar=self.calendar,
        )

    @cached_property
    def calendar(self) -> Calendar:
        """The company's working calendar."""
        opens, closes = working_hours_written(self.working_hours)
        days, countries = free_days_written(self.holidays or "")
        return Calendar(
            zone=zone_named(self.time_zone),
            weekdays=weekdays_named(self.working_days),
            opens=opens,
            closes=closes,
            holidays=days,
            countries=countries,
        )

    @property
    def patience(self) -> Patience:
        """How long things may wait for an approver before costbot does something about it."""
        return Patience(
            remind_after=timedelta(hours=self.remind_after) if self.remind_after else self.calendar.day,
            escalate_after=timedelta(hours=self.escalate_after) if self.escalate_after else None,
            escalate_to=tuple(filter(None, (self.escalate_to or "").replace(" ", "").split(","))),
            expire_after=timedelta(days=self.expire_after_days) if self.expire_after_days else None,
        )


class _FromFileAlone(Settings):
    """Settings of which none come from the environment of the process."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, *_of_file(dotenv_settings)


def _of_file(dotenv: PydanticBaseSettingsSource) -> tuple[PydanticBaseSettingsSource, ...]:
    """A `.env`, and the secrets in the files that it names; their paths may begin at its folder."""
    source = cast("DotEnvSettingsSource", dotenv)
    return _secrets(source, Path(str(source.env_file)).parent), source


def _secrets(source: EnvSettingsSource, folder: Path) -> InitSettingsSource:
    """What the files hold that `source` names."""
    names = [str(field.validation_alias) for field in Settings.model_fields.values() if not field.repr]
    return InitSettingsSource(source.settings_cls, dict(read_secrets(names, source.env_vars, folder)))


def _with_password(url: str, password: SecretStr | None) -> str:
    """The address with the password, if there is one: quoted whole, so that logs know what to mask."""
    if password is None:
        return url
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password.get_secret_value(), safe='')}@{host}").geturl()


def company_path(company: str | None) -> str:
    """On a host for many: the path below which a company's own addresses are."""
    return f"/companies/{company}"


def read_settings(company: str | None = None) -> Settings:
    """The settings in force; on a host for many those of one company, `company` or COSTBOT_COMPANY.

    Raises:
        SettingsError: a line for each variable that is wrong, with the mend.
    """
    host = read_host()
    if host.companies is not None:
        from workflow.companies import read_company  # which builds on this module

        return read_company(host, company or host.company)
    if named := company or host.company:
        raise SettingsError(
            f"There is no company {named}, for costbot works for one company here: leave --company and "
            "COSTBOT_COMPANY out, or set COSTBOT_COMPANIES."
        )
    return host


def read_host() -> Settings:
    """The settings of this machine as they are, for many companies or for one; raises SettingsError."""
    return _read(Settings)


def read_file(path: Path) -> Settings:
    """The settings in a file alone, whatever the environment holds; raises SettingsError."""
    return _read(partial(_FromFileAlone, _env_file=path))


def _read(build: Callable[[], Settings]) -> Settings:
    try:
        return build()
    except ValidationError as error:
        raise SettingsError("\n".join(_mend(e["loc"], e["msg"]) for e in error.errors())) from None
    except SecretFileError as error:
        raise SettingsError(str(error)) from None
    except UnicodeDecodeError:
        raise SettingsError("`.env` is not usable: save it as UTF-8 text.") from None


def _mend(location: tuple[int | str, ...], message: str) -> str:
    # the value itself is never shown: it may be a secret
    if not location:
        return message.removeprefix("Value error, ")
    return f"{location[0]} is not usable: {message.removeprefix('Value error, ')}."
