"""What a workflow of Slack's gets from a step that ended: outputs by the names of `bot/manifest.yaml`.

Pure: facts of the step and its job in, outputs out, with a sentence that can be posted as it is.
"""

from collections.abc import Mapping
from typing import Any

from bot.blocks.pieces import Json
from workflow.language import later, plural, say
from workflow.vocabulary import StepKind

NOT_KNOWN = later(
    "This costbot does not know this step any more, and nothing was changed. "
    "Take the step out of the workflow, or have costbot upgraded."
)
NOBODY = later(
    "The step does not say who asks, and nothing was changed. In Workflow Builder choose “Person who started "
    "this workflow” there."
)
WENT_WRONG = later(
    "Something went wrong, and nothing was changed. Run the workflow again, or tell your administrator."
)
MAY_BE_SAVED = later(
    "Something went wrong. It may have been saved, so look first. Then run the workflow again, or tell your "
    "administrator."
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
        return say(
            "All of it waits for an Update of {job} already, in revision {revision}.",
            job=title,
            revision=revision,
        )
    return say(
        "Requested {assignments} for {job}. It is Ready to Update, revision {revision}.",
        assignments=plural("{n:,} assignment", "{n:,} assignments", added),
        job=title,
        revision=revision,
    )


def _ended(facts: Mapping[str, Any], title: str) -> str:
    who = facts["who"] or say("Somebody")
    match facts["outcome"]:
        case "updated":
            said = say("{who} updated {job}. It goes out with the next data sync.", who=who, job=title)
        case "synced":
            said = say("Sage holds every cost code that was requested for {job}.", job=title)
        case "failed":
            said = say("Sage refused cost codes of {job}. Its card says which, and why.", job=title)
        case "rejected":
            said = say(
                "{who} rejected what was requested for {job}: “{comment}”",
                who=who,
                job=title,
                comment=facts["comment"],
            )
        case "expired":
            said = say(
                "Nobody updated or rejected what was requested for {job} in time, so it expired.", job=title
            )
        case _:
            return say("Nothing was ever requested for {job}, so there is nothing to wait for.", job=title)
    return said if facts["waited"] else say("Nothing waits any more. {said}", said=said)
