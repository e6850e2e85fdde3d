"""About: from the Help menu, as text."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel

import openalgo_desktop
from openalgo_desktop import __version__
from openalgo_desktop.runtime import about
from openalgo_desktop.ui.shell.about import AboutDialog
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive
from tests.waiting import until

pytestmark = pytest.mark.docks()


def text(dialog: AboutDialog, name: str) -> str:
    found = dialog.findChild(QLabel, f"dialog-about-{name}")
    assert found is not None
    return found.text()


def test_the_help_menu_shows_version_licence_source_and_libraries(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        window = session.window
        menus = [action for action in window.menuBar().actions() if action.text() == "&Help"]
        action = menus[0].menu().actions()[-1]  # type: ignore[attr-defined]
        assert action.iconText() == "About"
        action.trigger()
        await until(lambda: window.findChildren(AboutDialog), "the dialog")
        dialog = window.findChildren(AboutDialog)[0]
        assert text(dialog, "title") == f"OpenAlgo Desktop {__version__}"
        assert "AGPL-3.0-or-later" in text(dialog, "licence")
        assert text(dialog, "source") == f"Source: {Path(openalgo_desktop.__file__).parent}"
        rows = [
            tuple(dialog.table.item(row, column).text() for column in range(3))  # type: ignore[union-attr]
            for row in range(dialog.table.rowCount())
        ]
        assert ("numpy", metadata.version("numpy")) in [row[:2] for row in rows]
        assert {row[0]: row[2] for row in rows}["aiohttp"].startswith("Apache-2.0")
        assert ("Inter (font)", "", "OFL-1.1") in rows
        assert all(row[2] for row in rows)
        dialog._copy()
        copied = QApplication.clipboard().text()
        assert copied.startswith(f"OpenAlgo Desktop {__version__}, AGPL-3.0-or-later\nSource: ")
        assert "websockets" in copied
        dialog.accept()

    drive(scenario)


def test_every_library_that_is_installed_with_the_program_is_listed() -> None:
    needed = {
        re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0].lower().replace("_", "-")
        for line in metadata.requires("openalgo-desktop") or []
        if "extra ==" not in line
    }
    assert needed - {"tzdata"} == {name.lower().replace("_", "-") for name in about.LIBRARIES}


def test_a_source_that_the_distribution_names_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    class Facts:
        def get_all(self, name: str) -> list[str]:
            return ["Homepage, https://a.example", "Source, https://b.example/x"]

    monkeypatch.setattr(metadata, "metadata", lambda name: Facts())
    assert about.source() == "https://b.example/x"
