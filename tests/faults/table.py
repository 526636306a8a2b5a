"""The one table of faults: what goes wrong, in which company, how often in a full and in a short run."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults import clocks, crowd, disks, kills, pairs, slack, stores
from tests.faults.company import Company
from tests.faults.tries import Tries

_LONGER_THAN_OUR_TIME_OUT = 10
_SMALL, _HEAD = "small", "head"
_BOTH = ("small, with Slack broken", "head, with Slack broken")
"""Where Slack is at fault it is so on SQLite and on PostgreSQL."""
_SWAPPED = _BOTH[::-1]


@dataclass(frozen=True)
class Fault:
    """A fault: its name to people, the companies that it happens to, and the function that tries it.

    `short` is how often a short run tries it, in the first of the companies; 0 leaves it to the full run.
    A full run with fewer tries than `least` is wrong.
    """

    name: str
    companies: tuple[str, ...]
    run: Callable[[Company, random.Random, int], Tries]
    times: int
    short: int = 0
    least: int = 1


FAULTS: tuple[Fault, ...] = (
    # at least 200 kills a run
    Fault("kill -9 on one machine", (_SMALL,), kills.kill_at_random(kills.OF_ONE_MACHINE), 110, 6, least=110),
    Fault(
        "kill -9 on PostgreSQL, two of each",
        (_HEAD,),
        kills.kill_at_random(kills.OF_MANY_PROCESSES),
        100,
        4,
        least=100,
    ),
    Fault("two bots, workers, schedulers", (_HEAD,), pairs.two_of_each, 5, 1),
    Fault("Redis flushed", (_HEAD,), stores.flush_redis, 5, 1),
    Fault("Redis killed and started", (_HEAD,), stores.restart_redis, 3, 1),
    Fault("PostgreSQL killed and started", (_HEAD,), stores.restart_postgresql, 2, 1),
    Fault("connections cut in a transaction", (_HEAD,), stores.cut_connections, 40, 5),
    Fault("locks are lost while they are held", (_HEAD,), stores.take_locks_away, 60, 10),
    Fault("Slack closes the socket", (_HEAD,), slack.closes_sockets, 6, 1),
    Fault("Slack answers 429", _BOTH, slack.answers("ratelimited", retry_after=2), 1, 1),
    Fault("Slack answers 500", _SWAPPED, slack.answers("server_error"), 1, 1),
    Fault("Slack resets connections", _BOTH, slack.answers("reset"), 1, 1),
    Fault(
        "Slack does not answer", _BOTH, slack.answers("hang", calls=1, seconds=_LONGER_THAN_OUR_TIME_OUT), 1
    ),
    Fault("answers to people: 429", _SWAPPED, slack.answers_to_people("ratelimited", retry_after=2), 1, 1),
    Fault("answers to people: 500", _BOTH, slack.answers_to_people("server_error"), 1),
    Fault("answers to people: reset", _BOTH[:1], slack.answers_to_people("reset"), 1),
    Fault(
        "answers to people: none",
        _BOTH[1:],
        slack.answers_to_people("hang", calls=1, seconds=_LONGER_THAN_OUR_TIME_OUT),
        1,
    ),
    Fault("Slack delivers twice", _BOTH, slack.delivers_twice, 20, 5),
    Fault("Slack delivers again, later", _SWAPPED, slack.delivers_again_later, 6, 2),
    Fault("Slack gives up on a late bot", _SWAPPED, slack.is_answered_late, 2, 1),
    Fault("message_not_found: a card is deleted", _BOTH, slack.card_is_deleted, 3),
    Fault(
        "channel_not_found",
        _BOTH,
        slack.refuses("channel_not_found", "chat.postMessage", "chat.update"),
        1,
        1,
    ),
    Fault("is_archived", _BOTH, slack.is_switched(archived=True), 1, 1),
    Fault("token_revoked", _SWAPPED, slack.is_switched(token_revoked=True), 1, 1),
    Fault("msg_too_long", _BOTH, slack.refuses("msg_too_long", "chat.postMessage", "chat.update"), 1, 1),
    Fault("disk of the export folder full", ("paper", "paper of many"), disks.export_folder_is_full, 2),
    Fault("disk of the database full", ("paper", "paper of many"), disks.data_folder_is_full, 2),
    Fault("the clock jumps by hours", ("clock", "clock of many"), clocks.jumps, 4),
    Fault(
        "50 approvers, one request, 8 processes", ("crowd", "crowd on SQLite"), crowd.everybody_clicks, 6, 3
    ),
)
"""In the order in which each company meets them; companies run side by side."""
