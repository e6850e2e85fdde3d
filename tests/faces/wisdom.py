"""Direct login with two key pairs."""

from __future__ import annotations

from tests.emulators import xts
from tests.faces.face import Face

VARIANT = xts.Variant()

FACE = Face(
    emulator=lambda clock: xts.XtsEmulator(clock, VARIANT),
    good=lambda emulator: xts.KEYS,
    bad={**xts.KEYS, "api_secret": "wrong"},
    secrets=xts.SECRETS,
    whole=False,
)
