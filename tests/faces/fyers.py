"""Fyers: an auth code as the browser's callback brings it."""

from __future__ import annotations

from tests.emulators import fyers
from tests.faces.face import Face

FACE = Face(
    emulator=fyers.FyersEmulator,
    good=lambda emulator: {
        "api_key": fyers.APP_ID,
        "api_secret": fyers.SECRET,
        "auth_code": emulator.new_auth_code(),
    },
    bad={"api_key": fyers.APP_ID, "api_secret": fyers.SECRET, "auth_code": "wrong"},
    secrets=(fyers.SECRET,),
)
