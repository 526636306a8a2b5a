"""CSV in: people, jobs, categories, standard cost codes, and what Sage holds already.

Owns the columns of each kind of file and what a value may be. Each `read_…` gives what the use case
takes, or raises `BadFileError` with every problem. Owns no rule and writes nothing. What a job asks for
is read in `workflow.asked_lines`, for it comes from Slack too.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from sync.sage.embedded import CATEGORY_LENGTH, CODE_LENGTH, DESCRIPTION_LENGTH, LoadedRow
from workflow.directory import StandardCode
from workflow.rows import ONE_LINE, FileRows, Row, read_rows
from workflow.vocabulary import ErpPermission

_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def read_people(path: Path) -> FileRows[dict[str, Any]]:
    """Rows for `directory.put_people`."""
    return read_rows(path, _PersonRow, _PersonRow.model_dump)


def read_jobs(path: Path) -> FileRows[dict[str, Any]]:
    """Rows for `directory.put_jobs`."""
    return read_rows(path, _JobRow, _JobRow.model_dump)


def read_categories(path: Path) -> FileRows[dict[str, Any]]:
    """Rows for `directory.put_categories`."""
    return read_rows(path, _CategoryRow, _CategoryRow.model_dump)


def read_standard_codes(path: Path) -> FileRows[StandardCode]:
    """The standard cost code list, for `directory.put_standard_codes`."""
    return read_rows(path, _StandardCodeRow, lambda row: StandardCode(**row.model_dump()))


def read_sage(path: Path) -> FileRows[LoadedRow]:
    """What Sage holds already, for `EmbeddedSage.load`."""
    return read_rows(path, _EmbeddedRow, lambda row: LoadedRow(**row.model_dump()))


def read_sage_categories(path: Path) -> FileRows[str]:
    """Sage's standard categories, for `EmbeddedSage.load_categories`."""
    return read_rows(path, _SageCategoryRow, lambda row: row.category)


def _an_email(value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise ValueError(f"{value} is not an e-mail address")
    return value.lower()


def _a_permission(value: str) -> str:
    word = re.sub(r"[\s_-]+", "_", value.strip().lower())
    if word not in list(ErpPermission):
        raise ValueError(f"{value or '(empty)'} is not one of {', '.join(ErpPermission)}")
    return word


def _a_boolean(value: str) -> bool:
    try:
        return _BOOLEANS[value.strip().lower()]
    except KeyError:
        raise ValueError(f"{value or '(empty)'} is not true or false") from None


def _an_id(value: str) -> int | None:
    value = value.strip()
    if not value:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", value) or not int(value):
        raise ValueError(f"{value} is not a Procore project id (a whole number)")
    return int(value)


def _separated(value: str) -> tuple[str, ...]:
    parts = (part.strip() for part in value.split(";"))
    return tuple(dict.fromkeys(part for part in parts if part))


# as wide as the columns of workflow/tables, so that PostgreSQL and SQLite refuse the same
_Name = Annotated[str, Field(min_length=1, max_length=200), ONE_LINE]
_Number = Annotated[str, Field(min_length=1, max_length=40), ONE_LINE]
_Code = Annotated[str, Field(min_length=1, max_length=40), ONE_LINE]
_Category = Annotated[str, Field(min_length=1, max_length=20), ONE_LINE]


class _PersonRow(Row):
    keys = (("email",),)

    email: Annotated[str, Field(min_length=1, max_length=320), ONE_LINE, AfterValidator(_an_email)]
    name: _Name
    erp_permission: Annotated[ErpPermission, BeforeValidator(_a_permission)]
    can_push_to_accounting: Annotated[bool, BeforeValidator(_a_boolean)]
    active: Annotated[bool, BeforeValidator(_a_boolean)]


class _JobRow(Row):
    keys = (("number",), ("procore_project_id",))

    number: _Number
    name: _Name
    procore_project_id: Annotated[int | None, BeforeValidator(_an_id)]


class _CategoryRow(Row):
    keys = (("code",),)

    code: _Category = Field(alias="category")
    name: _Name


class _StandardCodeRow(Row):
    keys = (("code",),)

    code: _Code
    description: _Name
    categories: Annotated[tuple[_Category, ...], BeforeValidator(_separated)]


class _SageCategoryRow(Row):
    keys = (("category",),)

    category: Annotated[str, Field(min_length=1, max_length=CATEGORY_LENGTH), ONE_LINE]


class SageRow(Row):
    """What Sage holds, as wide as a company may have made its fields."""

    keys = (("job", "extra", "code", "category"),)
    told_once = ((("job",), "job_name"), (("job", "extra", "code"), "description"))

    job: _Number
    job_name: _Name
    extra: Annotated[str, Field(max_length=20), ONE_LINE]
    code: Annotated[str, Field(max_length=40), ONE_LINE]
    description: Annotated[str, Field(max_length=200), ONE_LINE]
    category: Annotated[str, Field(max_length=20), ONE_LINE]

    def faults(self) -> Iterator[tuple[str, str]]:
        for column in ("extra", "description", "category"):
            if not self.code and getattr(self, column):
                yield "code", f"is empty, but {column} is not"


class _EmbeddedRow(SageRow):
    code: Annotated[str, Field(max_length=CODE_LENGTH), ONE_LINE]
    description: Annotated[str, Field(max_length=DESCRIPTION_LENGTH), ONE_LINE]
    category: Annotated[str, Field(max_length=CATEGORY_LENGTH), ONE_LINE]
