"""The page gives an access token, by a form."""

from __future__ import annotations

from tests.emulators import xts
from tests.faces.face import Face

VARIANT = xts.Variant(login="redirect", posts=True)

FACE = Face(
    emulator=lambda clock: xts.XtsEmulator(clock, VARIANT),
    good=lambda emulator: {**xts.KEYS, "request_token": emulator.page_text()},
    bad={**xts.KEYS, "request_token": "wrong"},
    secrets=xts.SECRETS,
    whole=False,
)
