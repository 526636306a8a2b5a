"""The Web API methods of the sandbox, each as Slack documents it: who may call it, and what it answers."""

from bot.sandbox.methods import apps, chat, conversations, files, functions, people, views
from bot.sandbox.methods.call import Method

METHODS: dict[str, Method] = {
    **apps.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **functions.METHODS,
    **people.METHODS,
    **views.METHODS,
}
"""Every method the sandbox has; another one is `unknown_method`."""
SCOPES = frozenset(scope for method in METHODS.values() for scope in method.scopes) | {
    "commands",
    "files:read",
    "groups:history",
    "groups:read",
    "im:history",
    "links:read",
}
"""What the bot token may do unless a test takes some of it away."""
