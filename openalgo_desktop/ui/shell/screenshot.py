"""Pictures of the window, every workspace, dock and dialog, in any theme and size, from the
simulator; what is cut in one of them is listed and makes the command fail."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from PySide6.QtWidgets import QApplication

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.ui.engine.links import MAIN
from openalgo_desktop.ui.engine.loop import PumpEventLoop
from openalgo_desktop.ui.kit import theme as themes
from openalgo_desktop.ui.kit.kinds import kinds
from openalgo_desktop.ui.kit.widgets import name_inner_controls
from openalgo_desktop.ui.rooms.api.api_monitor import PAGES, ApiMonitorDock
from openalgo_desktop.ui.shell.camera import MOMENT, USUAL, Camera, Size
from openalgo_desktop.ui.shell.main import Session, make_application
from openalgo_desktop.ui.shell.scene import ask_some, dialogs, near_future, place_some
from openalgo_desktop.ui.shell.tour import HINTS
from openalgo_desktop.ui.shell.workspaces import PRESETS

THEMES = ("dark", "light")
#: A window of another monitor.
BESIDE = Size(1200, 800)
#: The link group of the second ladder of the scalper.
SECOND = 2
#: Time for history, ticks and fills to arrive before the pictures are taken, and for the docks of
#: another workspace, seconds.
SETTLE, SWITCH = 4.0, 1.0
MORNING = datetime(2026, 11, 24, 11, 42, tzinfo=IST)
SCALE = "QT_SCALE_FACTOR"


@dataclass(frozen=True)
class Shoot:
    """What to take: names that match ``only``, in these themes and sizes, into ``out``."""

    out: Path
    only: str = "*"
    themes: tuple[str, ...] = THEMES
    sizes: tuple[Size, ...] = (USUAL,)

    @classmethod
    def parse(cls, out: Path, only: str, theme: str, sizes: str) -> Shoot:
        """From the words of the command line; raises :class:`ConfigError`."""
        names = themes.names() if theme == "all" else tuple(filter(None, theme.split(",")))
        for name in names:
            themes.load(name)
        found = tuple(Size.parse(text) for text in sizes.split(",") if text)
        return cls(out, only, names or THEMES, found or (USUAL,))


async def _docks(session: Session, camera: Camera, theme: str) -> None:
    """Every kind: the open dock, or one that is opened for its picture."""
    docking = session.window.docking
    for kind in kinds():
        name = f"dock-{kind}-{theme}"
        if not camera.wants_some(f"dock-{kind}-"):
            continue
        before = set(docking.docks)
        dock = docking.show(kind)
        await camera.take(dock, name)
        if isinstance(dock, ApiMonitorDock):
            for page in PAGES[1:]:
                dock.page.choose(page)
                await camera.take(dock, f"dock-{kind}-{page.lower()}-{theme}")
            dock.page.choose(PAGES[0])
        if dock.name not in before:
            dock.close()


async def _dialogs(session: Session, camera: Camera, theme: str) -> None:
    if not camera.wants_some("dialog-"):
        return
    for dialog in await dialogs(session):
        name_inner_controls(dialog)
        dialog.show()
        await camera.take(dialog, f"{dialog.objectName()}-{theme}")
        dialog.close()
        dialog.deleteLater()
    palette = session.window.hands.palette
    palette.open()
    palette.field.setText("nif")
    palette.search_now()
    await camera.take(palette, f"dialog-palette-{theme}")
    palette.dismiss()


async def _tour(session: Session, camera: Camera, theme: str) -> None:
    """Each hint, in the window."""
    if not camera.wants_some("tour-"):
        return
    tour = session.window.tour
    tour.start()
    for number in range(1, len(HINTS) + 1):
        await camera.take(session.window, f"tour-{number}-{theme}")
        tour.go()


async def _workspaces(session: Session, camera: Camera, theme: str, size: Size) -> None:
    spaces = session.window.workspaces
    if not camera.wants_some("workspace-"):
        return
    first = spaces.current
    for preset, title in zip(PRESETS, spaces.names(), strict=False):
        name = f"workspace-{preset}-{theme}"
        if title == first or not camera.wants(name):
            continue
        spaces.switch(title)
        session.window.showNormal()
        session.window.resize(size.width, size.height)
        session.window.default_layout()  # not what another size has left
        await asyncio.sleep(SWITCH)
        await camera.take(session.window, name)
        for number, window in enumerate(spaces.windows, 2):
            window.resize(BESIDE.width, BESIDE.height)  # the screen of pictures is a small one
            await camera.take(window, f"workspace-{preset}-{number}-{theme}")
    spaces.switch(first)
    await asyncio.sleep(MOMENT)


async def _shoot(app: QApplication, shoot: Shoot, options: TerminalOptions) -> list[str]:
    """Takes the pictures of all sizes, which have one scale; what was cut, one line each."""
    session = Session(app, options)
    await session.start()
    window = session.window
    faults: list[str] = []
    try:
        window.showNormal()
        window.resize(*USUAL[:2])
        window.default_layout()
        await place_some(session)
        await ask_some(session)
        nifty = near_future(session, "NIFTY")
        for group, future in ((MAIN, nifty), (SECOND, near_future(session, "BANKNIFTY"))):
            if future is not None:
                session.bridge.select(future.key, group)
        await asyncio.sleep(SETTLE)
        for size in shoot.sizes:
            camera = Camera(shoot.out, shoot.only, size)
            await take_all(session, camera, size, shoot.themes)
            faults += camera.faults()
    finally:
        await session.stop()
    return faults


async def take_all(session: Session, camera: Camera, size: Size, names: Sequence[str]) -> None:
    """Window, docks, dialogs and workspaces in each theme."""
    window = session.window
    for theme in names:
        session.bridge.set_setting("ui.theme", theme)
        window.resize(size.width, size.height)
        window.default_layout()
        await asyncio.sleep(MOMENT)
        window.toasts.clear()
        window.ticket.setFocus()
        await camera.take(window, f"window-{theme}")
        camera.check_size(window, size, f"window-{theme}")
        await _docks(session, camera, theme)
        await _dialogs(session, camera, theme)
        await _tour(session, camera, theme)
        await _workspaces(session, camera, theme, size)


def _in_process(shoot: Shoot, options: TerminalOptions) -> list[str]:
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
            return list(loop.run_until_complete(_shoot(app, shoot, options)))
    finally:
        loop.close()


def _in_child(shoot: Shoot, options: TerminalOptions, scale: float) -> int:
    """The scale is the process's: Qt reads it once."""
    settings = [f"--set={key}={value}" for key, value in options.overrides.items()]
    command = [
        *(sys.executable, "-m", "openalgo_desktop", "screenshot"),
        *("--out", str(shoot.out), "--only", shoot.only),
        *("--themes", ",".join(shoot.themes)),
        *("--sizes", ",".join(map(str, shoot.sizes))),
        *settings,
    ]
    return subprocess.run(command, env=os.environ | {SCALE: f"{scale:g}"}, check=False).returncode


def run_screenshots(
    shoot: Shoot, options: TerminalOptions, say: Callable[[str], object] = print
) -> int:
    """Write ``window-<theme>.png``, ``dock-<kind>-<theme>.png``, ``dialog-<name>-<theme>.png`` and
    ``workspace-<preset>-<theme>.png`` into ``shoot.out``, as far as their names match; those of
    other sizes than the usual one have it in their name. ``say`` hears what is cut; then it
    returns 1.

    Runs on a temporary data folder and free ports, in the sandbox, at a fixed moment of a trading
    day, so that it neither needs nor touches anything of the user.
    """
    out = shoot.out
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out: the folder {out} cannot be made: {error.strerror}.") from None
    here = float(os.environ.get(SCALE, "1"))
    code = 0
    for scale in dict.fromkeys(size.scale for size in shoot.sizes):
        part = replace(shoot, sizes=tuple(size for size in shoot.sizes if size.scale == scale))
        if scale != here:
            code = _in_child(part, options, scale) or code
            continue
        faults = _in_process(part, options)
        for fault in faults:
            say(fault)
        if faults:
            say(f"{len(faults)} texts are cut.")
            code = 1
    return code
