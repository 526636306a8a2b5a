"""`functions.completeSuccess` and `functions.completeError`."""

from bot.sandbox.errors import SlackError
from bot.sandbox.methods.call import Call, Json, Method


def complete_success(call: Call) -> Json:
    """A step of a workflow is done."""
    step_id = call.required("function_execution_id")
    outputs = call.json("outputs")
    if outputs is None:
        raise SlackError("invalid_arguments", ["[ERROR] missing required field: outputs"])
    call.workspace.runs.complete(step_id, outputs)
    call.workspace.changed()
    return {}


def complete_error(call: Call) -> Json:
    """A step of a workflow could not be done."""
    call.workspace.runs.fail(call.required("function_execution_id"), call.required("error"))
    call.workspace.changed()
    return {}


METHODS = {
    "functions.completeSuccess": Method(complete_success),
    "functions.completeError": Method(complete_error),
}
