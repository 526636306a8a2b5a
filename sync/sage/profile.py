"""The company's Sage profile: how its Job Cost is set up, as a TOML file checked by pydantic.

Every field has the safest default; what no source settles is a field here and stands in
`docs/sage.md` under 'to check with your Sage consultant'.
"""

import codecs
import tomllib
from contextlib import suppress
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from workflow.checks import DELIMITERS, Format, SageLimits, can_be_written

EXAMPLE = Path(__file__).with_name("profile.toml")
"""A commented profile, which has the defaults."""


class ProfileError(Exception):
    """One line for each mistake in the profile, naming the field and the mend."""


class Layout(StrEnum):
    """The two documented layouts of an import file; they agree on the order of a C row's fields."""

    QUICK_BID = "quick-bid"
    SAGE_ESTIMATING = "sage-estimating"


class ExistingDescription(StrEnum):
    """What stands in the file as the description of a cost code that Sage has already."""

    BLANK = "blank"
    SAGE = "sage"


class LineEnd(StrEnum):
    """How lines of the import file end."""

    CRLF = "crlf"
    LF = "lf"

    @property
    def text(self) -> str:
        return "\r\n" if self is LineEnd.CRLF else "\n"


class Justification(StrEnum):
    """Which side of its field a cost code or job number stands on; `none` writes it as it is."""

    NONE = "none"
    LEFT = "left"
    RIGHT = "right"

    def pad(self, text: str, width: int) -> str:
        """The text as wide as its field."""
        match self:
            case Justification.NONE:
                return text
            case Justification.LEFT:
                return text.ljust(width)
            case Justification.RIGHT:
                return text.rjust(width)


def _known_encoding(name: str) -> str:
    try:
        found = codecs.lookup(name).name
    except LookupError:
        raise ValueError(f"no encoding is called {name}; Windows-1252 is the usual one") from None
    row = '"*","24-017"\r\n'
    with suppress(LookupError, UnicodeError):  # not of text at all
        if row.encode(found) * 2 == (row * 2).encode(found):  # else each row would begin with a BOM
            return found
    raise ValueError(f"{name} does not write text row by row; Windows-1252 is the usual one")


def _known_delimiters(text: str) -> str:
    if not text or set(text) - set(DELIMITERS):
        raise ValueError("use - . / or a space")
    return text


