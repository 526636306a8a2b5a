"""What a workflow of Slack's gets from a step that ended: outputs by the names of `bot/manifest.yaml`.

Pure: facts of the step and its job in, outputs out, with a sentence that can be posted as it is.
"""

from collections.abc import Mapping
from typing import Any

from bot.blocks.pieces import Json
from bot.blocks.words import counted
from workflow.vocabulary import StepKind
from workflow.waiting_steps import NOTHING

NOT_KNOWN = (
    "This costbot does not know this step any more, and nothing was changed. "
    "Take the step out of the workflow, or have costbot upgraded."
)
NOBODY = (
    "The step does not say who asks, and nothing was changed. In Workflow Builder choose “Person who started "
    "this workflow” there."
)
WENT_WRONG = (
    "Something went wrong, and nothing was changed. Run the workflow again, or tell your administrator."
)


def step_outputs(
    kind: StepKind | None, facts: Mapping[str, Any], *, number: str, title: str, link: str | None
) -> Json:
    """The outputs of a step of this kind; `number` and `title` are the job's, `link` its card's address."""
    job: Json = {"job": number, "link": link or ""}
    if kind is StepKind.ASK:
        added, revision = int(facts["added"]), int(facts["revision"])
        return job | {
            "ok": True,
            "assignments": added,
            "revision": revision,
            "message": _asked(title, added=added, revision=revision),
        }
    at = {"at": facts["at"]} if facts["at"] is not None else {}
    told: Json = {name: facts[name] for name in ("outcome", "waited", "who", "comment")}
    return job | told | at | {"message": _ended(facts, title)}


def _asked(title: str, *, added: int, revision: int) -> str:
    if not added:
        return f"All of it waits for an Update of {title} already, in revision {revision}."
    return (
        f"Requested {counted(added, 'assignment')} for {title}. It is Ready to Update, revision {revision}."
    )


def _ended(facts: Mapping[str, Any], title: str) -> str:
    who = facts["who"] or "Somebody"
    if facts["outcome"] == NOTHING:
        return f"Nothing was ever requested for {title}, so there is nothing to wait for."
    said = {
        "updated": f"{who} updated {title}. It goes out with the next data sync.",
        "synced": f"Sage holds every cost code that was requested for {title}.",
        "failed": f"Sage refused cost codes of {title}. Its card says which, and why.",
        "rejected": f"{who} rejected what was requested for {title}: “{facts['comment']}”",
        "expired": f"Nobody updated or rejected what was requested for {title} in time, so it expired.",
    }[facts["outcome"]]
    return said if facts["waited"] else f"Nothing waits any more. {said}"
