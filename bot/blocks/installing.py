"""Words of the install, on a host for many companies: its pages in the browser, and strangers' answers."""

from html import escape

from workflow.language import later, say

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
    "access_denied": later("The install was cancelled in Slack, and nothing was changed."),
    "invalid_browser": later("This browser did not begin the install, or it took longer than ten minutes."),
    "invalid_state": later("This install was finished before, or it took longer than ten minutes."),
    "missing_code": later("Slack did not say what was allowed."),
    "invalid_code": later(
        "Slack did not take its own code any more, for it is good once and for ten minutes."
    ),
    "no_answer": later("Slack did not answer, so nothing was changed."),
    "no_database": later("costbot's database did not answer, so nothing was changed. Wait a minute."),
}


def install_page(url: str) -> str:
    """The page on which an install begins; `url` is Slack's own page."""
    return _page(
        say("Install costbot"),
        say("Slack asks what costbot may do there. Choose your company's workspace."),
        _button(url, say("Continue in Slack")),
    )


def installed_page(where: str, channel: str | None) -> str:
    """The install is done; what to do next. `where` is the workspace's name, `channel` the one for cards."""
    return _page(
        say("costbot is installed in {where}", where=where),
        say(
            "Next: in Slack, open the channel for the cards ({channel}) and type /invite @costbot. "
            "Then /costcodes help shows what there is.",
            channel=channel or "COSTBOT_CHANNEL",
        ),
    )


def trouble_page(reason: str, *, again: str = "/slack/install") -> str:
    """The install did not come about; `reason` is Slack's word or Bolt's."""
    known = _TROUBLES.get(reason)
    return _page(
        say("costbot was not installed"),
        say(known) if known else say("Slack answered: {reason}.", reason=reason),
        _button(again, say("Try again")),
    )


def unknown_company_page(team: str, name: str) -> str:
    """No company belongs to the workspace or organisation, so nothing of the install was kept."""
    return _page(
        say("costbot was not installed"),
        say(
            "No company is set up here for {name} ({team}), so nothing was kept and the permission was given "
            "back. Whoever runs costbot has to add the company first, with COSTBOT_SLACK_TEAM={team} in its "
            "settings. Then install again.",
            name=name or team,
            team=team,
        ),
    )


def unknown_workspace(team: str) -> str:
    """What people of a workspace hear that no company belongs to; plain text."""
    return say(
        "costbot is not set up for this Slack workspace ({team}), and nothing was changed. "
        "Ask whoever runs costbot for your company to add it.",
        team=team,
    )


def _button(url: str, words: str) -> str:
    return f'<a class="go" href="{escape(url)}">{escape(words)}</a>'


def _page(title: str, text: str, more: str = "") -> str:
    body = f"<p>{escape(text)}</p>" + (f"<p>{more}</p>" if more else "")
    return _PAGE.format(title=escape(title), body=body)
