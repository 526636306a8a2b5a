"""The one table of faults: what goes wrong, in which company, how often in a full and in a short run."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults import clocks, crowd, disks, kills, pairs, slack, stores
from tests.faults.company import Company
from tests.faults.tries import Tries

_LONGER_THAN_OUR_TIME_OUT = 10


@dataclass(frozen=True)
class Fault:
    """A fault: its name to people, the company that it happens to, and the function that tries it.

    `short` is how often a short run tries it; 0 leaves it to the full run.
    """

    name: str
    company: str
    run: Callable[[Company, random.Random, int], Tries]
    times: int
    short: int = 0


FAULTS: tuple[Fault, ...] = (
    Fault("kill -9 on one machine", "small", kills.kill_at_random(kills.OF_ONE_MACHINE), 110, 6),
    Fault(
        "kill -9 on PostgreSQL, two of each", "head", kills.kill_at_random(kills.OF_MANY_PROCESSES), 100, 4
    ),
    Fault("two bots, workers, schedulers", "head", pairs.two_of_each, 5, 1),
    Fault("Redis flushed", "head", stores.flush_redis, 5),
    Fault("Redis killed and started", "head", stores.restart_redis, 3, 1),
    Fault("PostgreSQL killed and started", "head", stores.restart_postgresql, 2, 1),
    Fault("connections cut in a transaction", "head", stores.cut_connections, 40, 5),
    Fault("Slack closes the socket", "head", slack.closes_sockets, 6),
    Fault("Slack answers 429", "small", slack.answers("ratelimited", retry_after=2), 1),
    Fault("Slack answers 500", "small", slack.answers("server_error"), 1),
    Fault("Slack resets connections", "small", slack.answers("reset"), 1, 1),
    Fault(
        "Slack does not answer", "small", slack.answers("hang", calls=1, seconds=_LONGER_THAN_OUR_TIME_OUT), 1
    ),
    Fault("Slack delivers twice", "small", slack.delivers_twice, 20, 5),
    Fault("Slack delivers again, later", "small", slack.delivers_again_later, 6, 2),
    Fault("Slack gives up on a late bot", "small", slack.is_answered_late, 2),
    Fault("message_not_found: a card is deleted", "small", slack.card_is_deleted, 3),
    Fault(
        "channel_not_found", "small", slack.refuses("channel_not_found", "chat.postMessage", "chat.update"), 1
    ),
    Fault("is_archived", "small", slack.is_switched(archived=True), 1),
    Fault("token_revoked", "small", slack.is_switched(token_revoked=True), 1),
    Fault("msg_too_long", "small", slack.refuses("msg_too_long", "chat.postMessage", "chat.update"), 1),
    Fault("disk of the export folder full", "paper", disks.export_folder_is_full, 2),
    Fault("disk of the data folder full", "paper", disks.data_folder_is_full, 2),
    Fault("the clock jumps by hours", "clock", clocks.jumps, 4),
    Fault("50 approvers, one request, 8 processes", "crowd", crowd.everybody_clicks, 6, 1),
)
"""In the order in which each company meets them; companies run side by side."""
