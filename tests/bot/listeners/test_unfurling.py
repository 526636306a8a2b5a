"""Links to jobs that people share: a few facts below them, and for whom not."""

from typing import Any

import pytest
from structlog.typing import EventDict

from bot.sandbox import sample_company
from bot.sandbox.client import Message, Person, Sandbox
from tests.bot.listeners.conftest import TITLE, Office

LINK = "https://costbot.example.com/jobs/24-017"


@pytest.fixture
def language() -> str:
    """What the company reads."""
    return "en"


@pytest.fixture
def settings(settings: dict[str, Any], language: str) -> dict[str, Any]:
    """The company has an address of its own."""
    return settings | {"public_url": "https://costbot.example.com", "language": language}


@pytest.fixture
def sandbox(sandbox: Sandbox) -> Sandbox:
    sandbox.switch(unfurl_domains=["costbot.example.com"])
    return sandbox


def cards(message: Message) -> list[dict[str, Any]]:
    """What Slack shows below the links of a message."""
    return [one for one in message.raw["attachments"] if one.get("is_app_unfurl")]


def shared(person: Person, text: str) -> Message:
    """A message with a link that has its facts below."""
    assert person.say(text).error is None
    return person.wait_for(lambda seen: next((m for m in seen.messages if m.text == text and cards(m)), None))


def share_in_vain(office: Office, sharer: Person, text: str) -> None:
    """Share a link that has to stay as it is; the one that Dana shares next is done after it."""
    before = len(office.sandbox.calls("chat.unfurl"))
    assert sharer.say(text).error is None
    shared(office.person(sample_company.APPROVER), f"and this one: {LINK}")
    [message] = [m for m in sharer.sees().messages if m.text == text]
    assert cards(message) == []
    called = office.sandbox.calls("chat.unfurl")[before:]
    assert [call["ok"] for call in called].count(True) == 1


def test_a_link_to_a_job_shows_where_it_stands_without_a_button(office: Office, tom: Person) -> None:
    [card] = cards(shared(tom, f"Please look at {LINK} today"))
    said = str(card["blocks"])
    assert TITLE in said
    assert "Ready to Update" in said
    assert "actions" not in {block["type"] for block in card["blocks"]}
    assert "accessory" not in said


@pytest.mark.parametrize("ending", ["", "?from=mail", "#top"])
def test_an_address_with_something_behind_it_is_the_job_s(office: Office, tom: Person, ending: str) -> None:
    [card] = cards(shared(tom, f"{LINK}{ending}"))
    assert card["app_unfurl_url"] == f"{LINK}{ending}"


@pytest.mark.parametrize("language", ["es"])
def test_what_a_link_shows_is_in_the_language_of_the_company(office: Office, tom: Person) -> None:
    [card] = cards(shared(tom, LINK))
    assert "Lista para actualizar" in str(card["blocks"])
    assert TITLE in str(card["blocks"])


@pytest.mark.parametrize(
    "address",
    [
        "https://costbot.example.com/jobs/99-999",
        "https://costbot.example.com/jobs/",
        "https://costbot.example.com/",
        "https://costbot.example.com:8443/jobs/24-017",
    ],
)
def test_an_address_that_is_no_job_with_cost_codes_stays_a_link(
    office: Office, tom: Person, address: str
) -> None:
    share_in_vain(office, tom, address)


def test_a_guest_s_link_tells_nobody_anything(office: Office, grace: Person) -> None:
    share_in_vain(office, grace, f"what is {LINK} about")


def test_a_member_who_is_not_in_the_directory_shares_a_link_alone(office: Office) -> None:
    office.sandbox.put_user("U0NEW", email="new@example.com", real_name="Newcomer")
    share_in_vain(office, office.person("new@example.com"), LINK)


def test_somebody_of_another_organisation_shares_a_link_alone(office: Office) -> None:
    office.sandbox.put_user("U0OUT", email="guest@elsewhere.example", team_id="T0OTHER")
    share_in_vain(office, office.person("guest@elsewhere.example"), LINK)


def test_in_a_channel_that_is_shared_with_another_organisation_nothing_of_a_job_is_told(
    office: Office, tom: Person
) -> None:
    office.sandbox.switch(ext_shared=True)
    assert tom.say(f"with our partners: {LINK}").error is None
    office.sandbox.switch(ext_shared=False)
    shared(office.person(sample_company.APPROVER), f"among us: {LINK}")
    [outside] = [m for m in tom.sees().messages if m.text.startswith("with our partners")]
    assert cards(outside) == []
    assert len(office.sandbox.calls("chat.unfurl")) == 1


def test_a_link_that_is_only_being_typed_tells_nothing_yet(office: Office, tom: Person) -> None:
    """Where it will be sent is not known: the sandbox tells of the typing too, as Slack does."""
    shared(tom, LINK)
    [call] = office.sandbox.calls("chat.unfurl")
    assert "composer" not in str(call)


def test_a_doubled_event_shows_the_facts_once(office: Office, tom: Person) -> None:
    office.sandbox.switch(deliver_twice=2)  # the typing, and the message
    assert len(cards(shared(tom, LINK))) == 1
    shared(tom, f"again {LINK}")
    assert len(office.sandbox.calls("chat.unfurl")) == 2


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("error", {"error": "cannot_unfurl_url"}),
        ("error", {"error": "cannot_find_message"}),
        ("error", {"error": "missing_scope"}),
        ("error", {"error": "unknown_method"}),
        ("ratelimited", {"retry_after": 0}),
        ("server_error", {}),
        ("reset", {}),
    ],
)
def test_a_link_that_slack_does_not_unfurl_stays_a_link_and_the_next_one_is_shown(
    office: Office, tom: Person, logged: list[EventDict], kind: str, more: dict[str, Any]
) -> None:
    office.sandbox.fail_next("chat.unfurl", kind, **more)
    assert tom.say(f"look: {LINK}").error is None
    tom.wait_for(lambda _: any("below a link" in one["event"] for one in logged) or None)
    shared(tom, f"and now: {LINK}")
    [message] = [m for m in tom.sees().messages if m.text == f"look: {LINK}"]
    assert cards(message) == []
