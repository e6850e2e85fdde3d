"""Runs a command, and turns what ends it into a sentence and an exit code."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import os
import sys
from collections.abc import Sequence

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.shell.entrance import hand_over
from openalgo_desktop.shell.parser import PROGRAM, parse

#: Exit codes of shells for a program ended by SIGINT and SIGPIPE.
INTERRUPTED, BROKEN_PIPE = 130, 141
#: What a device says that takes no more output.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. Ctrl+C and a reader that went away end it quietly."""
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except AppError as error:
        print(f"{PROGRAM}: {error.message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{PROGRAM}: stopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _close_stdout()
        return BROKEN_PIPE
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _close_stdout()
        print(f"{PROGRAM}: the output cannot be written: {error.strerror}.", file=sys.stderr)
        return 2


def _run(arguments: list[str]) -> int:
    args = parse(arguments)
    gc.disable()  # imports make no garbage: looking for some costs a tenth of the start
    module = importlib.import_module(f"openalgo_desktop.shell.{args.module}")
    gc.freeze()
    gc.enable()
    hand_over()
    return int(module.run(args))


def _close_stdout() -> None:
    """Nobody reads any more: what is still buffered must not complain at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
