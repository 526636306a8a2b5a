"""What costbot reads of Procore's resources: just these fields, whatever else an answer has.

docs/procore.md has the source of each field and what happens without it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from sync.procore.errors import BadAnswerError


def _in_utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _trimmed(value: object) -> object:
    return value.strip() or None if isinstance(value, str) else value


Time = Annotated[datetime, AfterValidator(_in_utc)]
Text = Annotated[str, BeforeValidator(_trimmed)]
"""Text that is not empty."""


class Resource(BaseModel):
    """A resource of Procore, by the name that its people know."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)
    called: ClassVar[str]

    id: int


R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Unusable:
    """A record of a list that lacks what costbot needs, and the words that say what."""

    id: int | None
    words: str


class Project(Resource):
    """A project; the same thing as a job where it is ERP-integrated."""

    called = "project"

    name: Text
    active: bool = True
    origin_id: Text | None = None
    origin_code: Text | None = None
    is_erp_integrated: bool | None = None
    updated_at: Time | None = None

    @property
    def job_number(self) -> str | None:
        """The ERP's job code, if the project is active and integrated with the ERP.

        The list of projects does not say `is_erp_integrated`; an origin id means that it is synced.
        """
        integrated = self.is_erp_integrated if self.is_erp_integrated is not None else bool(self.origin_id)
        return self.origin_code if integrated and self.active else None


class SubJob(Resource):
    """A sub job of a project: an extra, to Sage."""

    called = "sub job"

    code: Text
    name: Text


class LineItemType(Resource):
    """A line item type: a cost type on screen, a category to Sage."""

    called = "line item type"

    code: Text
    name: Text
    origin_id: Text | None = None


class StandardList(Resource):
    """A standard cost code list of the company."""

    called = "standard cost code list"

    name: Text
    is_erp_list: bool | None = None


class StandardCode(Resource):
    """A code of a standard cost code list; the code that others stand under is one too."""

    called = "standard cost code"

    full_code: Text
    name: Text


class CostCode(Resource):
    """A cost code of a project or of a sub job, with its line item types."""

    called = "cost code"

    name: Text
    full_code: Text
    origin_id: Text | None = None
    line_item_types: tuple[LineItemType, ...]
    created_at: Time
    updated_at: Time | None = None
    deleted_at: Time | None = None


class ErpRequest(BaseModel):
    """What somebody sent to the ERP; only what asks for cost codes is read any further, as `JobRequest`."""

    called: ClassVar[str] = "ERP request"

    request_name: Text
    request_data: Any = None
    request_detail_id: int | None = None

    @property
    def detail_id(self) -> int | None:
        """Some requests have it within their data."""
        within = self.request_data if isinstance(self.request_data, dict) else {}
        inner = within.get("request_detail_id")
        return self.request_detail_id or (inner if isinstance(inner, int) else None)


class ErpJob(Resource):
    """The project of an ERP request."""

    called = "ERP request's job"

    name: Text
    origin_id: Text | None = None
    origin_code: Text | None = None


class ErpSubJob(SubJob):
    """The sub job of an ERP request, with the project that it is of."""

    called = "ERP request's sub job"

    origin_id: Text | None = None
    project: ErpJob


class ErpCostCode(CostCode):
    """A cost code of an ERP request; `biller_type` is `Project`, or that of a sub job."""

    called = "ERP request's cost code"

    biller_type: Text | None = None
    biller_id: int | None = None


class JobRequest(BaseModel):
    """All cost codes of a project, or of a sub job of one, as they were sent to the ERP."""

    called: ClassVar[str] = "ERP request's data"

    job: ErpJob | None = None
    sub_job: ErpSubJob | None = None
    all_cost_codes: tuple[ErpCostCode, ...]


class ErpRequestDetail(Resource):
    """Where an ERP request stands, as Procore's people see it.

    NOT FOUND: the fields of the list but for these; `request_id` is used where Procore sends it.
    """

    called = "ERP request detail"

    status: Text
    item_type: Text | None = None
    created_at: Time | None = None
    request_id: int | None = Field(None, validation_alias=AliasChoices("erp_request_id", "request_id"))

    @property
    def is_open(self) -> bool:
        """Whether Procore waits for an answer."""
        return self.status.lower() not in ("success", "failed", "rejected", "stale")

    @property
    def may_be_a_job(self) -> bool:
        """Whether it may be of a request for cost codes, as far as Procore says of what it is."""
        kind = (self.item_type or "").lower().replace("_", "")
        return kind in ("", "project", "job", "subjob")


class TemplateOfUser(BaseModel):
    """The permission template that a user has."""

    id: int


class User(Resource):
    """Somebody in the Company Directory."""

    called = "company user"

    name: Text | None = None
    email_address: Text | None = None
    is_active: bool
    erp_integrated_accountant: bool | None = None
    company_permission_template: TemplateOfUser | None = None


class PermissionTemplate(Resource):
    """What the people of a template may do, as a level per tool."""

    called = "permission template"

    user_access_levels: dict[str, int | None] = Field(default_factory=dict)


class Me(Resource):
    """The service account's own user."""

    called = "own user"


class Token(BaseModel):
    """An access token; `expires_in` in seconds."""

    access_token: str = Field(min_length=1, repr=False)
    expires_in: int


def parsed_or_why(model: type[R], content: Any) -> R | Unusable:
    """One record of a list, none of which may hold up the others."""
    try:
        return parsed(model, content)
    except BadAnswerError as error:
        known = content.get("id") if isinstance(content, dict) else None
        return Unusable(known if isinstance(known, int) else None, str(error))


def parsed(model: type[R], content: Any) -> R:
    """One resource of an answer.

    Raises:
        BadAnswerError: naming the resource, its id and every field that is missing or unusable.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        called = getattr(model, "called", model.__name__.lower())
        known = content.get("id") if isinstance(content, dict) else None
        # the values are left out: they may be anything
        faults = sorted({".".join(map(str, fault["loc"])) or "the whole" for fault in error.errors()})
        raise BadAnswerError(
            f"Procore's answer about {called} {known if known is not None else '(no id)'} cannot be used: "
            f"{', '.join(faults)} missing or not as documented."
        ) from None
