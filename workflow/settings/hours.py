"""When things run, when people work, and how long something may wait for them."""

from datetime import timedelta
from functools import cached_property
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings

from workflow.calendar import (
    Calendar,
    free_days_written,
    weekdays_named,
    working_hours_written,
    zone_named,
)
from workflow.language import ENGLISH, language_named
from workflow.settings.values import a_cron, written
from workflow.waiting import Patience


class HoursSettings(BaseSettings):
    """When things run, when people work, and how long something may wait for them."""

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

    @model_validator(mode="after")
    def _escalation_has_a_time_and_people(self) -> "HoursSettings":
        if (self.escalate_after is None) != (self.escalate_to is None):
            raise ValueError("COSTBOT_ESCALATE_AFTER and COSTBOT_ESCALATE_TO need each other: set both.")
        return self

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
