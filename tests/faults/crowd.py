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

from bot.commands import imports
from bot.sandbox import sample_company
from tests.e2e.office import READY
from tests.faults.clicking import ACTS, Click
from tests.faults.company import Company
from tests.faults.facts import TrailEvent
from tests.faults.tries import Tries
from tests.faults.verdict import TOLD, Finding, Kind
from workflow.vocabulary import Event

PEOPLE = 50
PROCESSES = 8
_START_SECONDS = 4.0
"""By then all processes are there."""
_HEARD_OF_SECONDS = 180.0
"""Slack lets the users of fifty e-mails a minute be looked up, and everybody is written to."""
_BUTTONS = {act: button for button, act in ACTS.items()}
_TROUBLE = "Something went wrong"
_NOTHING_DONE = "did not open the window in time. Nothing was changed"
_HEADER = "email,name,erp_permission,can_push_to_accounting,active"


def everybody_clicks(company: Company, rng: random.Random, times: int) -> Tries:
    """`times` rounds on one request; in each everybody clicks at the same moment what their card offers."""
    people = _hire(company)
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
                "rounds": times,
            }
            for group in groups
        ]
        clicks = [click for some in pool.map(_in_a_process, work) for click in some]
    events = [event for event in company.facts().events if event.job == job]
    decided = Counter(event.event.partition(":")[2] for event in events if event.event in TOLD.values())
    note = ", ".join(f"{count} {name}" for name, count in sorted(decided.items()))
    return Tries(len(clicks), note, findings=tuple(disagreements(clicks, events)))


def disagreements(clicks: Sequence[Click], events: Iterable[TrailEvent]) -> Iterator[Finding]:
    """Where what people were told of their clicks is not what the audit trail has of them."""
    for click in clicks:
        if not click.answer:
            yield Finding(Kind.LOST, f"{click.person} clicked {click.act} and got no answer")
        elif _TROUBLE in click.answer:
            yield Finding(Kind.WRONG, f"{click.person} clicked {click.act}: {click.answer}")
    answered = Counter((click.person, _told(click)) for click in clicks if _NOTHING_DONE not in click.answer)
    acting = {click.person for click in clicks}
    on_record = Counter(
        (event.actor, what) for event in events if event.actor in acting and (what := _on_record(event))
    )
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
        return f"no to {_BUTTONS[str(event.facts['act'])]}"
    return None


def _in_a_process(work: Mapping[str, object]) -> list[Click]:
    program = [sys.executable, "-m", "tests.faults.clicking"]
    # what goes wrong there is told on the standard error of both
    done = subprocess.run(program, input=json.dumps(work), stdout=subprocess.PIPE, text=True, check=True)
    return [Click(*click) for click in json.loads(done.stdout)]


def _hire(company: Company) -> list[tuple[str, str]]:
    """Fifty more approvers, in the directory and in Slack."""
    people = [
        (f"Approver {number:02}", f"approver{number:02}@kestrelbuilders.example") for number in range(PEOPLE)
    ]
    rows = [*sample_company.PEOPLE.read_text(encoding="utf-8").splitlines()[1:]]
    rows += [f"{email},{name},standard,yes,yes" for name, email in people]
    imports.people(company.line, company.file("people.csv", _HEADER, rows))
    for number, (name, email) in enumerate(people):
        company.sandbox.put_user(f"U0APPROVER{number:02}", name=name.lower(), real_name=name, email=email)
    company.approvers += people
    return people
