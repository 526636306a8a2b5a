"""Who may Update: one pure policy, with a reason and words for each way to be refused.

Source of the rule: Procore, 'Update Project Cost Codes for Export to Sage 300 CRE': ERP Integrations
permission Standard or Admin AND the Can Push to Accounting privilege.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

from workflow.calendar import Calendar
from workflow.language import either, later, say
from workflow.results import Unchanged
from workflow.tables import Person
from workflow.vocabulary import ErpPermission, Place, Refusal


@dataclass(frozen=True, slots=True)
class Rules:
    """The company's choices that the rules ask for."""

    forbid_own_request: bool = False
    two_approvers_above: int | None = None
    two_approvers_jobs: tuple[str, ...] = ()
    hold_every_export: bool = False
    admin_emails: tuple[str, ...] = ()
    directory_is_procores: bool = False
    """People come from Procore, so costbot never changes what they may do."""
    people_known_for: timedelta | None = None
    """How old may be what Procore said of somebody who decides; None where the directory is costbot's."""
    calendar: Calendar = field(default_factory=Calendar)


USUAL_RULES = Rules()
"""What holds where the company chose nothing."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and where. `refusal` is set when that place could not tell who it is.

    Then nobody acts as a person, and `tied_to` is whom the trail names, where that is known all the same.
    """

    place: Place
    name: str
    person_id: int | None = None
    refusal: Refusal | None = None
    tied_to: int | None = None

    @property
    def on_record(self) -> int | None:
        """The person whom the trail names."""
        return self.person_id or self.tied_to


class Known(NamedTuple):
    """What the directory has of a person, as far as the policy asks for it."""

    id: int
    active: bool
    erp_permission: ErpPermission
    can_push_to_accounting: bool


_ASK_ANYBODY = later("Ask your company's Procore administrator")
SCHEDULE = Actor(Place.SCHEDULE, "costbot")


@dataclass(frozen=True, slots=True)
class Refused(Unchanged):
    """A rule said no: the reason for programs, the words for people."""

    reason: Refusal
    words: str


def lacks(person: Person | Known | None) -> Refusal | None:
    """What a person lacks to be an accounting approver, or None for an accounting approver."""
    if person is None:
        return Refusal.NO_MATCHING_PERSON
    if not person.active:
        return Refusal.DEACTIVATED
    if person.erp_permission not in (ErpPermission.STANDARD, ErpPermission.ADMIN):
        return Refusal.PERMISSION_TOO_LOW
    if not person.can_push_to_accounting:
        return Refusal.PRIVILEGE_MISSING
    return None


def refusal_of(actor: Actor, person: Person | Known | None, rules: Rules) -> Refused | None:
    """The refusal an actor meets who wants to act as an accounting approver, or None."""
    reason = actor.refusal or lacks(person)
    return None if reason is None else Refused(reason, explain(reason, actor.name, rules))


def explain(reason: Refusal, name: str, rules: Rules) -> str:
    """Why `name` may not Update, and whom to ask."""
    ask = say("Ask {who}", who=either(rules.admin_emails)) if rules.admin_emails else say(_ASK_ANYBODY)
    match reason:
        case Refusal.NO_MATCHING_PERSON:
            return say(
                "Nobody in the company directory matches {name}. {ask} to add you with this e-mail.",
                name=name,
                ask=ask,
            )
        case Refusal.DEACTIVATED:
            return say(
                "{name} is deactivated in the company directory. {ask} to activate you again.",
                name=name,
                ask=ask,
            )
        case Refusal.PERMISSION_TOO_LOW:
            return say(
                "{name} needs permission Standard or Admin on ERP Integrations to Update. {ask} to raise it.",
                name=name,
                ask=ask,
            )
        case Refusal.PRIVILEGE_MISSING:
            return say(
                "{name} does not have the Can Push to Accounting privilege. {ask} to grant it.",
                name=name,
                ask=ask,
            )
        case Refusal.COULD_NOT_FIND_OUT:
            return say(
                "costbot could not find out who you are, because Slack did not answer. Nothing was "
                "changed; try again in a minute."
            )
        case Refusal.NOT_KNOWN_NOW:
            return say(
                "costbot could not ask Procore just now whether {name} may Update, and what it knows is too "
                "old to decide by: Procore does not answer, or costbot's share of its calls is used up. "
                "Nothing was changed and nothing is lost; try again in a few minutes.",
                name=name,
            )
        case Refusal.FROM_OUTSIDE:
            return say(
                "Only members of this workspace can use costbot: guests, bots and outside people "
                "cannot. {ask} if you need access.",
                ask=ask,
            )
        case Refusal.OWN_REQUEST:
            return say(
                "{name} asked for these cost codes, and your company wants another approver to accept them.",
                name=name,
            )
        case _:
            raise ValueError(f"{reason} is not about a person")
