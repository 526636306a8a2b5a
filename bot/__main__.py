"""Where `costbot` begins: before anything is imported, so that Ctrl-C meanwhile is no traceback."""

import sys

_STOPPED = 128 + 2
"""As a shell has it of a command that SIGINT ended."""


def main() -> None:
    """Run the command line."""
    try:
        from bot import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(_STOPPED)


if __name__ == "__main__":
    main()
