"""Firstock: password and one-time code."""

from __future__ import annotations

from tests.emulators import firstock
from tests.faces.face import Face

_GOOD = {
    "client_id": firstock.USER,
    "password": firstock.PASSWORD,
    "api_key": firstock.API_KEY,
    "totp": firstock.CODE,
}

FACE = Face(
    emulator=firstock.FirstockEmulator,
    good=lambda emulator: _GOOD,
    bad={**_GOOD, "password": "wrong"},
    secrets=(firstock.PASSWORD, firstock.API_KEY),
)
