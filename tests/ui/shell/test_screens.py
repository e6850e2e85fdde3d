"""Every screen: names of all controls, no leaks by opening and closing, the pictures command."""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from openalgo_desktop import ui
from openalgo_desktop.config.resources import resource_path
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit import theme
from openalgo_desktop.ui.kit.clips import clips
from openalgo_desktop.ui.kit.kinds import kinds
from openalgo_desktop.ui.kit.table_dock import TableDock
from openalgo_desktop.ui.kit.widgets import controls, name_inner_controls
from openalgo_desktop.ui.shell.camera import USUAL, Camera, Size
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.scene import dialogs, place_some
from openalgo_desktop.ui.shell.screenshot import take_all
from openalgo_desktop.ui.shell.settings import SettingsDialog
from openalgo_desktop.ui.shell.workspaces import PRESETS
from tests.costs import living
from tests.ui.driving import Drive, priced
from tests.waiting import until

pytestmark = pytest.mark.timeout(300)  # a busy machine

ROOT = Path(__file__).parents[3]
#: Seconds for many pictures, and for the work of one test beside them.
PATIENCE = 270.0


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


def written_dialogs() -> set[type[QDialog]]:
    """All classes of dialogs that there are, by reading every module of the window."""
    for module in pkgutil.walk_packages(ui.__path__, f"{ui.__name__}."):
        importlib.import_module(module.name)
    found: set[type[QDialog]] = set()
    more: list[type[QDialog]] = [QDialog]
    while more:
        kind = more.pop()
        more += kind.__subclasses__()
        if kind.__module__.startswith(f"{ui.__name__}."):
            found.add(kind)
    return found


def test_every_dialog_dock_and_preset_is_photographed(drive: Drive, tmp_path: Path) -> None:
    """A new one without a picture, or one that is not looked at for cut texts, fails here."""
    assert {path.stem for path in resource_path("workspaces").glob("*.json")} == set(PRESETS)

    async def scenario(session: Session) -> None:
        await priced(session)
        await place_some(session)
        shown = await dialogs(session)
        missing = written_dialogs() - {type(dialog) for dialog in shown}
        assert {kind.__name__ for kind in missing} == set()
        taken: list[str] = []

        class Still(Camera):
            async def take(self, widget: QWidget, name: str) -> None:
                assert widget.isVisible(), name
                taken.append(name)

        await take_all(session, Still(tmp_path, "*"), USUAL, ("dark",))
        wanted = {f"dock-{kind}-dark" for kind in kinds()}
        wanted |= {f"workspace-{preset}-dark" for preset in PRESETS[1:]} | {"window-dark"}
        wanted |= {f"{dialog.objectName()}-dark" for dialog in shown} | {"dialog-palette-dark"}
        assert wanted - set(taken) == set()
        assert len(set(taken)) == len(taken)  # no picture is written over
        for dialog in shown:
            dialog.deleteLater()

    drive(scenario, PATIENCE)


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
        return living(QDialog) + len(session.window.findChildren(QObject))

    async def scenario(session: Session) -> None:
        await priced(session)
        await place_some(session)
        before = await rounds(session, 1)
        handlers = session.terminal.bus.handler_count()
        after = await rounds(session, 2)
        assert after <= before + 5
        assert session.terminal.bus.handler_count() == handlers

    drive(scenario, PATIENCE)


