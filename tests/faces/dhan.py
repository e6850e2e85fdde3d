"""Dhan: the token id that the page of the consent brings back."""

from __future__ import annotations

from tests.emulators import dhan
from tests.faces.face import Face

_APP = {"client_id": dhan.CLIENT, "app_id": dhan.APP_ID, "app_secret": dhan.APP_SECRET}

FACE = Face(
    emulator=dhan.DhanEmulator,
    good=lambda emulator: {**_APP, "token_id": emulator.new_token_id()},
    bad={**_APP, "token_id": "wrong"},
    secrets=(dhan.APP_SECRET,),
)
