"""`views.*`: open, push and change modals, and publish App Home."""

from bot.sandbox.methods.call import Call, Json, Method
from bot.sandbox.modals import View


def open_view(call: Call) -> Json:
    """Open a modal with a trigger that a person's act gave."""
    return _shown(call, call.workspace.modals.open(_trigger(call), call.json("view")))


def push(call: Call) -> Json:
    """Put a modal on top of the one that is open."""
    return _shown(call, call.workspace.modals.push(_trigger(call), call.json("view")))


def update(call: Call) -> Json:
    """Change an open modal, unless `hash` says that it changed meanwhile."""
    modals = call.workspace.modals
    view = modals.find(call.text("view_id"), call.text("external_id"))
    return _shown(call, modals.update(view, call.json("view"), call.text("hash")))


def publish(call: Call) -> Json:
    """Set a person's App Home."""
    user = call.workspace.user(call.required("user_id"))
    return _shown(call, call.workspace.modals.publish(user.id, call.json("view"), call.text("hash")))


def _trigger(call: Call) -> str:
    return call.text("trigger_id") or call.required("interactivity_pointer")


def _shown(call: Call, view: View) -> Json:
    call.workspace.changed()
    return {"view": call.workspace.modals.to_slack(view)}


METHODS = {
    "views.open": Method(open_view, per_minute=100),
    "views.push": Method(push, per_minute=100),
    "views.update": Method(update, per_minute=100),
    "views.publish": Method(publish, per_minute=100),
}
