"""The life of a requested update, from the request to Sage, as people and scripts live it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.sandbox import sample_company
from bot.sandbox.client import Person
from tests.e2e.conftest import in_small_office
from tests.e2e.office import FAILED, READY, REJECTED, SYNCED, UPDATED, Office
from tests.e2e.tree import PATIENCE

LINES = ("03-3000,L", "03-3000,M", "03-3110,S")
"""What Sage holds already, a new category of the same cost code, a new cost code."""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(autouse=True)
def no_process_logs_an_error(office: Office) -> Iterator[None]:
    before = office.tree.errors()
    yield
    assert office.tree.errors() == before


def test_what_an_approver_updates_is_in_sage_after_the_data_sync_and_everybody_hears(office: Office) -> None:
    job, card = office.requested(*LINES)
    for approver in (office.dana, office.marcus):
        approver.wait_for_direct_message(job, PATIENCE)
    assert "3 assignments, 1 code new to Sage" in card.words

    office.dana.click("Update", card)
    assert "by Dana Whitfield" in office.card(job, UPDATED).words
    office.dana.slash("/costcodes sync")

    card = office.card(job, SYNCED)
    assert "1 created, 1 tied to cost codes Sage had, 1 there already" in card.words
    assert card.buttons == ["View Requested Updates"]
    requested, updated, sent, synced = office.thread(job, "Sage holds every line")
    assert "Tom Beckett requested 3 assignments of 2 cost codes" in requested
    assert "Dana Whitfield updated revision 1" in updated
    assert "sent it to Sage" in sent
    assert "1 created, 1 tied to cost codes Sage had, 1 there already" in synced
    office.tom.wait_for_direct_message(synced, PATIENCE)
    assert office.in_sage(job) == {"03-3000": ["L", "M"], "03-3110": ["S"]}
    shown = office.show(job)
    assert shown["state"] == "synced"
    assert [(line["outcome"], line["sage_description"]) for line in shown["lines"]] == [
        ("already_there", "Concrete as Sage has it"),
        ("tied", "Concrete as Sage has it"),
        ("created", "Concrete Pumping"),
    ]


@in_small_office
def test_whoever_lacks_the_privilege_hears_why_alone_and_asks_the_administrator(office: Office) -> None:
    job, card = office.requested("03-3110,S")

    office.priya.click("Update", card)

    denial = office.priya.wait_for_ephemeral("Can Push to Accounting", PATIENCE)
    assert f"Ask {sample_company.SECOND_APPROVER}" in denial.words
    office.priya.click("Ask for the privilege", denial)
    office.priya.wait_for_modal("Why do you need it?", PATIENCE)
    office.priya.submit({"reason": {"reason": "Dana is away until Monday."}})
    office.priya.wait_for_modal("Marcus Oyelaran was asked", PATIENCE)
    office.marcus.wait_for_direct_message("Priya Raman asks to become an accounting approver", PATIENCE)
    assert all("Can Push" not in message.words for message in office.dana.sees().ephemerals)
    assert office.show(job)["state"] == "ready"


@in_small_office
def test_everybody_else_is_refused_in_words_of_their_own_and_on_record(office: Office) -> None:
    office.sandbox.put_user("U0HELEN", email="helen.ostrowski@kestrelbuilders.example")
    office.sandbox.put_user("U0NINA", email="nina@kestrelbuilders.example")
    office.sandbox.put_user("U0SAM", email=sample_company.APPROVER, team_id="T0STRANGER")
    job, card = office.requested("03-3110,S")
    refusals: dict[str, tuple[str, str]] = {
        sample_company.PROJECT_ENGINEER: ("needs permission Standard or Admin", "permission_too_low"),
        "U0HELEN": ("is deactivated in the company directory", "deactivated"),
        "U0NINA": ("Nobody in the company directory matches", "no_matching_person"),
        sample_company.GUEST: ("Only members of this workspace", "from_outside"),
        "U0SAM": ("Only members of this workspace", "from_outside"),
    }

    for who, (words, _reason) in refusals.items():
        person = office.sandbox.as_person(who)
        person.click("Update", card)
        person.wait_for_ephemeral(words, PATIENCE)

    assert office.show(job)["state"] == "ready"
    reasons = [e["facts"]["reason"] for e in office.history(job) if e["event"] == "act:refused"]
    assert reasons == [reason for _words, reason in refusals.values()]


def test_a_click_on_what_has_grown_since_changes_nothing_and_the_window_shows_what_is_new(
    office: Office,
) -> None:
    job, card = office.requested("03-3110,S")
    office.wait_until_told()

    with office.frozen("worker", "notices"):
        office.ask(job, "03-6000,L")
        office.dana.click("Update", card)
        window = office.dana.wait_for_modal("1 assignment came since you looked", PATIENCE)

    assert "(new) 🆕 since you looked" in window.words
    shown = office.show(job)
    assert (shown["state"], shown["revision"]) == ("ready", 2)
    assert "revision 2" in office.card(job, "2 cost codes").words
    office.dana.submit()
    office.card(job, UPDATED)


def test_of_two_approvers_at_once_one_updates_and_the_other_hears_who(office: Office) -> None:
    job, card = office.requested("03-3110,S")
    office.wait_until_told()
    approvers = {"Dana Whitfield": office.dana, "Marcus Oyelaran": office.marcus}

    def click(approver: Person) -> str:
        approver.click("Update", card)
        return approver.wait_for_ephemeral(f"{job} Building", PATIENCE).words

    with office.frozen("worker", "notices"), ThreadPoolExecutor() as both:
        said = dict(zip(approvers, both.map(click, approvers.values()), strict=True))

    [winner] = [name for name, words in said.items() if "It is updated" in words]
    [loser] = approvers.keys() - {winner}
    assert f"{winner} updated it" in said[loser]
    assert f"by {winner}" in office.card(job, UPDATED).words
    assert len([words for words in office.thread(job, "updated revision 1") if "updated" in words]) == 1


@in_small_office
def test_what_is_taken_back_is_ready_again_and_the_data_sync_leaves_it(office: Office) -> None:
    job, card = office.requested("03-3110,S")
    office.dana.click("Update", card)

    office.dana.click("Take back", office.card(job, UPDATED))

    office.card(job, READY)
    office.thread(job, "Dana Whitfield took the update back")
    office.done("sync")
    assert office.show(job)["state"] == "ready"
    assert office.in_sage(job) == {"03-3000": ["L"]}


@in_small_office
def test_a_reject_tells_who_requested_why_and_the_next_request_is_on_the_same_card(office: Office) -> None:
    job, card = office.requested("03-3110,S")

    office.dana.click("Reject", card)
    office.dana.wait_for_modal("Why?", PATIENCE)
    office.dana.submit({"comment": {"comment": "Pumping belongs to 03-3000 & its <lines>"}})

    assert "by Dana Whitfield" in office.card(job, REJECTED).words
    for told in (
        office.tom.wait_for_direct_message("rejected revision 1", PATIENCE).words,
        office.thread(job, "rejected revision 1")[-1],
    ):
        assert "“Pumping belongs to 03-3000 &amp; its &lt;lines&gt;”" in told
    office.ask(job, "03-3000,M")
    office.nudge()
    assert office.card(job, READY).ts == card.ts


def test_what_sage_refuses_is_shown_in_its_words_and_goes_when_it_was_corrected(office: Office) -> None:
    job, card = office.requested("03-3110,S", "01-1780,CW")
    office.dana.click("Update", card)
    office.card(job, UPDATED)
    office.dana.slash("/costcodes sync")

    card = office.card(job, FAILED)
    assert "01-1780 CW: Category CW is not a standard category" in card.words
    office.tom.wait_for_direct_message("Sage refused 1 line", PATIENCE)
    office.done("sage", "load-categories", str(office.file("more.csv", "category", ["CW"])))
    office.dana.click("Send again", card)
    card = office.card(job, READY)
    assert "1 code new to Sage" in card.words
    office.dana.click("Update", card)
    office.card(job, UPDATED)
    office.dana.slash("/costcodes sync")

    office.card(job, SYNCED)
    assert {line["outcome"] for line in office.show(job)["lines"]} == {"created"}


def test_a_contract_waits_for_its_cost_codes_and_is_released_after_them(office: Office) -> None:
    job, card = office.requested("03-3110,S")
    office.done("hold", "add", job, "commitment", "SC-1", "Concrete works")
    office.nudge()
    card = office.card(job, "SC-1 Concrete works")
    office.dana.click("Update", card)
    office.card(job, UPDATED)
    held = office.costbot("hold", "check", job)
    assert held.exit_code == 3
    assert "wait for the next data sync" in held.err

    office.dana.slash("/costcodes sync")

    assert "SC-1" not in office.card(job, SYNCED).words
    office.thread(job, "Released, may be exported now: ")
    assert office.costbot("hold", "check", job).exit_code == 0
    events = [event["event"] for event in office.history(job)]
    assert events.index("requested_update:exported") < events.index("hold:released")


@in_small_office
def test_the_command_line_alone_does_the_whole_job_and_the_card_hears_of_it(office: Office) -> None:
    dana = ("--by", sample_company.APPROVER)
    job = office.new_job()

    office.ask(job, "03-3110,S")
    office.ask(job, "03-3000,M")
    stale = office.costbot("update", job, *dana, "--revision", "1")
    denied = office.costbot("update", job, "--by", sample_company.ADMIN_WITHOUT_PRIVILEGE)
    assert (stale.exit_code, denied.exit_code) == (3, 3)
    assert "Can Push to Accounting" in denied.err
    assert office.done("update", job, *dana, "--revision", "2")["state"] == "accepted"
    assert office.done("take-back", job, *dana)["state"] == "ready"
    assert office.done("update", job, *dana)["state"] == "accepted"
    ran = office.process("sync", "--json")  # nothing of it hangs on the process of the tests
    assert ran.exit_code == 0, ran
    synced = ran.json
    assert (synced["state"], synced["jobs"], synced["created"], synced["tied"]) == ("finished", 1, 1, 1)

    office.card(job, SYNCED)
    assert "(command line)" in office.thread(job, "Sage holds every line")[0]
    assert office.done("audit", "verify")["problems"] == []
