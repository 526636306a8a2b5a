"""People who click on cards and wait for the answer; as a program, some of the fifty approvers.

It reads from stdin who they are, and prints their clicks. Owns acts in front of Slack alone, so that eight
processes of it start in no time.
"""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from bot.sandbox.client import Json, Message, Person, RefusedError, Sandbox, Seen, View

ACTS = {"Update": "update", "Take back": "take back", "Reject": "reject"}
"""What a button is called, and what the audit trail calls the act when it refuses it."""
_WHY = "Why?"
NOT_OPENED = "did not open the window in time. Nothing was changed"
"""What answers a click whose window Slack refused, or may have shown without saying so."""
_COMMENT = {"comment": {"comment": "Not this month"}}
_WINDOW_SECONDS = 3.0
_WAITING = ("Loading…", "Rejecting…")
"""How the words of a window begin whose answer is still to come."""
_ANSWER_SECONDS = 180.0
"""Nobody clicks again before the answer, or an answer would be taken for another click's."""
_ONCE_MORE_SECONDS = 20.0
"""What Slack took without saying so is said once more after the time-out of the call."""
_LOOK_SECONDS = 1.0
_LOOKS_TAKE = 0.1
"""Of all time at most so much goes into looking, however slow the machine is."""
_ROUND_SECONDS = 4.0
_LAST_ROUND_SECONDS = 120.0


class Click(NamedTuple):
    """One click, or one submitted comment, and what was answered; '' when nothing was.

    `user` is the person's id in Slack: who they are is not known where Slack did not say it.
    """

    person: str
    act: str
    answer: str
    user: str = ""


def cards_of(seen: Seen, jobs: Sequence[str]) -> list[Message]:
    """The cards of these jobs; RefusedError when there are none yet."""
    found = [m for m in seen.messages if m.thread_ts in (None, m.ts) and m.text.split(" ")[0] in jobs]
    found = [m for m in found if not m.only_for_me]
    if not found:
        raise RefusedError("no card yet")
    return found


def key_of(message: Json) -> str | None:
    """The key by which costbot finds its message again."""
    key: str | None = ((message.get("metadata") or {}).get("event_payload") or {}).get("key")
    return key


def is_answer(message: Message, to: str = "") -> bool:
    """Whether a direct message answers what could be answered in no other way, or the act of this id."""
    return (key_of(message.raw) or "").startswith(f"answer:{to}")


def is_said_again(unheard: Sequence[str], heard: Sequence[str]) -> bool:
    """Whether what Slack has shown and called a failure was said once more, each time that it did so."""
    return all(sum(text in one for one in heard) > times for text, times in Counter(unheard).items())


def decide(person: Person, act: str, card: Message) -> None:
    """Click a button of a card; a reject takes its comment in the window that opens."""
    person.click(act, card)
    if act == "Reject":
        person.wait_for_modal(_WHY, _WINDOW_SECONDS)
        person.submit(_COMMENT)


def click_around(
    url: str,
    job: str,
    people: Sequence[tuple[str, str]],
    seed: float,
    start: float,
    rejects: Sequence[float],
) -> list[Click]:
    """Each of these people clicks at the same moment what their card of the job offers, round by round.

    In each so many of those reject who could update as well: the end of the contest, but slower than an
    Update, for there is a comment to be written.
    """
    sandbox = Sandbox(url)

    def click_in_each_round(name: str, email: str) -> list[Click | None]:
        rng = random.Random(f"{seed} {name}")
        clicks = []
        for number, share in enumerate(rejects):
            time.sleep(max(0.0, start + number * _ROUND_SECONDS - time.time()))
            if time.time() > start + _LAST_ROUND_SECONDS:
                break
            clicks.append(_click_any(sandbox.as_person(email), name, job, rng, rejects=share))
        return clicks

    with ThreadPoolExecutor(len(people)) as pool:
        clicks = [click for some in pool.map(lambda one: click_in_each_round(*one), people) for click in some]
    sandbox.close()
    return [click for click in clicks if click is not None]


def _click_any(person: Person, name: str, job: str, rng: random.Random, *, rejects: float) -> Click | None:
    """Click what the card offers; None when it offers nothing, or changed under the hand."""
    [card] = cards_of(person.sees(), [job])
    offered = [act for act in ACTS if act in card.buttons]
    weights = [rejects if act == "Reject" else 1.0 - rejects * (act == "Update") for act in offered]
    if not any(weights):
        return None
    try:
        return click(person, name, rng.choices(offered, weights)[0], card)
    except RefusedError:
        return None


def click(
    person: Person,
    name: str,
    act: str,
    card: Message,
    seconds: float = _ANSWER_SECONDS,
    *,
    unheard: Callable[[str, float], Sequence[str]] = lambda user, since: (),
) -> Click:
    """Click a button of a card, with a comment where one is asked for, and wait for the answer.

    `unheard` tells what Slack has shown to a user since then and called a failure: the bot says it once more,
    which is waited for as well. Raises RefusedError when the card changed under the hand, so that nothing was
    clicked.
    """
    began, before = time.time(), person.sees()
    said, acts = len(before.ephemerals), [person.click(act, card)]

    def answers(seen: Seen) -> list[str]:
        """All that was said since, what a window says now as the last of it."""
        ours = [f"trigger:{one.trigger_id}" for one in acts]
        direct = [one for one in seen.direct_messages if any(is_answer(one, to) for to in ours)]
        new = [one.words for one in (*seen.ephemerals[said:], *direct)]
        return [*new, seen.modal.words] if seen.modal and _says_something(seen.modal) else new

    def answer(seen: Seen) -> str:
        return next(reversed(answers(seen)), "")

    def result(seen: Seen) -> str:
        """What answers the comment, and not the click that opened its window."""
        of_the_comment = [words for words in answers(seen) if _WHY not in words and NOT_OPENED not in words]
        return next(reversed(of_the_comment), "")

    def said_again(seen: Seen) -> str:
        """'' while something is still to be said once more."""
        return "yes" if is_said_again(unheard(seen.raw["me"], began), answers(seen)) else ""

    words = _wait_for(person, answer, seconds)
    if _WHY in words:
        acts.append(person.submit(_COMMENT))
        words = _wait_for(person, result, seconds)
    _wait_for(person, said_again, _ONCE_MORE_SECONDS)
    if person.sees().modal:
        person.close()
    return Click(name, act, words, before.raw["me"])


def _says_something(window: View) -> bool:
    return not window.words.startswith(_WAITING)


def _wait_for(person: Person, said: Callable[[Seen], str], seconds: float) -> str:
    """What the person is answered; '' when nothing comes.

    They look once a second: if fifty heard of every change, Slack's look-alike would do nothing but tell.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        words = said(person.sees())
        if words or began > deadline:
            return words
        time.sleep(max(_LOOK_SECONDS, (time.monotonic() - began) / _LOOKS_TAKE))


if __name__ == "__main__":
    json.dump(click_around(**json.load(sys.stdin)), sys.stdout)
