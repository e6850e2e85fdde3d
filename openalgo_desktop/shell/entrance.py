"""The first line of the program. Ctrl+C while the modules of a command are imported ends it with a
word: there is nothing to clean up yet, and a KeyboardInterrupt inside an import is a page of lines
about others, or comes out as another error altogether. Nothing that takes time is imported here."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def leave(_number: int, _frame: FrameType | None) -> None:
    """End at once, with the exit code of a shell's Ctrl+C."""
    os.write(2, b"openalgo-desktop: stopped.\n")
    os._exit(130)


def main() -> int:
    """The command line; returns the exit code."""
    if sys.argv[1:2] == ["run-strategy"]:  # Ctrl+C and what follows are the script's
        from openalgo_desktop.automation.host.inside import main as inside

        return inside(sys.argv[2:])
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where it is ignored
        signal.signal(signal.SIGINT, leave)
    from openalgo_desktop.shell.main import main as run

    return run()


@contextmanager
def importing() -> Iterator[None]:
    """For imports that a command makes later: Ctrl+C in them ends the program as above."""
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:
        signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        if ours:
            hand_over()


def hand_over() -> None:
    """From now on Ctrl+C is an exception again: the command has things to close."""
    if signal.getsignal(signal.SIGINT) is leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)
