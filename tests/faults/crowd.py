"""Fifty approvers click Update, Take back and Reject on the same request at once, from eight processes.

What each click was answered is compared, person by person, with what the audit trail has of it.
"""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tests.e2e.office import READY
from tests.faults.clicking import ACTS, NOT_OPENED, Click
from tests.faults.company import Company
from tests.faults.facts import TrailEvent
from tests.faults.tries import Tries
from tests.faults.verdict import DID, SOMEBODY_DID, TOLD, Finding, Kind
from workflow.vocabulary import Event

PEOPLE = 50
PROCESSES = 8
_START_SECONDS = 4.0
"""By then all processes are there."""
_HEARD_OF_SECONDS = 180.0
"""Slack lets the users of fifty e-mails a minute be looked up, and everybody is written to."""
_BUTTONS = {act: button for button, act in ACTS.items()}
_TROUBLE = "Something went wrong"
_MUST_WIN = (Event.UPDATED, Event.TAKEN_BACK, Event.REJECTED)
_ROUNDS_FOR_ALL = 6
"""In so many each act has its winner: what was accepted at the end of one is taken back in the next."""


def everybody_clicks(company: Company, rng: random.Random, times: int) -> Tries:
    """`times` rounds on one request; in each everybody clicks at the same moment what their card offers."""
    people = company.hire(PEOPLE)
    job = company.new_job()
    company.request(job, "03-3110,S", "03-3000,M")
    company.nudge()
    company.card(job, READY)
    company.wait_until_told(seconds=_HEARD_OF_SECONDS)
    start = time.time() + _START_SECONDS
    groups = [people[number::PROCESSES] for number in range(PROCESSES)]
    with ThreadPoolExecutor(PROCESSES) as pool:
        work = [
            {
                "url": company.sandbox.url,
                "job": job,
                "people": group,
                "seed": rng.random(),
                "start": start,
                "rejects": [*[0.0] * (times // 3), *[0.2] * (times // 3), *[1.0] * (times - times // 3 * 2)],
            }
            for group in groups
        ]
        clicks = [click for some in pool.map(_in_a_process, work) for click in some]
    events = [event for event in company.facts().events if event.job == job]
    won = Counter(event.event for event in events if event.event in TOLD.values())
    findings = [*disagreements(clicks, events)]
    if times >= _ROUNDS_FOR_ALL:
        findings += [
            Finding(Kind.WRONG, f"nobody's click led to {act}, so nothing is known of it")
            for act in _MUST_WIN
            if not won[act]
        ]
    company.let_the_schedule_run()
    note = ", ".join(f"{count} {name.partition(':')[2]}" for name, count in sorted(won.items()))
    return Tries(len(clicks), note, findings=tuple(findings))


def disagreements(clicks: Sequence[Click], events: Iterable[TrailEvent]) -> Iterator[Finding]:
    """Where what people were told of their clicks is not what the audit trail has of them.

    It calls people by their id in Slack where Slack did not say who they are.
    """
    names = {click.user: click.person for click in clicks if click.user}
    events = [replace(event, actor=names.get(event.actor, event.actor)) for event in events]
    for click in clicks:
        if not click.answer:
            yield Finding(Kind.LOST, f"{click.person} clicked {click.act} and got no answer")
        elif _TROUBLE in click.answer:
            yield Finding(Kind.WRONG, f"{click.person} clicked {click.act}: {click.answer}")
    answered = Counter((click.person, _told(click)) for click in clicks if NOT_OPENED not in click.answer)
    acting = {click.person for click in clicks}
    on_record = Counter(
        (event.actor, what) for event in events if event.actor in acting and (what := _on_record(event))
    )
    decided = {(event.actor, event.event) for event in events}
    for click in clicks:
        did = SOMEBODY_DID.search(click.answer)
        if did and (did["who"], DID[did["what"]]) not in decided:
            words = f"{click.person} was told that {did['who']} {did['what']} it, which is not on record"
            yield Finding(Kind.WRONG, words)
    for person, what in answered.keys() | on_record.keys():
        told, real = answered[person, what], on_record[person, what]
        if told != real:
            words = f"{person} was told {told} times of {what}, the trail has it {real} times"
            yield Finding(Kind.WRONG, words)


def _told(click: Click) -> str:
    """What the answer to a click says became of it: an event, or a refusal of the act."""
    return next((event for words, event in TOLD.items() if words in click.answer), f"no to {click.act}")


def _on_record(event: TrailEvent) -> str | None:
    """The same by the audit trail; None for an event that answers no click."""
    if event.event in TOLD.values():
        return event.event
    if event.event in (Event.REFUSED, Event.STALE):
        button = _BUTTONS.get(str(event.facts["act"]))
        return f"no to {button}" if button else None
    return None


def _in_a_process(work: Mapping[str, object]) -> list[Click]:
    program = [sys.executable, "-m", "tests.faults.clicking"]
    # what goes wrong there is told on the standard error of both
    done = subprocess.run(program, input=json.dumps(work), stdout=subprocess.PIPE, text=True, check=True)
    return [Click(*click) for click in json.loads(done.stdout)]
