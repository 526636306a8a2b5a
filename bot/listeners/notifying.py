"""`/costcodes notify`: the window with what a person wants to hear of, and what they chose in it."""

from datetime import datetime
from typing import Any

from slack_bolt import Ack
from sqlalchemy.orm import Session

from bot.blocks import reach_words
from bot.blocks.notify_window import TITLE, Wrong, choices_picked, notify_window
from bot.blocks.pieces import Json
from bot.interaction import Interaction, UnreadableError, interaction_of
from bot.listeners.opening import loading, show_waiting
from bot.visit import Visit
from workflow import directory, preferences
from workflow.language import say
from workflow.preferences import Choices
from workflow.privileges import Actor, Refused, Rules, lacks, refusal_of
from workflow.tables import Person


def open_choices(visit: Visit) -> None:
    """Show the present choices of the person who looks."""
    visit.open(loading(TITLE))
    with visit.reading() as session:
        person = session.get(Person, visit.actor.person_id) if visit.actor.person_id else None
        view = _view(session, person, visit.rules) if person else None
    if view is None:
        refused = refusal_of(visit.actor, None, visit.rules)
        return visit.answer(refused.words if refused else "")
    return visit.show(view)


def check(ack: Ack, body: dict[str, Any]) -> None:
    """Keep the window open for hours that do not go together; else show that they are being saved."""
    try:
        picked = _picked(interaction_of(body))
    except UnreadableError:
        picked = Choices()  # a window of an older costbot is answered after the ack
    if isinstance(picked, Wrong):
        ack(response_action="errors", errors={picked.block_id: picked.why})
    else:
        show_waiting(
            ack, body, TITLE, say("Saving…"), say("If nothing follows, close this window and look again.")
        )


def save(visit: Visit) -> None:
    """Keep what was chosen; where it does not go together, the window said so and is still open."""
    if not isinstance(_picked(visit.interaction), Wrong):
        result = visit.act(lambda session, by, at: _save(session, visit, by, at))
        visit.answer(result.words if isinstance(result, Refused) else reach_words.choices_words(result))


def _picked(act: Interaction, before: Choices = Choices()) -> Choices | Wrong:  # noqa: B008 - frozen
    """What was picked. Raises UnreadableError for choices that this costbot does not offer."""
    try:
        return choices_picked(act.inputs, before)
    except ValueError as error:
        raise UnreadableError(act.name) from error


def _save(session: Session, visit: Visit, by: Actor, at: datetime) -> Refused | Choices:
    person = session.get(Person, by.person_id) if by.person_id else None
    if person is None:
        refused = refusal_of(by, None, visit.rules)
        assert refused is not None
        return refused
    before = preferences.choices_of(session, [person.id])[person.id]
    choices = _picked(visit.interaction, before)
    assert isinstance(choices, Choices)
    preferences.choose(session, person, choices, by=by, at=at)
    return choices


def _view(session: Session, person: Person, rules: Rules) -> Json:
    choices = preferences.choices_of(session, [person.id])[person.id]
    zone = directory.time_zones(session, [person.id]).get(person.id) or rules.calendar.zone
    return notify_window(choices, time_zone=zone.key, is_approver=lacks(person) is None)