_Sections = tuple[Annotated[int, Field(ge=1, le=15)], ...]
_Figure = Annotated[Decimal, Field(ge=-999_999, le=999_999, decimal_places=2)]
"""Quantity or amount: 8.2 in the file (Sage Estimating)."""
_Delimiters = Annotated[str, AfterValidator(_known_delimiters)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Numbered(_Part):
    """What cost codes and job numbers have in common; `field_width` is that of the file's column."""

    sections: _Sections = ()
    delimiter: _Delimiters = DELIMITERS
    letters: bool = True
    width: int
    justification: Justification = Justification.NONE
    field_width: int

    @model_validator(mode="after")
    def _fits(self) -> "_Numbered":
        length = sum(self.sections) + max(len(self.sections) - 1, 0)
        if length > self.width:
            raise ValueError(f"sections and what divides them take {length} characters, more than width")
        if self.field_width < self.width:
            raise ValueError("field_width is the width of the column in the file: width at least")
        return self

    def padded(self, text: str) -> str:
        """The text as it stands in the file."""
        return self.justification.pad(text, self.field_width)


class CostCodeProfile(_Numbered):
    """The cost code format of Job Cost; 12 characters (Sage Estimating), 15 in the file."""

    width: int = Field(12, ge=1, le=15)
    field_width: int = Field(15, ge=1, le=30)
    tiers: bool = False
    beyond_standard_list: bool = False


class JobProfile(_Numbered):
    """Job numbers and extras (sub jobs). No source gives the width of a job; 10 is Quick Bid's for extras."""

    width: int = Field(10, ge=1, le=30)
    field_width: int = Field(10, ge=1, le=30)
    extra_width: int = Field(10, ge=1, le=20)
    must_exist: bool = True


class CategoryProfile(_Part):
    """Sage's Standard Categories; none named means that costbot does not know them."""

    width: int = Field(3, ge=1, le=20)
    standard: frozenset[str] = frozenset()


class FileProfile(_Part):
    """The import file."""

    layout: Layout = Layout.QUICK_BID
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "cp1252"
    line_end: LineEnd = LineEnd.CRLF
    description_width: int = Field(30, ge=1, le=200)
    existing_description: ExistingDescription = ExistingDescription.BLANK
    quantity: _Figure = Decimal("0.00")
    amount: _Figure = Decimal("0.00")
    unit: str = Field("", max_length=4)
    imported_within_hours: float = Field(24, gt=0, le=24 * 365)

    @model_validator(mode="after")
    def _unit_fits(self) -> "FileProfile":
        if not can_be_written(self.unit, self.encoding):
            raise ValueError(f"unit has a character that {self.encoding} cannot carry")
        return self


class OdbcProfile(_Part):
    """Names in the Timberline data source; the defaults are those that public code queries."""

    job_table: str = "JCM_MASTER__JOB"
    extra_table: str = "JCM_MASTER__EXTRA"
    cost_code_table: str = "JCM_MASTER__COST_CODE"
    category_table: str = "JCM_MASTER__CATEGORY"
    standard_cost_code_table: str = "JCM_MASTER__STANDARD_COST_CODE"
    job: str = "Job"
    extra: str = "Extra"
    cost_code: str = "Cost_Code"
    category: str = "Category"
    description: str = "Description"
    login_seconds: int = Field(10, ge=1)
    query_seconds: int = Field(60, ge=1)

    @model_validator(mode="after")
    def _plain_names(self) -> "OdbcProfile":
        for field, value in self:
            if isinstance(value, str) and not (value.isascii() and value.replace("_", "").isalnum()):
                raise ValueError(f"{field} must be a plain name of letters, digits and underscores")
        return self


class SageProfile(_Part):
    """Everything that differs from one Sage 300 CRE company to the next."""

    cost_code: CostCodeProfile = CostCodeProfile()
    job: JobProfile = JobProfile()
    category: CategoryProfile = CategoryProfile()
    file: FileProfile = FileProfile()
    odbc: OdbcProfile = OdbcProfile()

    @property
    def limits(self) -> SageLimits:
        """The part that the checks before Update ask for."""
        job, code = self.job, self.cost_code
        return SageLimits(
            code_format=Format(code.sections, code.delimiter, code.letters, code.tiers),
            job_format=Format(job.sections, job.delimiter, job.letters) if job.sections else None,
            code_width=code.width,
            job_width=job.width,
            extra_width=job.extra_width,
            description_width=self.file.description_width,
            category_width=self.category.width,
            categories=self.category.standard or None,
            encoding=self.file.encoding,
            job_must_exist=job.must_exist,
            beyond_standard_list=code.beyond_standard_list,
            repeats_sage_description=self.file.existing_description is ExistingDescription.SAGE,
        )


def read_profile(path: Path) -> SageProfile:
    """The profile in a TOML file.

    Raises:
        ProfileError: a line for each mistake, naming the field.
    """
    try:
        return SageProfile.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise ProfileError(f"COSTBOT_SAGE_PROFILE {path} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProfileError(f"COSTBOT_SAGE_PROFILE {path} is not TOML: {error}.") from None
    except ValidationError as error:
        raise ProfileError("\n".join(_mend(path, e["loc"], e["msg"]) for e in error.errors())) from None


def _mend(path: Path, location: tuple[int | str, ...], message: str) -> str:
    field = ".".join(map(str, location))
    return f"{path}: {field} is not usable: {message.removeprefix('Value error, ')}."
