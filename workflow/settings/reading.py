"""All settings in one class, read from the environment, from `.env` and from files of secrets.

A field that is not shown (`repr=False`) is a secret, and may come from a file. Built once by the entry
point and passed down. `read_settings` turns each mistake into one line that names the variable and the mend.
"""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import cast

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from workflow.privileges import Rules
from workflow.settings.approval import ApprovalSettings
from workflow.settings.hours import HoursSettings
from workflow.settings.procore import ProcoreSettings, Source
from workflow.settings.sage import SageSettings
from workflow.settings.secret_files import SUFFIX, SecretFileError, read_secrets, secrets_in
from workflow.settings.server import ServerSettings
from workflow.settings.slack import SlackSettings
from workflow.settings.storage import StorageSettings


class SettingsError(Exception):
    """One line a mistake, each naming the variable and how to mend it."""


class Settings(
    # the last one's fields come first
    ServerSettings,
    ApprovalSettings,
    HoursSettings,
    ProcoreSettings,
    SageSettings,
    SlackSettings,
    StorageSettings,
):
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
    def install_page(self) -> str:
        """On a host for many: where a browser begins the install."""
        at = self.public_url or "https://YOUR-HOST"
        return f"{at.removesuffix(company_path(self.company))}/slack/install"

    @property
    def installations(self) -> str:
        """The URL of the database that holds the workspaces' tokens, on a host for many."""
        return self.installations_url or f"sqlite:///{self.data_dir.absolute() / 'installations.db'}"

    @property
    def secrets(self) -> frozenset[str]:
        """Every text in these settings that nobody may read: secrets, and the passwords inside addresses."""
        found = {
            secret
            for name, field in Settings.model_fields.items()
            if not field.repr
            for secret in secrets_in(getattr(self, name))
        }
        if self.slack_client_id and self.slack_client_secret:  # as HTTP carries the two
            app = f"{self.slack_client_id}:{self.slack_client_secret.get_secret_value()}"
            found.add(b64encode(app.encode()).decode())
        return frozenset(found)

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
    _require_readable(Path(str(source.env_file)))
    return _secrets(source, Path(str(source.env_file)).parent), source


def _require_readable(file: Path) -> None:
    """Raise SettingsError for lines that would be passed over: what they were to set would not be set."""
    if not file.is_file():
        return
    with file.open(encoding="utf-8") as stream:
        wrong = [str(binding.original.line) for binding in parse_stream(stream) if binding.error]
    if wrong:
        lines = f"line {wrong[0]}" if len(wrong) == 1 else f"lines {', '.join(wrong[:-1])} and {wrong[-1]}"
        raise SettingsError(
            f"`{file.name}` is not usable in {lines}: write NAME=value, with every quote closed."
        )


def unknown_names(file: Path) -> dict[str, str | None]:
    """The names in a file that look like a setting and are none, each with the setting that may be meant."""
    if not file.is_file():
        return {}
    fields = Settings.model_fields.values()
    known = [str(field.validation_alias) for field in fields]
    known += [f"{field.validation_alias}{SUFFIX}" for field in fields if not field.repr]
    found = [name for name in dotenv_values(file) if name.upper().startswith(("COSTBOT_", "SLACK_"))]
    return {
        name: next(iter(get_close_matches(name.upper(), known, 1)), None)
        for name in found
        if name.upper() not in known
    }


def _secrets(source: EnvSettingsSource, folder: Path) -> InitSettingsSource:
    """What the files hold that `source` names."""
    names = [str(field.validation_alias) for field in Settings.model_fields.values() if not field.repr]
    return InitSettingsSource(source.settings_cls, dict(read_secrets(names, source.env_vars, folder)))


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
