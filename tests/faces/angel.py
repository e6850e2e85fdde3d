"""Angel One: PIN and the one-time code of the stored secret."""

from __future__ import annotations

from tests.emulators import angel
from tests.faces.face import Face

_GOOD = {
    "api_key": angel.API_KEY,
    "client_id": angel.USER,
    "pin": angel.PIN,
    "totp_secret": angel.TOTP_SECRET,
}

FACE = Face(
    emulator=angel.AngelEmulator,
    good=lambda emulator: _GOOD,
    bad={**_GOOD, "pin": "0000"},
    secrets=(angel.API_KEY, angel.PIN, angel.TOTP_SECRET),
)
