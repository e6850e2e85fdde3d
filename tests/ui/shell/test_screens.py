"""Every screen: names of all controls, no leaks by opening and closing, the pictures command."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QDialog

from openalgo_desktop.ui.kit.widgets import controls, name_inner_controls
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.scene import dialogs, place_some
from tests.ui.driving import Drive, priced

ROOT = Path(__file__).parents[3]


def test_every_control_of_every_dialog_has_both_names(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await priced(session)
        await place_some(session)
        found = await dialogs(session)
        names = {dialog.objectName() for dialog in found}
        assert len(names) == len(found) >= 9
        for dialog in found:
            name_inner_controls(dialog)
            assert dialog.windowTitle()
            unnamed = [
                (type(control).__name__, control.objectName(), control.accessibleName())
                for control in controls(dialog)
                if not (control.objectName() and control.accessibleName())
            ]
            assert unnamed == [], dialog.objectName()
            dialog.deleteLater()

    drive(scenario)


def test_dialogs_leave_nothing_behind(drive: Drive) -> None:
    async def rounds(session: Session, count: int) -> int:
        for _ in range(count):
            for dialog in await dialogs(session):
                name_inner_controls(dialog)
                dialog.show()
                await asyncio.sleep(0)
                dialog.close()
                dialog.deleteLater()
            await asyncio.sleep(0.01)
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # type: ignore[call-overload]
        gc.collect()
        return len(session.window.findChildren(QObject)) + sum(
            1 for thing in gc.get_objects() if isinstance(thing, QDialog)
        )

    async def scenario(session: Session) -> None:
        await priced(session)
        before = await rounds(session, 2)
        handlers = session.terminal.bus.handler_count()
        after = await rounds(session, 4)
        assert after <= before + 5
        assert session.terminal.bus.handler_count() == handlers

    drive(scenario)


def test_the_pictures_command_draws_the_window_in_both_themes(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openalgo_desktop", "screenshot"),
            *("--out", str(tmp_path), "--only", "window-*"),
        ],
        cwd=ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    pictures = {}
    for theme in ("dark", "light"):
        image = QImage(str(tmp_path / f"window-{theme}.png"))
        assert (image.width(), image.height()) == (1920, 1080)
        image = image.convertToFormat(QImage.Format.Format_RGB32)
        data = np.frombuffer(image.constBits(), np.uint32).reshape(1080, -1)
        assert len(np.unique(data[::4, ::4])) > 200  # text, candles, bars: no empty picture
        pictures[theme] = float((data & 0xFF).mean())
    assert pictures["dark"] < 80
    assert pictures["light"] > 180
