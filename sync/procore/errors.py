"""How a call of Procore can go wrong."""

from datetime import datetime


class ProcoreError(Exception):
    """Procore could not be asked, or did not answer as it documents; the words tell people what to do."""


class ProcoreUnreachableError(ProcoreError):
    """No usable answer after several tries; the same call may well work later."""


class ProcoreBusyError(ProcoreError):
    """No call may be made before `until`: Procore's limit or costbot's share of it is used up."""

    def __init__(self, until: datetime) -> None:
        super().__init__(
            f"Procore may not be called again before {until:%H:%M:%S} UTC; costbot waits and goes on."
        )
        self.until = until


class ProcoreRefusedError(ProcoreError):
    """Procore understood the call and said no."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class BadAnswerError(ProcoreError):
    """An answer that lacks what costbot needs, or is no JSON."""
