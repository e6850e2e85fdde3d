"""Upstox: a code as the browser's callback brings it."""

from __future__ import annotations

from tests.emulators import upstox
from tests.faces.face import Face

_APP = {
    "api_key": upstox.API_KEY,
    "api_secret": upstox.API_SECRET,
    "redirect_uri": upstox.REDIRECT,
}

FACE = Face(
    emulator=upstox.UpstoxEmulator,
    good=lambda emulator: {**_APP, "code": emulator.new_code()},
    bad={**_APP, "code": "wrong"},
    secrets=(upstox.API_SECRET,),
)
