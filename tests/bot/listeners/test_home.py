"""App Home: each person's own page, as they left it, and drawn anew by every act on it."""

from bot.payloads import Action, FilterChoice
from bot.sandbox.client import Person, View
from tests.bot.listeners.conftest import TITLE, Office
from workflow.tables import Person as InDirectory
from workflow.vocabulary import Event, JobFilter, State


def home_of(who: Person, containing: str = "") -> View:
    """The person's page, once it holds these words."""

    def wanted(seen: object) -> View | None:
        home = who.sees().home
        return home if home and containing in home.words else None

    return who.wait_for(wanted)


def choose(who: Person, which: JobFilter) -> None:
    value = FilterChoice(filter=which).text()
    assert who.click(Action.HOME_FILTER, home_of(who, "Ready to Update"), value=value).error is None


def test_an_approver_sees_what_is_ready_and_can_run_a_data_sync(office: Office, dana: Person) -> None:
    dana.open_home()
    home = home_of(dana, TITLE)
    assert "You are an accounting approver" in home.words
    assert home.buttons == ["Run a data sync now", "View Requested Updates", "Update"]


def test_a_button_of_app_home_is_answered_in_a_window(office: Office, dana: Person) -> None:
    dana.open_home()
    home = home_of(dana)
    dana.click("Run a data sync now", home)
    dana.wait_for_modal("A data sync was asked for.")
    assert len(office.events(Event.SYNC_ASKED)) == 1
    dana.click("View Requested Updates", home)
    dana.wait_for_modal(TITLE)
    assert home_of(dana).buttons == home.buttons


def test_an_approver_updates_from_app_home_what_the_page_showed(office: Office, dana: Person) -> None:
    dana.open_home()
    shown = home_of(dana, TITLE)
    office.request("09-250 L")
    dana.click("Update", shown)
    dana.wait_for_modal("1 assignment came since you looked")
    assert office.state() is State.READY

    dana.open_home()
    dana.click("Update", home_of(dana, "revision 2"))
    dana.wait_for_modal("It is updated")
    assert office.state() is State.ACCEPTED


def test_who_may_not_update_sees_why_and_what_they_asked_for(office: Office, tom: Person) -> None:
    tom.open_home()
    home = home_of(tom, "needs permission Standard or Admin")
    assert "Requested by you" in home.words
    assert TITLE in home.words
    assert home.buttons == ["View Requested Updates"]


def test_the_administrator_sees_who_nearly_may_update(office: Office, priya: Person) -> None:
    priya.open_home()
    home = home_of(priya, "For the administrator")
    assert "Priya Raman: the Can Push to Accounting privilege is missing" in home.words


def test_a_choice_and_a_search_are_remembered(office: Office, dana: Person) -> None:
    dana.open_home()
    choose(dana, JobFilter.SYNCED)
    home_of(dana, "Nothing was sent to Sage yet.")
    choose(dana, JobFilter.READY)
    dana.click(Action.HOME_SEARCH, home_of(dana, TITLE), value="<@nobody>")
    home_of(dana, "No job here has “&lt;@nobody&gt;”")

    dana.open_home()
    dana.click("Show all", home_of(dana, "No job here has"))
    home_of(dana, TITLE)


def test_an_emptied_search_shows_every_job_again(office: Office, dana: Person) -> None:
    dana.open_home()
    dana.click(Action.HOME_SEARCH, home_of(dana, TITLE), value="24-017")
    dana.click(Action.HOME_SEARCH, home_of(dana, "Only jobs with “24-017”"), value="")
    dana.wait_for(lambda seen: seen.home and "Only jobs" not in seen.home.words)


def test_pages_are_turned_both_ways(office: Office, dana: Person) -> None:
    for number in range(10):
        office.site.ask("03-300 L", by=office.tom, job=office.site.another_job(f"25-{number:03}"))
    dana.open_home()
    dana.click("Next", home_of(dana, "Jobs 1 to 10 of 11"))
    dana.click("Previous", home_of(dana, "Jobs 11 to 11 of 11"))
    home_of(dana, "Jobs 1 to 10 of 11")


def test_when_a_pages_last_job_is_updated_the_page_before_it_is_shown(office: Office, dana: Person) -> None:
    for number in range(10):
        office.site.ask("03-300 L", by=office.tom, job=office.site.another_job(f"25-{number:03}"))
    dana.open_home()
    dana.click(Action.HOME_SEARCH, home_of(dana, TITLE), value="2")
    dana.click("Next", home_of(dana, "Jobs 1 to 10"))
    home = home_of(dana, "Jobs 11 to 11")
    dana.click("Update", home)
    dana.wait_for_modal("It is updated")
    dana.close()

    dana.open_home()
    assert "Only jobs with “2”" in home_of(dana, TITLE).words


def test_whom_the_directory_does_not_know_asks_on_the_page_itself(office: Office, tom: Person) -> None:
    with office.database.writing() as session:
        session.get_one(InDirectory, office.tom.id).email = "another@example.com"
    tom.open_home()
    home = home_of(tom, "Nobody in the company directory matches")
    assert TITLE not in home.words
    tom.click("Ask for the privilege", home)
    tom.wait_for_modal("Why do you need it?")


def test_a_guest_sees_no_job(office: Office, grace: Person) -> None:
    grace.open_home()
    home = home_of(grace, "Only members of this workspace")
    assert TITLE not in home.words
    assert home.buttons == []


def test_while_slack_wants_no_more_pages_the_click_is_remembered(office: Office, dana: Person) -> None:
    dana.open_home()
    home = home_of(dana, TITLE)
    office.sandbox.fail_next("views.publish", "ratelimited")
    dana.click(Action.HOME_SEARCH, home, value="Harbor")
    dana.wait_for(lambda _: len(office.sandbox.calls("views.publish")) == 2)
    assert office.sandbox.calls("chat.postMessage") == []
    assert home_of(dana).words == home.words


def test_a_message_to_the_bot_is_taken_quietly(office: Office, tom: Person) -> None:
    assert tom.say("hello?").error is None
    assert [sent["answer"]["error"] for sent in office.sandbox.deliveries()] == [None]


def test_whoever_asked_asks_again_for_what_was_rejected(office: Office, dana: Person, tom: Person) -> None:
    office.site.reject(office.request("09-250 L"), comment="Use 09-260.")
    tom.open_home()
    home = home_of(tom, "Use 09-260.")
    tom.click("Ask again", home)
    tom.wait_for_modal("It was asked for again")
    assert office.state() is State.READY
    tom.click("Ask again", home)
    tom.wait_for_modal("All of it waits for an approver already")
