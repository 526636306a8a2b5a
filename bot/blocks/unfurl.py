"""What stands below a link to a job in a message: where the job is, in facts alone.

Whoever is in the conversation reads it, so it has no button: what may be done is on the job's card.
"""

from bot.blocks import words
from bot.blocks.pieces import Json, context, section
from bot.blocks.words import SLACK
from workflow.facts import UpdateFacts
from workflow.privileges import USUAL_RULES, Rules


def job_unfurl(facts: UpdateFacts, rules: Rules = USUAL_RULES) -> list[Json]:
    """Title, state, counts and who asked when."""
    said = (
        f"*{SLACK.data(facts.title)}*",
        words.state_words(facts),
        words.approvers_words(facts, rules),
        words.counts_words(facts.counts),
    )
    return [section("\n".join(filter(None, said))), context(words.request_words(facts))]
