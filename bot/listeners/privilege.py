"""Asking for the privilege, and the administrator's answer."""

from slack_bolt import App

from bot.visit import Services


def register(app: App, services: Services) -> None:
    """Listen."""
