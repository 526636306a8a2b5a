"""What results of acts say by themselves, whatever the act was."""


class Unchanged:
    """The act changed nothing of what it was about; that somebody tried may be on record.

    A result that is of no such class is of an act that changed something.
    """

    __slots__ = ()
