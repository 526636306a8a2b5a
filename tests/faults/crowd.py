"""Fifty approvers click Update, Take back and Reject on the same request at once, from eight processes.

What each click was answered is compared, person by person, with what the audit trail has of it.
"""

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from bot.commands import imports
from bot.sandbox import sample_company
from bot.sandbox.client import Person, RefusedError, Sandbox, Seen
from tests.e2e.office import READY
from tests.faults.company import Company, cards_of
from tests.faults.facts import TrailEvent
from tests.faults.tries import Tries
from tests.faults.verdict import TOLD, Finding, Kind
from workflow.vocabulary import Event

PEOPLE = 50
PROCESSES = 8
_ROUND_SECONDS = 4.0
_ANSWER_SECONDS = 60.0
_ACTS = {"Update": "update", "Take back": "take back", "Reject": "reject"}
"""What a button is called, and what the audit trail calls the act when it refuses it."""
_NOTHING_DONE = "did not open the window in time. Nothing was changed"
_HEADER = "email,name,erp_permission,can_push_to_accounting,active"


class Click(NamedTuple):
    """One click, or one submitted comment, and what was answered; '' when nothing was."""

    person: str
    act: str
    answer: str


def everybody_clicks(company: Company, rng: random.Random, times: int) -> Tries:
    """`times` rounds on one request; in each everybody clicks at the same moment what their card offers."""
    people = _hire(company)
    job = company.new_job()
    company.request(job, "03-3110,S", "03-3000,M")
    company.nudge()
    company.card(job, READY)
    start = time.time() + 3.0
    work = [
        (company.sandbox.url, job, people[number::PROCESSES], rng.random(), start, times)
        for number in range(PROCESSES)
    ]
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        clicks = [click for some in pool.starmap(_click_around, work) for click in some]
    events = [event for event in company.facts().events if event.job == job]
    decided = Counter(event.event.partition(":")[2] for event in events if event.event in TOLD.values())
    note = ", ".join(f"{count} {name}" for name, count in sorted(decided.items()))
    return Tries(len(clicks), note, tuple(disagreements(clicks, events)))


def disagreements(clicks: Sequence[Click], events: Iterable[TrailEvent]) -> Iterator[Finding]:
    """Where what people were told of their clicks is not what the audit trail has of them."""
    answered: Counter[tuple[str, str]] = Counter()
    for click in clicks:
        done = next((event for words, event in TOLD.items() if words in click.answer), None)
        if not click.answer:
            yield Finding(Kind.LOST, f"{click.person} clicked {click.act} and got no answer")
        elif "Something went wrong" in click.answer:
            yield Finding(Kind.WRONG, f"{click.person} clicked {click.act}: {click.answer}")
        elif _NOTHING_DONE in click.answer:
            continue
        answered[click.person, str(done or f"refused: {click.act}")] += 1
    on_record: Counter[tuple[str, str]] = Counter()
    names = {act: name for name, act in _ACTS.items()}
    acting = {click.person for click in clicks}
    for event in events:
        if event.actor not in acting:
            continue
        if event.event in TOLD.values():
            on_record[event.actor, event.event] += 1
        elif event.event in (Event.REFUSED, Event.STALE):
            on_record[event.actor, f"refused: {names[str(event.facts['act'])]}"] += 1
    for person, what in answered.keys() | on_record.keys():
        told, real = answered[person, what], on_record[person, what]
        if told != real:
            yield Finding(
                Kind.WRONG, f"{person} was told {told} times of {what}, the trail has it {real} times"
            )


def _hire(company: Company) -> list[tuple[str, str]]:
    """Fifty more approvers, in the directory and in Slack."""
    people = [(f"Approver {number:02}", f"approver{number:02}@kestrelbuilders.example") for number in range(PEOPLE)]
    rows = [*sample_company.PEOPLE.read_text(encoding="utf-8").splitlines()[1:]]
    rows += [f"{email},{name},standard,yes,yes" for name, email in people]
    imports.people(company.line, company.file("people.csv", _HEADER, rows))
    for number, (name, email) in enumerate(people):
        company.sandbox.put_user(f"U0APPROVER{number:02}", name=name.lower(), real_name=name, email=email)
    company.approvers += people
    return people


def _click_around(
    url: str, job: str, people: Sequence[tuple[str, str]], seed: float, start: float, rounds: int
) -> list[Click]:
    """One of the processes: each of its people at the same moment, round by round."""
    sandbox = Sandbox(url)

    def click_in_each_round(name: str, email: str) -> list[Click | None]:
        rng = random.Random(f"{seed} {name}")
        clicks = []
        for number in range(rounds):
            time.sleep(max(0.0, start + number * _ROUND_SECONDS - time.time()))
            clicks.append(_click(sandbox.as_person(email), name, job, rng))
        return clicks

    with ThreadPoolExecutor(len(people)) as pool:
        clicks = [click for some in pool.map(lambda one: click_in_each_round(*one), people) for click in some]
    sandbox.close()
    return [click for click in clicks if click is not None]


def _click(person: Person, name: str, job: str, rng: random.Random) -> Click | None:
    """Click what the card offers; None when it changed under the hand, so that nothing was clicked."""
    [card] = cards_of(person.sees(), [job])
    offered = [act for act in _ACTS if act in card.buttons]
    if not offered:
        return None
    act = rng.choice(offered)
    before = len(person.sees().ephemerals)

    def answer(seen: Seen) -> str | None:
        if seen.modal and ("Why?" in seen.modal.words or job in seen.modal.words):
            return seen.modal.words
        return seen.ephemerals[-1].text if len(seen.ephemerals) > before else None

    try:
        person.click(act, card)
        words = person.wait_for(answer, _ANSWER_SECONDS)
        if "Why?" in words:
            person.submit({"comment": {"comment": "Not this month"}})
            words = person.wait_for(
                lambda seen: (said := answer(seen)) and "Why?" not in said and said, _ANSWER_SECONDS
            )
    except RefusedError:
        return None
    except AssertionError:
        words = ""
    if person.sees().modal:
        person.close()
    return Click(name, act, words)
