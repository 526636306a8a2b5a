"""A host for many companies: which there are, and each one's settings, read from its own folder alone.

Owns what keeps them apart before anything runs: no setting of one company, or of the host's environment, is
ever another's, and two companies never share a database, a queue, a Slack team, a Sage or a Procore company.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import make_url

from workflow.settings import Settings, SettingsError, Source, company_path, read_file

DOCS = "see docs/many-workspaces.md"

_HOSTS = (
    "companies",
    "company",
    "slack_client_id",
    "slack_client_secret",
    "slack_signing_secret",
    "slack_app_token",
    "slack_api_url",
    "installations_url",
    "public_url",
    "http_host",
    "http_port",
    "heartbeat",
    "log_level",
)
"""Settings of the whole host: one Slack app, one address, one log."""
_BOTHS = ("data_dir",)
_NOBODYS = ("slack_bot_token",)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_LOOPBACK = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}
_POSTGRESQL_PORT = 5432
_REDIS_PORT = 6379


def company_names(host: Settings) -> list[str]:
    """The companies of a host by the names of their folders. Raises SettingsError."""
    folder = _folder(host)
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    except OSError as error:
        raise SettingsError(f"COSTBOT_COMPANIES is not usable: {folder}: {error.strerror}.") from None
    for name in names:
        if not _NAME.fullmatch(name):
            raise SettingsError(
                f"The folder {folder / name} is no company: use letters, digits, _ and - in its name."
            )
    return names


def read_companies(host: Settings) -> dict[str, Settings]:
    """Every company's settings by name. Raises SettingsError for all that is wrong with any of them."""
    _require_nothing_of_a_company(host)
    found: dict[str, Settings] = {}
    wrong: list[str] = []
    for name in company_names(host):
        try:
            found[name] = _read_folder(host, name)
        except SettingsError as error:
            wrong.append(str(error))
    wrong += [words for one, other in combinations(found, 2) for words in _shared(found, one, other)]
    if wrong:
        raise SettingsError("\n".join(wrong))
    if not found:
        raise SettingsError(f"There is no company in {_folder(host)} yet: make a folder for one, {DOCS}.")
    return found


def read_company(host: Settings, name: str | None) -> Settings:
    """One company's settings. Raises SettingsError; what is wrong with other companies is theirs."""
    names = company_names(host)
    if name not in names:
        which = "Say for which company" if name is None else f"There is no company {name}"
        said = " or ".join(f"--company {one}" for one in names) or "none yet"
        raise SettingsError(f"{which}: {said}, by the folders in {_folder(host)}.")
    _require_nothing_of_a_company(host)
    found = {name: _read_folder(host, name)}
    for other in names:
        try:
            found.setdefault(other, _read_folder(host, other))
        except SettingsError:
            continue
    if wrong := [words for other in found if other != name for words in _shared(found, name, other)]:
        raise SettingsError("\n".join(wrong))
    return found[name]


def _folder(host: Settings) -> Path:
    if host.companies is None:
        raise SettingsError(f"COSTBOT_COMPANIES is missing: the folder of the companies, {DOCS}.")
    return host.companies.absolute()


def _require_nothing_of_a_company(host: Settings) -> None:
    """A setting that would hold for no company must not look as if it held for all."""
    strangers = [_variable(name) for name in _given(host) if name not in (*_HOSTS, *_BOTHS)]
    if strangers:
        raise SettingsError(
            f"{', '.join(strangers)} must not be set for a host of many companies: put what each company "
            f"needs into the .env of its own folder in {_folder(host)}. Slack tokens come from the install."
        )


def _read_folder(host: Settings, name: str) -> Settings:
    folder = _folder(host) / name
    file = folder / ".env"
    if not file.is_file():
        raise SettingsError(f"{file} is missing: write the company's settings into it, {DOCS}.")
    try:
        own = read_file(file)
    except SettingsError as error:
        raise SettingsError("\n".join(f"{file}: {line}" for line in str(error).splitlines())) from None
    if strangers := [_variable(one) for one in _given(own) if one in (*_HOSTS, *_NOBODYS)]:
        raise SettingsError(
            f"{file}: take {', '.join(strangers)} out. Slack tokens come from the install, and the settings "
            "of the Slack app and of the server are the host's."
        )
    if own.slack_team is None:
        raise SettingsError(
            f"{file}: COSTBOT_SLACK_TEAM is missing: the company's Slack workspace (T…) or organisation (E…)."
        )
    if own.slack_team.startswith("E") and (own.channel or "").startswith("#"):
        raise SettingsError(
            f"{file}: COSTBOT_CHANNEL must be the channel's id (C…), for an organisation has the same name "
            "in many workspaces."
        )
    of_the_host = {one: getattr(host, one) for one in _HOSTS}
    of_the_host |= {"company": name, "installations_url": host.installations}
    if host.public_url is not None:
        of_the_host["public_url"] = host.public_url + company_path(name)
    company = own.model_copy(update={**_in_folder(own, folder), **of_the_host})
    if _place_of_database(company.database) == _place_of_database(host.installations):
        raise SettingsError(
            f"{file}: the database is the one that holds the workspaces' tokens: set another "
            "COSTBOT_DATABASE_URL here, or COSTBOT_INSTALLATIONS_URL for the host."
        )
    return company


