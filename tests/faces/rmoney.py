"""The page gives the session; the feed has a market session of its own."""

from __future__ import annotations

from tests.emulators import xts
from tests.faces.face import Face

VARIANT = xts.Variant(
    market="apibinarymarketdata", feed="apimarketdata", login="token", margin=True
)

FACE = Face(
    emulator=lambda clock: xts.XtsEmulator(clock, VARIANT),
    good=lambda emulator: {**xts.KEYS, "request_token": emulator.page_text()},
    bad={**xts.KEYS, "request_token": "wrong"},
    secrets=xts.SECRETS,
    whole=False,
)
