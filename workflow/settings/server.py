"""How the processes show themselves to the machine that they run on."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings

from workflow.settings.values import a_public_address


class ServerSettings(BaseSettings):
    """How the processes show themselves to the machine that they run on."""

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