def _given(settings: Settings) -> Iterator[str]:
    """What was set, in the order of the settings."""
    return (name for name in type(settings).model_fields if name in settings.model_fields_set)


def _variable(name: str) -> str:
    return str(Settings.model_fields[name].validation_alias)


def _in_folder(own: Settings, folder: Path) -> Mapping[str, Any]:
    """Paths that do not begin at the root begin at the company's folder."""
    moved: dict[str, Any] = {
        name: folder / value
        for name in type(own).model_fields
        if isinstance(value := getattr(own, name), Path) and not value.is_absolute()
    }
    if own.database_url is not None:
        url = make_url(own.database_url)
        if url.get_backend_name() == "sqlite" and url.database:
            moved["database_url"] = url.set(database=str(folder / url.database)).render_as_string(
                hide_password=False
            )
    return moved


def _shared(companies: Mapping[str, Settings], one: str, other: str) -> Iterator[str]:
    """A sentence for each thing that two companies must not share, and do."""
    theirs = dict(_own_things(companies[other]))
    for what, (where, mend) in _own_things(companies[one]):
        if where and where == theirs[what][0]:
            yield f"The companies {one} and {other} share {what}: {mend}."


def _own_things(settings: Settings) -> Iterator[tuple[str, tuple[object, str]]]:
    """What each company must have for itself: in words, as something to compare, and the mend."""
    odbc = settings.sage_odbc.get_secret_value() if settings.sage_odbc else None
    yield "a Slack workspace", (settings.slack_team, "correct COSTBOT_SLACK_TEAM of one of them")
    yield "a database", (_place_of_database(settings.database), "set another COSTBOT_DATABASE_URL for one")
    yield "a Redis", (_place_of_redis(settings.redis), "give one another number, as in redis://host/1")
    yield "a data folder", (settings.data_dir.resolve(), "set another COSTBOT_DATA_DIR for one of them")
    yield (
        "a folder for Sage's import files",
        (
            settings.sage_folder and settings.sage_folder.resolve(),
            "set another COSTBOT_SAGE_FOLDER for one of them",
        ),
    )
    yield (
        "an export of Sage",
        (
            settings.sage_export and settings.sage_export.resolve(),
            "set another COSTBOT_SAGE_EXPORT for one of them",
        ),
    )
    yield "a data source of Sage", (odbc, "set another COSTBOT_SAGE_ODBC for one of them")
    with_procore = settings.source is Source.PROCORE
    company = (settings.procore_api_url, settings.procore_company_id) if with_procore else None
    yield "a company of Procore", (company, "correct COSTBOT_PROCORE_COMPANY_ID of one of them")
    secret = settings.procore_webhook_secret if with_procore else None
    yield (
        "a secret of Procore's webhooks",
        (
            secret and secret.get_secret_value(),
            "set another COSTBOT_PROCORE_WEBHOOK_SECRET for one of them, and connect it anew",
        ),
    )


def _place_of_database(address: str) -> tuple[object, ...]:
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        return ("sqlite", Path(url.database or "").resolve())
    host = url.host or str(url.query.get("host", ""))
    return ("postgresql", _same_host(host), url.port or _POSTGRESQL_PORT, url.database or url.username)


def _place_of_redis(address: str) -> tuple[object, ...]:
    url = urlsplit(address)
    number = dict(part.partition("=")[::2] for part in url.query.split("&")).get("db", "")
    if url.scheme == "unix":
        return ("unix", Path(unquote(url.path)).resolve(), number or "0")
    path = url.path.strip("/")
    return ("tcp", _same_host(url.hostname or ""), url.port or _REDIS_PORT, number or path or "0")


def _same_host(host: str) -> str:
    return _LOOPBACK.get(host.lower(), host.lower())
