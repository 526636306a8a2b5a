"""Where costbot keeps what it knows: its folder, its database and its Redis."""

import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings
from sqlalchemy.engine import make_url

from workflow.settings.values import a_redis_url, usable_database_url

_SOCKET_PATH_BYTES = 103
"""What the address of a Unix socket can hold everywhere (macOS: 104 with the end mark, Linux: 108)."""


class StorageSettings(BaseSettings):
    """Where costbot keeps what it knows: its folder, its database and its Redis."""

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
    database_password: SecretStr | None = Field(
        None,
        repr=False,
        validation_alias="COSTBOT_DATABASE_PASSWORD",
        description="Password for `COSTBOT_DATABASE_URL`, where that holds none.",
    )
    redis_url: Annotated[str, AfterValidator(a_redis_url)] | None = Field(
        None,
        repr=False,
        validation_alias="COSTBOT_REDIS_URL",
        description="Redis for the work queue. Default: one that costbot starts itself in the data folder.",
    )
    redis_password: SecretStr | None = Field(
        None,
        repr=False,
        validation_alias="COSTBOT_REDIS_PASSWORD",
        description="Password for `COSTBOT_REDIS_URL`, where that holds none.",
    )

    @model_validator(mode="after")
    def _passwords_have_their_place(self) -> "StorageSettings":
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


def _with_password(url: str, password: SecretStr | None) -> str:
    """The address with the password, if there is one: quoted whole, so that logs know what to mask."""
    if password is None:
        return url
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password.get_secret_value(), safe='')}@{host}").geturl()