def pictures(folder: Path, *arguments: str, limit: float = PATIENCE) -> tuple[int, str]:
    """Exit code and output of the command."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openalgo_desktop", "screenshot", "--out", str(folder)),
            *arguments,
        ],
        cwd=ROOT,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )
    return done.returncode, f"{done.stdout}\n{done.stderr[-2000:]}"


def test_the_pictures_command_draws_the_window_in_every_theme_and_nothing_is_cut(
    tmp_path: Path,
) -> None:
    code, said = pictures(tmp_path, "--only", "window-*", "--themes", "all")
    assert code == 0, said
    mean = {}
    for name in theme.names():
        image = QImage(str(tmp_path / f"window-{name}.png"))
        assert (image.width(), image.height()) == (1920, 1080)
        image = image.convertToFormat(QImage.Format.Format_RGB32)
        data = np.frombuffer(image.constBits(), np.uint32).reshape(1080, -1)
        assert len(np.unique(data[::4, ::4])) > 200  # text, candles, bars: no empty picture
        mean[name] = float((data & 0xFF).mean())
    for name, brightness in mean.items():
        assert (brightness < 80) if theme.load(name).dark else (brightness > 180), name


def test_a_small_window_at_another_scale_is_drawn_by_its_own_process(tmp_path: Path) -> None:
    code, said = pictures(
        tmp_path, "--only", "window-*", "--themes", "dark", "--sizes", "1366x768@1.5"
    )
    assert code == 0, said
    image = QImage(str(tmp_path / "window-dark-1366x768@1.5.png"))
    assert (image.width(), image.height()) == (2049, 1152)


async def cut_in(screen: QWidget) -> list[str]:
    """Texts that are cut and stay so: one that has just come has its place in a turn or two."""
    found: list[str] = []
    for _ in range(120):
        screen.grab()
        await asyncio.sleep(0.025)
        found = [f"{screen.objectName()}: {clip}" for clip in clips(screen)]
        if not found:
            break
    return found


def test_no_text_is_cut_in_a_dock_or_dialog_of_a_small_window(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        window.showNormal()
        window.resize(1366, 768)
        await priced(session)
        await place_some(session)
        window.default_layout()
        cut = []
        for kind in kinds():
            cut += await cut_in(window.docking.show(kind))
        for dialog in await dialogs(session):
            name_inner_controls(dialog)
            dialog.show()
            cut += await cut_in(dialog)
            dialog.close()
            dialog.deleteLater()
        assert (window.width(), window.height()) == (1366, 768)
        assert cut == []

    drive(scenario, PATIENCE)


@pytest.mark.long
@pytest.mark.timeout(420)
@pytest.mark.parametrize("name", theme.names())
@pytest.mark.parametrize("size", ["1920x1080", "1920x1080@1.5", "1366x768"])
def test_no_text_is_cut_anywhere_in_any_theme(tmp_path: Path, size: str, name: str) -> None:
    code, said = pictures(tmp_path, "--themes", name, "--sizes", size, limit=400)
    assert code == 0, said
    assert len(list(tmp_path.glob("*.png"))) > 60


@pytest.mark.parametrize("words", ["1366", "20x20", "1366x768@9", "a x b"])
def test_a_size_that_is_none_is_told(words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(repr(words))):
        Size.parse(words)


def test_settings_are_found_by_their_words(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = SettingsDialog(session.window, session.bridge)
        dialog.show()
        dialog.search.setText("text size")
        dialog.show_found()
        page = dialog.page()
        assert page is not None and page.objectName() == "dialog-settings-found"
        page.complete()
        field = dialog.findChild(QWidget, "found-ui-text-scale")
        assert field is not None
        await until(field.isVisible, "the field")
        assert dialog.findChild(QWidget, "found-ui-density") is None
        dialog.search.setText("nonsense")
        dialog.show_found()
        assert "nonsense" in dialog.error.text()
        dialog.search.clear()
        dialog.show_found()
        assert dialog.stack.currentWidget().objectName() == "dialog-settings-local-api"
        dialog.deleteLater()

    drive(scenario)


def test_a_dock_that_is_opened_late_shows_its_book(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        await priced(session)
        await place_some(session)
        await until(lambda: len(session.bridge.books.positions) >= 4, "positions")
        for kind in ("positions", "orders", "trades"):
            window.docking.show(kind).close()
            await asyncio.sleep(0)
            dock = window.docking.show(kind)
            assert isinstance(dock, TableDock)
            await until(lambda dock=dock: dock.rows, f"rows of {kind}")

    drive(scenario)
