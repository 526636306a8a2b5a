"""`/costcodes report`: words for whoever asks, with the chart and a CSV file in their direct message."""

import httpx
import pytest

from bot.sandbox.client import NO_AUTHORITIES, Message, Person
from tests.bot.listeners.conftest import Office

pytestmark = pytest.mark.usefixtures("pictures_at_hand")
ASKED = "1 request came, 0 updated, 0 rejected."


def ask(person: Person, expected: str) -> Message:
    assert person.slash("/costcodes report month").error is None
    return person.wait_for_ephemeral(expected, seconds=60)


def files(person: Person) -> list[Message]:
    """The messages with files in the person's direct message with costbot."""
    return [message for message in person.sees().direct_messages if message.raw.get("files")]


def test_the_chart_with_its_words_and_a_csv_file_are_sent_to_whoever_asks(
    office: Office, tom: Person
) -> None:
    answer = ask(tom, "are in your direct message with costbot")
    assert ASKED in answer.words
    [shared] = files(tom)
    assert ASKED in shared.text
    picture, figures = shared.raw["files"]
    assert picture["alt_txt"].startswith("Four charts. ")
    assert ASKED in picture["alt_txt"]
    assert httpx.get(picture["url_private"], timeout=60, verify=NO_AUTHORITIES).content.startswith(b"\x89PNG")
    assert httpx.get(figures["url_private"], timeout=60, verify=NO_AUTHORITIES).text.startswith(
        "table,row,figure,value\n"
    )


@pytest.mark.parametrize(
    ("method", "kind", "expected"),
    [
        ("files.getUploadURLExternal", "ratelimited", "Ask again in a minute"),
        ("files.getUploadURLExternal", "server_error", "Ask again in a minute"),
        ("upload", "ratelimited", "Ask again in a minute"),
        ("upload", "server_error", "Ask again in a minute"),
        ("upload", "reset", "Ask again in a minute"),
        ("files.completeUploadExternal", "ratelimited", "Ask again in a minute"),
        ("files.completeUploadExternal", "server_error", "did not say whether"),
        ("files.completeUploadExternal", "reset", "did not say whether"),
    ],
)
def test_slack_failing_in_between_leaves_the_words_and_the_next_time_the_files_come_once(
    office: Office, tom: Person, method: str, kind: str, expected: str
) -> None:
    more = {"retry_after": 0} if kind == "ratelimited" else {}
    office.sandbox.fail_next(method, kind, **more)
    assert ASKED in ask(tom, expected).words
    ask(tom, "are in your direct message with costbot")
    assert len(files(tom)) == 1


def test_a_file_that_arrived_though_slack_did_not_say_so_is_not_sent_again(
    office: Office, tom: Person
) -> None:
    office.sandbox.fail_next("files.completeUploadExternal", "server_error", after=True)
    ask(tom, "did not say whether")
    assert len(files(tom)) == 1


def test_without_the_scope_the_report_is_in_words(office: Office, tom: Person) -> None:
    office.sandbox.switch(missing_scopes=["files:write"])
    assert ASKED in ask(tom, "costbot doctor says what is missing").words


def test_on_a_server_that_has_no_files_the_report_is_in_words(office: Office, tom: Person) -> None:
    office.sandbox.fail_next("files.getUploadURLExternal", "error", error="unknown_method")
    assert ASKED in ask(tom, "does not let costbot send files").words
