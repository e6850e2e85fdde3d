"""OpenAlgo servers: the emulator gives a fresh key."""

from __future__ import annotations

from tests.emulators import openalgo
from tests.faces.face import Face

FACE = Face(
    emulator=openalgo.OpenAlgoEmulator,
    good=lambda emulator: {"api_key": emulator.new_key()},
    bad={"api_key": "0" * 64},
    secrets=(),  # the key is a value of the session
)
