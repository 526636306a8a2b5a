"""Slack at its worst: every way in which it refuses, breaks, is late or says a thing twice.

In each try people work while the fault lasts; afterwards Slack is well again and everything drains.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from typing import Any

from bot.sandbox.client import Json, Message, Person, RefusedError, Seen
from tests import processes
from tests.faults.clicking import Click, cards_of, click, is_answer, is_said_again
from tests.faults.company import CODES, Company
from tests.faults.crowd import disagreements
from tests.faults.tries import Tries, until_seen
from tests.faults.verdict import Finding, Kind

Run = Callable[[Company, random.Random, int], Tries]
_POSTS = ("chat.postMessage", "chat.update", "conversations.open")
_LATE_SECONDS = 4.0
_MOST_SECONDS = 60.0
_ANSWERS = (
    "response_url",
    "chat.postEphemeral",
    "views.open",
    "views.update",
    "views.publish",
    "users.info",
)
"""By what costbot answers one person, and learns who they are."""
_SAY = ("response_url", "chat.postEphemeral")
"""What these carry out and call a failure is said again."""
_ANSWER_SECONDS = 120.0
_SYNC_SECONDS = 4.0
_AT_ONE_DESK = ("Update", "Update", "Reject")


def answers(kind: str, *, calls: int = 3, methods: tuple[str, ...] = _POSTS, **more: Any) -> Run:
    """The next `calls` calls of each method go wrong; every other one after Slack has carried it out."""

    carries_out = kind not in ("ratelimited", "error")

    def fail(company: Company, rng: random.Random, times: int) -> Tries:
        began = time.time()
        for _ in range(times):
            for method in methods:
                for number in range(calls):
                    after = carries_out and number % 2 == 0
                    company.sandbox.fail_next(method, kind, after=after, **more)
            _work(company, rng, lambda: _struck(company, began))
        return Tries(_struck(company, began), "calls, some of them carried out" if carries_out else "calls")

    return fail


def answers_to_people(kind: str, *, calls: int = 2, **more: Any) -> Run:
    """Every way to answer a click goes wrong `calls` times, while people click, type and open App Home.

    Each works at a job of their own, and waits for every answer; two are new, so that Slack is asked who they
    are. Every second call of what says nothing is carried out first, where the fault leaves that unknown.
    """

    def fail(company: Company, rng: random.Random, times: int) -> Tries:
        began = time.time()
        findings: list[Finding] = []
        for _ in range(times):
            people = [*company.approvers[:2], *company.hire(2)]
            jobs = [company.new_job() for _ in people]
            for method in _ANSWERS:
                for number in range(calls):
                    after = kind != "ratelimited" and number % 2 == 0
                    company.sandbox.fail_next(method, kind, after=after, **more)
            with ThreadPoolExecutor(len(people)) as pool:
                desks = zip(people, jobs, strict=True)
                clicks = [*pool.map(lambda desk: _at_a_desk(company, desk[0], desk[1]), desks)]
            company.sandbox.clear_faults()
            events = company.facts().events
            for job, some in zip(jobs, clicks, strict=True):
                findings += disagreements(some, [event for event in events if event.job == job])
            findings += [finding for person in people for finding in _without_home(company, *person)]
        struck = Counter(call["method"] for call in _struck_calls(company, began))
        note = ", ".join(f"{method} {count}" for method, count in sorted(struck.items()))
        return Tries(struck.total(), note, findings=tuple(findings))

    return fail


def _at_a_desk(company: Company, who: tuple[str, str], job: str) -> list[Click]:
    """One person opens App Home, types a command, and updates, takes back and rejects, all of one job."""
    name, email = who
    person, unheard = company.sandbox.as_person(email), partial(_unheard, company)
    clicks = []
    person.open_home()
    if not _is_answered(person, "/costcodes jobs ready", unheard):
        clicks.append(Click(name, "typing", ""))
    for line, act in zip(CODES, _AT_ONE_DESK, strict=False):
        company.request(job, line)
        company.nudge()
        card = person.wait_for(partial(_card_with, act=act, job=job), _ANSWER_SECONDS)
        with suppress(RefusedError):  # the card changed under the hand
            clicks.append(click(person, name, act, card, _ANSWER_SECONDS, unheard=unheard))
        # unless a data sync was quicker
        with suppress(AssertionError, RefusedError):
            card = person.wait_for(partial(_card_with, act="Take back", job=job), _SYNC_SECONDS)
            clicks.append(click(person, name, "Take back", card, _ANSWER_SECONDS, unheard=unheard))
    return clicks


def _unheard(company: Company, user: str, since: float) -> list[str]:
    """What Slack has shown to a user since then and called a failure."""
    return [
        str(call["arguments"]["text"])
        for call in company.calls()
        if call["method"] in _SAY and call["fault"] and call["ok"] and call["at"] >= since
        if call["arguments"]["user"] == user
    ]


def _is_answered(person: Person, command: str, unheard: Callable[[str, float], list[str]]) -> bool:
    """Type a command and wait for its answer, wherever it comes, and for all that is said once more."""
    began, before = time.time(), person.sees()
    person.slash(command)

    def answered(seen: Seen) -> bool:
        direct = seen.direct_messages[len(before.direct_messages) :]
        told = [one for one in direct if is_answer(one, "trigger:")]  # App Home may be answered there too
        new = [*seen.ephemerals[len(before.ephemerals) :], *told, *([seen.modal] if seen.modal else [])]
        heard = [one.words for one in new]
        return bool(heard) and is_said_again(unheard(seen.raw["me"], began), heard)

    with suppress(AssertionError):
        person.wait_for(answered, _ANSWER_SECONDS)
        if person.sees().modal:
            person.close()
        return True
    return False


def _card_with(seen: Seen, act: str, job: str) -> Message | None:
    return next((card for card in cards_of(seen, [job]) if act in card.buttons), None)


def _without_home(company: Company, name: str, email: str) -> Iterator[Finding]:
    """A person opens App Home once Slack is well again, and there has to be one, drawn anew."""
    person = company.sandbox.as_person(email)
    began = time.time()
    person.open_home()

    def drawn(seen: Seen) -> bool:
        pages = company.sandbox.calls("views.publish")
        return any(
            page["ok"] and page["at"] >= began and page["arguments"]["user_id"] == seen.raw["me"]
            for page in pages
        )

    try:
        person.wait_for(drawn, _MOST_SECONDS)
    except AssertionError:
        yield Finding(Kind.LOST, f"{name} has no App Home")


def refuses(code: str, *methods: str) -> Run:
    """Slack answers with this error."""
    return answers("error", methods=methods or _POSTS, error=code)


def card_is_deleted(company: Company, rng: random.Random, times: int) -> Tries:
    """Somebody deletes the card, so that Slack has `message_not_found` for it from now on."""
    deleted = 0
    with company.under_load(rng, 2) as jobs:
        for _ in range(times):
            time.sleep(rng.uniform(2.0, 4.0))
            deleted += company.delete_a_card(jobs, rng)
    return Tries(deleted)


def is_switched(**switches: Any) -> Run:
    """The workspace is so for a few seconds: channel archived, bot thrown out, token revoked."""

    def switch(company: Company, rng: random.Random, times: int) -> Tries:
        refused = 0
        for _ in range(times):
            calls = partial(_refused, company, time.time())
            with company.windows_may_stay_empty() if "token_revoked" in switches else nullcontext():
                company.sandbox.switch(**switches)
                _work(company, rng, calls)
                company.sandbox.switch(**{name: not on for name, on in switches.items()})
            refused += calls()
        return Tries(refused, "calls")

    return switch


def closes_sockets(company: Company, rng: random.Random, times: int) -> Tries:
    """Slack closes the Socket Mode connections, with and without a word."""
    dropped = 0
    with company.under_load(rng, 2):
        for number in range(times):
            time.sleep(rng.uniform(0.3, 1.5))
            dropped += company.sandbox.drop_sockets(warn=number % 2 == 1)
    return Tries(dropped, f"connections, closed {times} times")


def delivers_twice(company: Company, rng: random.Random, times: int) -> Tries:
    """Each delivery comes twice at once."""
    began = time.time()
    company.sandbox.switch(deliver_twice=times)
    with company.under_load(rng, 2):
        while _delivered_again(company, began) < times and time.time() < began + _MOST_SECONDS:
            time.sleep(0.5)
    company.sandbox.switch(deliver_twice=0)
    return Tries(_delivered_again(company, began), "deliveries that came twice")


def delivers_again_later(company: Company, rng: random.Random, times: int) -> Tries:
    """Slack brings the newest delivery once more after it was handled."""
    began = time.time()
    with company.under_load(rng, 2):
        for _ in range(times):
            time.sleep(rng.uniform(0.5, 1.5))
            if company.sandbox.deliveries():
                company.sandbox.deliver_again()
    return Tries(_delivered_again(company, began), "deliveries that came once more")


def is_answered_late(company: Company, rng: random.Random, times: int) -> Tries:
    """The bot stands still for longer than Slack waits, and then gets everything late.

    A try counts when Slack has given up on something meanwhile.
    """
    late = 0

    def attempt(_seen: int) -> bool:
        nonlocal late
        time.sleep(rng.uniform(0.5, 1.0))
        began = time.time()
        with _standing_still(company):
            time.sleep(_LATE_SECONDS)
        errors = [each["answer"]["error"] for each in company.sandbox.deliveries() if each["at"] >= began]
        late += errors.count("operation_timeout")
        return "operation_timeout" in errors

    with company.under_load(rng, 2):
        seen = until_seen(times, attempt, most_seconds=_MOST_SECONDS * 2)
    return Tries(seen, f"{late} deliveries given up")


@contextmanager
def _standing_still(company: Company) -> Iterator[None]:
    with ExitStack() as frozen:
        for bot in company.crew.of("bot"):
            frozen.enter_context(processes.frozen(bot))
        yield


def _delivered_again(company: Company, began: float) -> int:
    """How many deliveries since then were one that the bot had before, and reached it."""
    return sum(
        each["retry"] > 0 and each["at"] >= began and each["answer"]["error"] is None
        for each in company.sandbox.deliveries()
    )


def _work(company: Company, rng: random.Random, struck: Callable[[], int]) -> None:
    """Work a little; on a slow machine, where no call was struck meanwhile, a little more."""
    until = time.monotonic() + _MOST_SECONDS
    company.work_a_little(rng)
    while not struck() and time.monotonic() < until:
        company.work_a_little(rng)


def _refused(company: Company, began: float) -> int:
    """How many calls Slack took none of since then."""
    return sum(not call["ok"] and call["at"] >= began for call in company.calls())


def _struck(company: Company, began: float) -> int:
    """How many calls went wrong since then."""
    return len(_struck_calls(company, began))


def _struck_calls(company: Company, began: float) -> list[Json]:
    return [call for call in company.calls() if call["fault"] is not None and call["at"] >= began]
