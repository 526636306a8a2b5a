"""How Procore is reached, and how much of it."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from workflow.settings.values import a_cron, a_path_of_one, a_web_address


class Source(StrEnum):
    """Where jobs, lists, people and what a project team adds come from."""

    FILES = "files"
    PROCORE = "procore"


class ProcoreIntake(StrEnum):
    """How what a project team adds in Procore comes in."""

    COST_CODES = "cost-codes"
    ERP_REQUESTS = "erp-requests"


class ProcoreSettings(BaseSettings):
    """How Procore is reached, and how much of it."""

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

    @model_validator(mode="after")
    def _procore_can_be_reached(self) -> "ProcoreSettings":
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

    @property
    def writes_back(self) -> bool:
        """Whether Procore is told what reached Sage; an ERP integrator must."""
        return self.procore_write_back or self.procore_intake is ProcoreIntake.ERP_REQUESTS
