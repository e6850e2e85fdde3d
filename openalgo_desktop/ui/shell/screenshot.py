"""Pictures of the window and of every dock in both themes, from the simulator."""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatch
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.runtime.terminal import TerminalOptions
from openalgo_desktop.ui.engine.loop import PumpEventLoop
from openalgo_desktop.ui.kit.widgets import name_inner_controls
from openalgo_desktop.ui.rooms.api.api_monitor import PAGES, ApiMonitorDock
from openalgo_desktop.ui.shell.main import Session, make_application
from openalgo_desktop.ui.shell.scene import ask_some, dialogs, near_future, place_some

SIZE = (1920, 1080)
THEMES = ("dark", "light")
#: Time for history, ticks and fills to arrive before the pictures are taken, seconds.
SETTLE = 4.0
#: Time for a repaint after something was raised or changed, seconds.
MOMENT = 0.3
MORNING = datetime(2026, 11, 24, 11, 42, tzinfo=IST)


class Camera:
    """Writes pictures whose names match ``only`` (a pattern such as ``window-*``)."""

    def __init__(self, out: Path, only: str) -> None:
        self._out = out
        self._only = only

    def wants(self, name: str) -> bool:
        """Whether a picture of that name is asked for."""
        return fnmatch(name, self._only)

    def wants_some(self, prefix: str) -> bool:
        """Whether names that begin with ``prefix`` can match."""
        fixed = self._only.partition("*")[0]
        return fixed.startswith(prefix) or prefix.startswith(fixed)

    async def take(self, widget: QWidget, name: str) -> None:
        """One picture, after the widget had time to show what it has."""
        if not self.wants(name):
            return
        await asyncio.sleep(MOMENT)
        path = self._out / f"{name}.png"
        if not widget.grab().save(str(path)):
            raise ConfigError(f"The picture {path} could not be written.")


async def _docks(session: Session, camera: Camera, theme: str) -> None:
    for name, dock in session.window.docks.items():
        if not camera.wants(f"dock-{name}-{theme}"):
            continue
        dock.raise_()
        await camera.take(dock, f"dock-{name}-{theme}")
        if isinstance(dock, ApiMonitorDock):
            for page in PAGES[1:]:
                dock.page.choose(page)
                await camera.take(dock, f"dock-{name}-{page.lower()}-{theme}")
            dock.page.choose(PAGES[0])


async def _dialogs(session: Session, camera: Camera, theme: str) -> None:
    if not camera.wants_some("dialog-"):
        return
    for dialog in await dialogs(session):
        name_inner_controls(dialog)
        dialog.show()
        await camera.take(dialog, f"{dialog.objectName()}-{theme}")
        dialog.close()
        dialog.deleteLater()


async def _shoot(app: QApplication, camera: Camera, options: TerminalOptions) -> int:
    session = Session(app, options)
    await session.start()
    window = session.window
    try:
        window.showNormal()
        window.resize(*SIZE)
        window.default_layout()
        await place_some(session)
        await ask_some(session)
        nifty = near_future(session, "NIFTY")
        if nifty is not None:
            session.bridge.select(nifty.key)
        await asyncio.sleep(SETTLE)
        window.toasts.clear()
        window.ticket.setFocus()
        for theme in THEMES:
            session.bridge.set_setting("ui.theme", theme)
            window.default_layout()
            await asyncio.sleep(MOMENT)
            await camera.take(window, f"window-{theme}")
            await _docks(session, camera, theme)
            await _dialogs(session, camera, theme)
    finally:
        await session.stop()
    return 0


def run_screenshots(out: Path, options: TerminalOptions, only: str = "*") -> int:
    """Write ``window-<theme>.png``, ``dock-<name>-<theme>.png`` and ``dialog-<name>-<theme>.png``
    into ``out``, as far as their names match ``only``.

    Runs on a temporary data folder and free ports, in the sandbox, at a fixed moment of a trading
    day, so that it neither needs nor touches anything of the user.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out: the folder {out} cannot be made: {error.strerror}.") from None
    # The same pictures everywhere, and no window jumps at the user meanwhile.
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = make_application()
    loop = PumpEventLoop(app)
    asyncio.set_event_loop(loop)
    overrides = {"api.rest_port": 0, "api.ws_port": 0, **options.overrides}
    try:
        with tempfile.TemporaryDirectory() as folder:
            options = replace(
                options,
                data_dir=Path(folder),
                mode=Mode.SANDBOX,
                overrides=overrides,
                clock_start=options.clock_start or MORNING,
            )
            return int(loop.run_until_complete(_shoot(app, Camera(out, only), options)))
    finally:
        loop.close()
