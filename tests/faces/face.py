"""The face of a broker in tests: an emulator and how one logs in at it.

``tests/faces/<broker>.py`` has one as ``FACE``; nothing else lists them.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openalgo_desktop.core.clock import SystemClock
from tests.emulators.base import BrokerEmulator

_HERE = Path(__file__).parent
#: Modules here that are not the face of one broker.
_COMMON = frozenset({"face"})


@dataclass(frozen=True)
class Face:
    """An emulator and how one logs in at it. ``bad`` are credentials that it refuses. ``whole``:
    all cases of the contract run for it; else another member of its family stands for it, and
    what is its own is shown from the login to an order."""

    emulator: Callable[[SystemClock], BrokerEmulator]
    good: Callable[[Any], Mapping[str, str]]
    bad: Mapping[str, str]
    secrets: tuple[str, ...] = ()  # texts that must never be seen in logs or errors
    whole: bool = True


def face_names(*, whole: bool = True) -> list[str]:
    """Brokers with a hand-written face, alphabetical; without ``whole`` those, too, that another
    member of their family stands for."""
    names = {path.stem for path in _HERE.glob("*.py")} - _COMMON
    found = sorted(name for name in names if not name.startswith("_"))
    return [name for name in found if not whole or face_of(name).whole]


@functools.cache
def face_of(broker: str) -> Face:
    """The hand-written face of a broker."""
    face = importlib.import_module(f"tests.faces.{broker}").FACE
    assert isinstance(face, Face), f"tests/faces/{broker}.py: FACE is no Face"
    return face
