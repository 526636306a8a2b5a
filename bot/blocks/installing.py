"""Words of the install, on a host for many companies: its pages in the browser, and strangers' answers."""

from html import escape

TITLE = "costbot"

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 36rem; margin: 4rem auto; padding: 0 1rem }}
a.go {{ display: inline-block; padding: .6rem 1.2rem; background: #1f3a5f; color: #fff; border-radius: .3rem;
text-decoration: none }}
</style></head><body><h1>{title}</h1>{body}</body></html>
"""

_TROUBLES = {
    "access_denied": "The install was cancelled in Slack, and nothing was changed.",
    "invalid_browser": "This browser did not begin the install, or it took longer than ten minutes.",
    "invalid_state": "This install was finished before, or it took longer than ten minutes.",
    "missing_code": "Slack did not say what was allowed.",
    "invalid_code": "Slack did not take its own code any more, for it is good once and for ten minutes.",
    "no_answer": "Slack did not answer, so nothing was changed.",
}


def install_page(url: str) -> str:
    """The page on which an install begins; `url` is Slack's own page."""
    return _page(
        "Install costbot",
        "Slack asks what costbot may do there, with the reason for each. Choose your company's workspace.",
        f'<a class="go" href="{escape(url)}">Continue in Slack</a>',
    )


def installed_page(where: str, channel: str | None) -> str:
    """The install is done; what to do next. `where` is the workspace's name, `channel` the one for cards."""
    cards = f"the channel {channel}" if channel else "the channel for the cards"
    return _page(
        f"costbot is installed in {where}",
        f"Next: in Slack, open {cards} and type /invite @costbot. Then /costcodes help shows what there is.",
    )


def trouble_page(reason: str, *, again: str = "/slack/install") -> str:
    """The install did not come about; `reason` is Slack's word or Bolt's."""
    return _page(
        "costbot was not installed",
        _TROUBLES.get(reason, f"Slack answered: {reason}."),
        f'<a class="go" href="{escape(again)}">Try again</a>',
    )


def unknown_company_page(team: str, name: str) -> str:
    """No company belongs to the workspace or organisation, so nothing of the install was kept."""
    return _page(
        "costbot was not installed",
        f"No company is set up here for {name or 'your workspace'} ({team}), so nothing was kept and the "
        "permission was given back.",
        f"Whoever runs costbot has to add the company first, with COSTBOT_SLACK_TEAM={escape(team)} in its "
        "settings. Then install again.",
    )


def unknown_workspace(team: str) -> str:
    """What people of a workspace hear that no company belongs to; plain text."""
    return (
        f"costbot is not set up for this Slack workspace ({team}), and nothing was changed. "
        "Ask whoever runs costbot for your company to add it."
    )


def _page(title: str, text: str, more: str = "") -> str:
    body = f"<p>{escape(text)}</p>" + (f"<p>{more}</p>" if more else "")
    return _PAGE.format(title=escape(title), body=body)
