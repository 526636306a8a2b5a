"""Tables of jobs and of the company's lists, and of what Sage holds for a job."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from workflow.tables.base import Table


class Job(Table):
    """A Sage 300 CRE job, the same thing as one Procore project.

    `known_in_sage` and what follows it are as last read back, and empty until then; Sage may not
    have been asked for the job's extras (sub jobs).
    """

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    procore_project_id: Mapped[int | None] = mapped_column(unique=True)
    read_back_at: Mapped[datetime | None]
    known_in_sage: Mapped[bool | None]
    sage_name: Mapped[str | None] = mapped_column(String(200))
    sage_extras: Mapped[list[str] | None]

    @property
    def title(self) -> str:
        """How the job is shown everywhere: `24-017 Riverside Medical Center`."""
        return f"{self.number} {self.name}"


class Category(Table):
    """A Sage standard category (a Procore cost type), as the company names it."""

    __tablename__ = "categories"

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))


class StandardCostCode(Table):
    """One code of the company's standard cost code list, which comes from Sage."""

    __tablename__ = "standard_cost_codes"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    description: Mapped[str] = mapped_column(String(200))


class StandardCostCodeCategory(Table):
    """A category that the standard list ties to a cost code."""

    __tablename__ = "standard_cost_code_categories"

    code: Mapped[str] = mapped_column(
        ForeignKey("standard_cost_codes.code", ondelete="CASCADE"), primary_key=True
    )
    category: Mapped[str] = mapped_column(ForeignKey("categories.code"), primary_key=True)


class SageAssignment(Table):
    """What Sage holds for a job, as last read back; `category` '' is a cost code without one."""

    __tablename__ = "sage_assignments"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    extra: Mapped[str] = mapped_column(String(20), primary_key=True)
    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    category: Mapped[str] = mapped_column(String(20), primary_key=True)
    description: Mapped[str] = mapped_column(String(200))
