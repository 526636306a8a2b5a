"""Who may approve what, and what waits for it."""

from pydantic import Field
from pydantic_settings import BaseSettings


class ApprovalSettings(BaseSettings):
    """Who may approve what, and what waits for it."""

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
    hold_every_export: bool = Field(
        False,
        validation_alias="COSTBOT_HOLD_EVERY_EXPORT",
        description="Hold budgets, direct costs and invoices too, as newer Procore manuals do.",
    )
