"""Dhan's sandbox: a pasted token; orders and books, no market data."""

from __future__ import annotations

from tests.emulators import dhan
from tests.faces.face import Face

FACE = Face(
    emulator=lambda clock: dhan.DhanEmulator(clock, live=False),
    good=lambda emulator: {
        "client_id": dhan.CLIENT,
        "access_token": emulator.new_access_token(),
    },
    bad={"client_id": dhan.CLIENT, "access_token": "wrong-token"},
    whole=False,
)
