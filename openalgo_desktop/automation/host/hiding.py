"""Before the first script runs beside us: other programs of this user cannot read our memory, our
environment (the passphrase of the vault may be in it) and our descriptors any more."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_SET_DUMPABLE = 4


def hide_from_scripts() -> None:
    """On Linux, for this process only: programs that it starts are as they were. There is no core
    dump of it then, and a debugger needs the rights of root. Elsewhere nothing happens."""
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
