"""`/costcodes`, as people type it."""

from bot.sandbox import sample_company
from bot.sandbox.client import Message, Person
from tests.bot.listeners.conftest import TITLE, Office
from tests.factories import NINE
from workflow import messages
from workflow.tables import ScheduleSlot
from workflow.vocabulary import Event, Refusal, State


def ask(person: Person, typed: str, expected: str) -> Message:
    """Type a command, and wait for the answer that only the person sees."""
    assert person.slash(f"/costcodes {typed}").error is None
    return person.wait_for_ephemeral(expected)


def test_jobs_lists_what_is_ready_with_a_button_that_opens_it(office: Office, tom: Person) -> None:
    answer = ask(tom, "jobs", "Ready to Update: 1 job")
    assert TITLE in answer.words
    tom.click("View Requested Updates", answer)
    tom.wait_for_modal(TITLE)


def test_jobs_are_filtered_by_state_and_by_text(office: Office, tom: Person) -> None:
    ask(tom, "jobs failed", "Failed to Export: 0 jobs")
    assert TITLE in ask(tom, "jobs all medical", "with “medical”: 1 job").words
    ask(tom, "jobs all hospital", "with “hospital”: 0 jobs")


def test_show_opens_the_window_by_number_or_by_a_part_of_the_name(office: Office, tom: Person) -> None:
    for typed in ("24-017", "riverside"):
        tom.slash(f"/costcodes show {typed}")
        tom.wait_for_modal(TITLE)
        tom.close()
        tom.wait_for(lambda seen: seen.modal is None)


def test_update_opens_the_window_first_and_an_approver_updates_in_it(office: Office, dana: Person) -> None:
    dana.slash("/costcodes update 24-017")
    assert dana.wait_for_modal(TITLE).submit == "Update"
    assert office.state() is State.READY
    dana.submit()
    dana.wait_for_modal("It is updated")
    assert office.state() is State.ACCEPTED


def test_an_unknown_job_is_told_in_the_window_that_opened(office: Office, tom: Person) -> None:
    tom.slash("/costcodes show 99-999")
    tom.wait_for_modal("There is no job “99-999”. /costcodes jobs all lists every job")


def test_a_name_that_fits_several_jobs_asks_which(office: Office, tom: Person) -> None:
    office.site.ask("03-300 L", job=office.site.another_job("24-099", "Riverside Garage"))
    tom.slash("/costcodes show riverside")
    window = tom.wait_for_modal("Which job is “riverside”?")
    assert "24-099 Riverside Garage" in window.words


def test_a_job_that_nobody_asked_anything_for_is_told(office: Office, tom: Person) -> None:
    office.site.another_job("24-100")
    tom.slash("/costcodes show 24-100")
    tom.wait_for_modal("Nobody has requested cost codes for this job.")


def test_an_approver_asks_for_a_data_sync(office: Office, dana: Person) -> None:
    ask(dana, "sync", "A data sync was asked for.")
    assert office.nudged == ["deliver", "data_sync"]
    with office.database.reading() as session:
        (slot,) = session.query(ScheduleSlot).all()
    assert (slot.name, slot.done_at) == ("data_sync", None)
    assert [event["actor"] for event in office.events(Event.SYNC_ASKED)] == ["Dana Whitfield"]


def test_others_may_not_start_a_data_sync(office: Office, tom: Person) -> None:
    ask(tom, "sync", "needs permission Standard or Admin")
    assert "data_sync" not in office.nudged
    assert [e["act"] for e in office.events(Event.REFUSED)] == ["start a data sync"]


def test_data_syncs_are_listed_with_the_next_one(office: Office, dana: Person) -> None:
    ask(dana, "syncs", "No data sync has run yet")
    ask(dana, "syncs", "Next data sync")


def test_holds_lists_what_waits(office: Office, tom: Person) -> None:
    ask(tom, "holds", "No contract or change order waits")
    office.site.hold("SC-7")
    assert "SC-7" in ask(tom, "holds", "1 contract waits").words


def test_history_tells_what_happened_to_a_job(office: Office, dana: Person) -> None:
    dana.slash("/costcodes update 24-017")
    dana.wait_for_modal(TITLE)
    dana.submit()
    dana.wait_for_modal("It is updated")
    words = ask(dana, "history 24-017", f"History of {TITLE}").words
    assert words.index("Tom Beckett requested 3 assignments") < words.index(
        "Dana Whitfield updated revision 1"
    )


def test_history_of_an_unknown_job_is_told(office: Office, tom: Person) -> None:
    ask(tom, "history nowhere", "There is no job “nowhere”")


def test_whoami_says_what_the_directory_says(office: Office, dana: Person, priya: Person) -> None:
    assert sample_company.APPROVER in ask(dana, "whoami", "You are an accounting approver").words
    ask(priya, "whoami", "does not have the Can Push to Accounting privilege")


def test_whoami_tells_a_guest_that_they_are_outside(office: Office, grace: Person) -> None:
    ask(grace, "whoami", "Only members of this workspace")


def test_a_guest_sees_no_list(office: Office, grace: Person) -> None:
    ask(grace, "jobs", "Only members of this workspace")
    assert [e["reason"] for e in office.events(Event.REFUSED)] == [Refusal.FROM_OUTSIDE]


def test_a_member_without_a_person_may_look_but_not_act(office: Office) -> None:
    office.sandbox.put_user("U0NEW", real_name="Nia New", email="nia@kestrelbuilders.example")
    nia = office.person("U0NEW")
    ask(nia, "jobs", TITLE)
    nia.slash("/costcodes update 24-017")
    window = nia.wait_for_modal(
        "Nobody in the company directory matches Nia New (nia@kestrelbuilders.example)"
    )
    assert window.submit is None


def test_help_lists_every_usage_and_so_does_nothing_typed(office: Office, tom: Person) -> None:
    assert "history JOB" in ask(tom, "help", "How to use /costcodes").words
    tom.slash("/costcodes")
    tom.wait_for(lambda seen: len([m for m in seen.ephemerals if "How to use" in m.words]) == 2 or None)


def test_wrong_usage_is_told_what_comes_closest(office: Office, tom: Person) -> None:
    ask(tom, "udpate 24-017", "Did you mean /costcodes update [JOB]?")


def test_what_is_typed_stays_text(office: Office, tom: Person) -> None:
    answer = ask(tom, "jobs all <!channel> *x*", "0 jobs")
    assert "<!channel>" not in answer.raw["text"]
    assert all("<!channel>" not in str(block.get("text", {}).get("text")) for block in answer.blocks)


def test_show_links_the_card_of_the_job(office: Office, card: Message, tom: Person) -> None:
    with office.database.writing() as session:
        key = messages.card_key(office.job_id)
        messages.attempt(session, key, channel=card.channel, at=NINE)
        messages.posted(session, key, channel=card.channel, ts=card.ts)
    tom.slash("/costcodes show 24-017")
    window = tom.wait_for_modal("Open the card")
    assert f"p{card.ts.replace('.', '')}|Open the card>" in window.words
