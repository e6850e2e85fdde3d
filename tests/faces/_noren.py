"""The face of a member of the Noren family."""

from __future__ import annotations

from tests.emulators.noren import API_SECRET, APP_KEY, USER, NorenEmulator
from tests.emulators.noren_files import Dialect
from tests.faces.face import Face


def face(dialect: Dialect, *, whole: bool = True) -> Face:
    """Logs in with a code as the browser brings it back. ``whole``: it runs every case."""
    app = {"client_id": USER, "app_key": APP_KEY, "api_secret": API_SECRET}
    return Face(
        emulator=lambda clock: NorenEmulator(clock, dialect),
        good=lambda emulator: {**app, "code": emulator.new_code()},
        bad={**app, "code": "wrong"},
        secrets=(APP_KEY, API_SECRET),
        whole=whole,
    )
