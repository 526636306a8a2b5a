"""The one error of the sandbox: a call that Slack would refuse, with Slack's own code."""


class SlackError(Exception):
    """Slack's refusal: `code` as in Slack's documentation, `messages` for `response_metadata.messages`."""

    def __init__(self, code: str, messages: list[str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.messages = messages or []
