"""Whom a message reaches and when: what people chose to hear of, quiet hours, who stands in for whom."""

from datetime import date

from bot.blocks.words import SLACK, Form
from workflow.aways import AwaySet, Cannot
from workflow.language import later, say
from workflow.preferences import Choices
from workflow.tables import Away
from workflow.vocabulary import Notify

NOTIFY_WORDS = {
    Notify.EVERY_REQUEST: later("every request, at once"),
    Notify.HOURLY: later("a digest every working hour"),
    Notify.DAILY: later("a digest every working morning"),
    Notify.MENTIONS: later("mentions only"),
    Notify.DO_NOT_PING: later("may update, is not pinged"),
}


def quiet_words(quiet: str) -> str:
    """Quiet hours as they are kept, `18:00 to 08:00`, in words."""
    since, _, until = quiet.partition(" to ")
    return say("{since} to {until}", since=since, until=until)


def choices_words(choices: Choices) -> str:
    """What a person chose to hear of, in a sentence; plain text."""
    how = say(NOTIFY_WORDS[choices.notify])
    if choices.quiet:
        return say("Messages: {how}. Quiet hours {quiet}.", how=how, quiet=quiet_words(str(choices.quiet)))
    return say("Messages: {how}. No quiet hours.", how=how)


def away_words(away: Away) -> str:
    """Who is away when, and who stands in; plain text."""
    return say(
        "{person} is away from {first_day} to {last_day}, and {delegate} stands in.",
        person=away.person.name,
        first_day=away.first_day,
        last_day=away.last_day,
        delegate=away.delegate.name,
    )


def away_set_words(done: AwaySet) -> str:
    """That somebody stands in from now on, and what that means; plain text."""
    name = done.away.delegate.name
    said = say(
        "{away_words} Messages go to {name}, who acts by their own right: rights do not move.",
        away_words=away_words(done.away),
        name=name,
    )
    before = done.replaced
    if before:
        said = say(
            "{said} This is in place of {first} to {last}, when {before} was to stand in.",
            said=said,
            first=before.first_day,
            last=before.last_day,
            before=before.delegate.name,
        )
    if not done.both_away:
        return said
    back = done.away.person.name
    return say(
        "{said} {name} is away on some of these days too; on those the messages go to {back}.",
        said=said,
        name=name,
        back=back,
    )


def forwarded_words(person: str, last_day: date, form: Form = SLACK) -> str:
    """Why somebody reads another person's message."""
    return say(
        "This is for {person}, who is away until {last_day}. You stand in.",
        person=form.data(person),
        last_day=last_day,
    )


def not_forwarded_words(delegate: str, cannot: Cannot, form: Form = SLACK) -> str:
    """Why somebody who is away gets a message after all."""
    if cannot is Cannot.AWAY:
        return say(
            "You are away, but so is {delegate}, who stands in for you. So this comes to you.",
            delegate=form.data(delegate),
        )
    return say(
        "You are away, but {delegate}, who stands in for you, may not Update any more. So this comes to you.",
        delegate=form.data(delegate),
    )
