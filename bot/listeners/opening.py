"""Windows as they open and as they wait, and Cost Codes for Update as one person sees it now."""

from math import ceil
from typing import Any

from slack_bolt import Ack

from bot.answering import result_window
from bot.blocks.pieces import Json
from bot.blocks.updates_window import CODES_A_PAGE, TITLE, message_view, updates_window
from bot.interaction import interaction_of
from bot.payloads import JobButton
from bot.visit import Visit
from workflow import approvals, lines, queries
from workflow.language import say
from workflow.vocabulary import State


def loading(title: str = TITLE) -> Json:
    """What opens at once, because a click is good for three seconds and the database may be slow."""
    return message_view(title, say("Loading…"))


def show_waiting(ack: Ack, body: dict[str, Any], title: str, doing: str, if_nothing_follows: str) -> None:
    """Turn a submitted window into one that waits for its result, in the ack."""
    waiting = message_view(title, f"{doing} {if_nothing_follows}")
    ack(response_action="update", view=result_window(interaction_of(body), waiting))


def updates_view(
    visit: Visit, job_id: int, *, page: int = 0, seen: JobButton | None = None, card: str | None = None
) -> Json:
    """The window of what a job shows now; `page` counts from 0, and a page beyond the last is the last.

    What joined since `seen`, which the person looked at before, is marked, on every page that they turn to.
    `card` is the address of the job's card, for who did not come from there.
    """
    with visit.reading() as session:
        facts = queries.current_update(session, job_id)
        if facts is None:
            return message_view(TITLE, say("Nobody has requested cost codes for this job."))
        seen_revision = facts.revision
        if seen and seen.requested_update_id != facts.requested_update_id:
            page = 0  # the person has seen nothing of this one
        elif seen and facts.state is State.READY:
            seen_revision = seen.revision
        pages = max(1, ceil(facts.counts.cost_codes / CODES_A_PAGE))
        page = min(page, pages - 1)
        refused = approvals.why_not_update(
            session, facts.requested_update_id, by=visit.actor, rules=visit.rules
        )
        return updates_window(
            facts,
            queries.cost_codes(
                session, facts.requested_update_id, limit=CODES_A_PAGE, offset=page * CODES_A_PAGE
            ),
            queries.holds_of(session, job_id),
            queries.categories(session),
            page=page,
            pages=pages,
            may_update=refused is None,
            why_not=refused.words if refused and facts.state is State.READY else None,
            channel_id=visit.interaction.channel_id,
            new_since=frozenset(lines.added_since(session, facts.requested_update_id, seen_revision)),
            seen_revision=seen_revision,
            rules=visit.rules,
            card=card,
        )
