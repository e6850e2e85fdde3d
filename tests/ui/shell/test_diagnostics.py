"""Help > Diagnostics and the crash report: shown, saved, nothing secret, never sent."""

from __future__ import annotations

import zipfile
from pathlib import Path
from unittest.mock import patch

import pytest
from PySide6.QtWidgets import QApplication

from openalgo_desktop.core.clock import IST
from openalgo_desktop.runtime.crash import look_back
from openalgo_desktop.ui.shell import crash_report, diagnostics
from openalgo_desktop.ui.shell.crash_report import CrashReportDialog, offer_crash_report
from openalgo_desktop.ui.shell.diagnostics import DiagnosticsDialog
from openalgo_desktop.ui.shell.main import Session
from tests.ui.driving import Drive, click
from tests.waiting import until

pytestmark = pytest.mark.docks()

RUN = {"pid": "4711", "since": "2026-11-24 09:00:00", "control_token": "tell-nobody"}


def path_of(target: Path | None) -> object:
    async def chosen(*_: object, **__: object) -> Path | None:
        return target

    return chosen


async def crashed(session: Session) -> Path:
    """As after a run that did not end properly."""
    terminal = session.terminal
    made = look_back(terminal.data_dir.logs, RUN, terminal.clock.now(), terminal.logs.redactor)
    assert made is not None
    return made


def test_the_bundle_says_what_helps_and_nothing_secret(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        bridge = session.bridge
        key = await bridge.api.default_key()
        assert key is not None
        bridge.performance.watch()
        dialog = DiagnosticsDialog(session.window, bridge)
        dialog.show()
        assert not dialog.save.isEnabled()
        await dialog.load()
        shown = dialog.text.toPlainText()
        for words in ("version", "PySide6", "settings that were set", "loop lag", "sandbox"):
            assert words in shown
        target = tmp_path / "bundle.zip"
        with patch.object(diagnostics, "ask_path", path_of(target)):
            click(dialog.save)
            await until(lambda: str(target) in dialog.said.text(), "the file")
        with zipfile.ZipFile(target) as bundle:
            names = bundle.namelist()
            texts = [bundle.read(name).decode() for name in names]
        today = session.terminal.clock.now().astimezone(IST).date()
        assert names[:2] == ["summary.txt", "performance.txt"]
        assert f"logs/openalgo-{today.isoformat()}.log" in names
        secrets = (key.reveal(), session.terminal.owner_door.token.reveal())
        for text in (shown, *texts):
            assert not any(secret in text for secret in secrets)
        click(dialog.copy)
        assert QApplication.clipboard().text() == shown
        dialog.deleteLater()

    drive(scenario)


def test_nothing_is_saved_without_a_path(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = DiagnosticsDialog(session.window, session.bridge)
        await dialog.load()
        with patch.object(diagnostics, "ask_path", path_of(None)):
            await dialog._save()
        assert dialog.said.text() == "" and dialog.save.isEnabled()
        dialog.deleteLater()

    drive(scenario)


def test_what_is_saved_while_the_window_is_hidden_can_be_saved_again(
    drive: Drive, tmp_path: Path
) -> None:
    async def scenario(session: Session) -> None:
        dialog = DiagnosticsDialog(session.window, session.bridge)
        await dialog.load()
        with patch.object(diagnostics, "ask_path", path_of(tmp_path / "bundle.zip")):
            await dialog._save()  # never shown, as one of a window in the tray
        assert dialog.save.isEnabled()
        dialog.deleteLater()

    drive(scenario)


def test_a_crash_is_offered_once(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        bridge, window = session.bridge, session.window
        await offer_crash_report(window, bridge)
        assert window.findChild(CrashReportDialog) is None  # every run ended properly
        report = await crashed(session)
        window.commands.offer_crash_report()
        await until(lambda: window.findChild(CrashReportDialog) is not None, "the offer")
        dialog = window.findChild(CrashReportDialog)
        assert dialog is not None
        await until(dialog.isVisible, "the report")
        assert not dialog.isModal()  # a position may need a hand first
        shown = dialog.text.toPlainText()
        assert "4711" in shown and RUN["control_token"] not in shown
        target = tmp_path / "crash.txt"
        with patch.object(crash_report, "ask_path", path_of(target)):
            click(dialog.save)
            await until(lambda: str(target) in dialog.said.text(), "the file")
        assert target.read_text() == report.read_text()
        dialog.accept()
        assert await bridge.diagnostics.unseen() is None
        told: list[str] = []
        bridge.notice.connect(lambda _level, text: told.append(text))
        await offer_crash_report(window, bridge)
        assert told == []

    drive(scenario)


def test_behind_the_lock_there_is_a_word_only(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        await crashed(session)
        told: list[str] = []
        session.bridge.notice.connect(lambda _level, text: told.append(text))
        with patch.object(type(session.bridge.lock), "locked", property(lambda _: True)):
            await offer_crash_report(session.window, session.bridge)
        assert told == [f"{crash_report.ENDED_BADLY} Help > Crash report shows what it left."]
        assert session.window.findChild(CrashReportDialog) is None
        assert await session.bridge.diagnostics.unseen() is not None

    drive(scenario)


def test_the_menu_says_when_there_is_none(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        told: list[str] = []
        session.bridge.notice.connect(lambda _level, text: told.append(text))
        session.window.actions_by_name["crash-report"].trigger()
        await until(lambda: bool(told), "the notice")
        assert "ended properly" in told[0]

    drive(scenario)
