"""`/costcodes notify` and `away`, and Ask again on the card, as people use them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from bot.blocks.notify_window import FROM_BLOCK, NOTIFY_BLOCK, UNTIL_BLOCK
from bot.listeners.standing_in import Handing, read
from bot.sandbox import sample_company
from bot.sandbox.client import Message, Person
from tests.bot.listeners.conftest import Office
from workflow import aways, preferences
from workflow.preferences import Choices, QuietHours
from workflow.tables import Person as InDirectory
from workflow.tables import SlackLink
from workflow.vocabulary import Event, Notify, State

TODAY = datetime.now(UTC).date()
DAYS = f"{TODAY - timedelta(days=1)}..{TODAY + timedelta(days=3)}"


def choices(office: Office, email: str) -> Choices:
    with office.database.reading() as session:
        person = session.scalars(select(InDirectory).where(InDirectory.email == email)).one()
        return preferences.choices_of(session, [person.id])[person.id]


def test_an_approver_chooses_what_to_hear_of_in_a_window(office: Office, dana: Person) -> None:
    dana.slash("/costcodes notify")
    window = dana.wait_for_modal("What do you want to hear of?")
    assert "America/Chicago" in window.words
    picked = {
        NOTIFY_BLOCK: {NOTIFY_BLOCK: "daily"},
        FROM_BLOCK: {FROM_BLOCK: "19:00"},
        UNTIL_BLOCK: {UNTIL_BLOCK: "never"},
    }
    dana.submit(picked)
    dana.wait_for(
        lambda seen: seen.modal and seen.modal.errors == {UNTIL_BLOCK: "Choose both hours, or none."}
    )
    dana.submit(picked | {UNTIL_BLOCK: {UNTIL_BLOCK: "07:00"}})
    dana.wait_for_modal("a digest every working morning. Quiet hours 19:00 to 07:00.")

    chosen = choices(office, sample_company.APPROVER)
    assert chosen.notify is Notify.DAILY
    assert str(chosen.quiet) == "19:00 to 07:00"
    assert office.events(Event.NOTIFY_CHOSEN)[0]["notify"] == "daily"
    dana.close()
    dana.slash("/costcodes notify")
    again = dana.wait_for_modal("What do you want to hear of?")
    assert again.element(NOTIFY_BLOCK)["initial_option"]["value"] == "daily"


def test_who_is_no_approver_is_asked_for_quiet_hours_alone(office: Office, tom: Person) -> None:
    tom.slash("/costcodes notify")
    assert "What do you want" not in tom.wait_for_modal("Quiet hours from").words
    tom.submit({FROM_BLOCK: {FROM_BLOCK: "12:00"}, UNTIL_BLOCK: {UNTIL_BLOCK: "13:00"}})
    tom.wait_for_modal("Quiet hours 12:00 to 13:00")

    quiet = choices(office, sample_company.PROJECT_ENGINEER).quiet
    assert isinstance(quiet, QuietHours)


def test_an_act_tells_where_a_person_reads(office: Office, dana: Person) -> None:
    dana.slash("/costcodes whoami")
    dana.wait_for_ephemeral("You are an accounting approver")

    with office.database.reading() as session:
        assert session.scalars(select(SlackLink.time_zone)).all() == ["America/Chicago"]


def test_an_approver_lets_another_stand_in_sees_it_and_ends_it(
    office: Office, card: Message, dana: Person, marcus: Person
) -> None:
    dana.slash("/costcodes away")
    dana.wait_for_ephemeral("Nobody stands in for you.")
    dana.slash(f"/costcodes away {DAYS} to @marcus.oyelaran")
    dana.wait_for_ephemeral("who acts by their own right")

    marcus.click("Update", card)
    marcus.wait_for_ephemeral("It is updated")
    assert office.events(Event.UPDATED)[0]["standing_in_for"] == ["Dana Whitfield"]
    assert "Marcus Oyelaran, for Dana Whitfield," in office.post_card().words

    dana.slash("/costcodes away off")
    dana.wait_for_ephemeral("Marcus Oyelaran no longer stands in for you.")
    with office.database.reading() as session:
        person = session.scalars(
            select(InDirectory).where(InDirectory.email == sample_company.APPROVER)
        ).one()
        assert aways.planned(session, person.id, at=datetime.now(UTC)) is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (f"{DAYS} to @tom.beckett", "Tom Beckett cannot stand in"),
        (f"{DAYS} to nobody@example.com", "Nobody in the company directory matches the person you named"),
        (f"{DAYS} to {sample_company.APPROVER}", "cannot stand in for themselves"),
        (f"2020-01-01 to {sample_company.SECOND_APPROVER}", "2020-01-01 is over"),
        ("next week to @marcus.oyelaran", "Write the days and who stands in"),
    ],
)
def test_what_cannot_be_is_told_with_the_reason(office: Office, dana: Person, typed: str, said: str) -> None:
    dana.slash(f"/costcodes away {typed}")
    dana.wait_for_ephemeral(said)
    assert office.events(Event.AWAY) == []


def test_a_rejected_request_is_asked_for_again_from_its_card(office: Office, tom: Person) -> None:
    update = office.request("03-300 L")
    office.site.reject(update)
    card = office.post_card()

    tom.click("Ask again", card)
    tom.wait_for_ephemeral("It was asked for again, and is Ready to Update.")
    assert office.state() is State.READY
    tom.click("Ask again", card)
    tom.wait_for_ephemeral("All of it waits for an approver already")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-12-01..2026-12-05 to <@U1|dana>", ("2026-12-01", "2026-12-05", "U1", "")),
        ("2026-12-01..2026-12-05, to <@W1>", ("2026-12-01", "2026-12-05", "W1", "")),
        ("2026-12-01 to d@example.com", ("2026-12-01", "2026-12-01", "", "d@example.com")),
        ("2026-12-01 to <mailto:d@e.com|d@e.com>", ("2026-12-01", "2026-12-01", "", "d@e.com")),
        ("2026-12-01..2026-12-05", None),
        ("2026-13-01..2026-12-05 to <@U1>", None),
        ("2026-12-01..2026-12-05 to dana", None),
    ],
)
def test_days_and_the_person_are_read_as_slack_sends_them(
    typed: str, meant: tuple[str, str, str, str] | None
) -> None:
    found = read(typed)

    assert (found and (str(found.first_day), str(found.last_day), found.slack_user, found.email)) == meant
    assert found is None or isinstance(found, Handing)
