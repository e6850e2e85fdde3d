"""Kite Connect: a request token as the browser's callback brings it."""

from __future__ import annotations

from tests.emulators import kite
from tests.faces.face import Face

FACE = Face(
    emulator=kite.KiteEmulator,
    good=lambda emulator: {
        "api_key": kite.API_KEY,
        "api_secret": kite.API_SECRET,
        "request_token": emulator.new_request_token(),
    },
    bad={
        "api_key": kite.API_KEY,
        "api_secret": kite.API_SECRET,
        "request_token": "wrong",
    },
    secrets=(kite.API_KEY, kite.API_SECRET),
)
