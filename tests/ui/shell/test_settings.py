"""The settings dialog: groups, search as one types, defaults, what waits for the next start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QPushButton, QWidget

from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.runtime.early import early_setting
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.ui.kit.fields import CountField, DecimalField
from openalgo_desktop.ui.kit.settings_page import SettingsPage, find_rows
from openalgo_desktop.ui.kit.widgets import slug
from openalgo_desktop.ui.shell.main import SCALE, Session, scale_for
from openalgo_desktop.ui.shell.settings import SettingsDialog
from tests.ui.driving import Drive, click
from tests.waiting import until

pytestmark = pytest.mark.docks()


def opened(session: Session) -> SettingsDialog:
    dialog = SettingsDialog(session.window, session.bridge)
    dialog.show()
    return dialog


def part(dialog: SettingsDialog, kind: type[Any], key: str, prefix: str = "setting") -> Any:
    page = dialog.page()
    assert page is not None
    page.complete()
    found = page.findChild(kind, f"{prefix}-{slug(key)}")
    assert found is not None, key
    return found


def group(dialog: SettingsDialog, name: str) -> None:
    dialog.groups.setCurrentItem(dialog.groups.findItems(name, Qt.MatchFlag.MatchExactly)[0])


def test_every_setting_has_its_field_and_opening_changes_nothing(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = opened(session)
        heard: list[str] = []
        session.bridge.setting_changed.connect(lambda key, _value: heard.append(key))
        for name in dict.fromkeys(row.group for row in SETTINGS.values()):
            group(dialog, name)
            for row in SETTINGS.values():
                if row.group == name:
                    widget = part(dialog, QWidget, row.key)
                    assert widget.accessibleName() == row.help
        dialog._save()
        assert heard == []
        dialog.deleteLater()

    drive(scenario)


def test_the_search_filters_while_one_types(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = opened(session)
        assert dialog.search.hasFocus() or session.app.focusWidget() is not None
        QTest.keyClicks(dialog.search, "brokerage")
        await until(lambda: dialog.page() is dialog._found, "what is found")
        plan = part(dialog, QComboBox, "sandbox.brokerage_plan", "found")
        plan.setCurrentText("flat20")
        assert dialog._found is not None
        labels = dialog._found.findChildren(QLabel)
        headings = [one.text() for one in labels if "-heading-" in one.objectName()]
        assert "Sandbox" in headings
        QTest.keyClicks(dialog.search, " nothing like it")
        await until(lambda: "No setting is about" in dialog.error.text(), "nothing")
        QTest.keyClick(dialog.search, Qt.Key.Key_Escape)  # clears the search, not the dialog
        assert dialog.isVisible() and not dialog.search.text()
        group(dialog, "Sandbox")
        assert part(dialog, QComboBox, "sandbox.brokerage_plan").currentText() == "flat20"
        click(dialog.findChild(QPushButton, "dialog-settings-save"))
        assert session.bridge.setting("sandbox.brokerage_plan") == "flat20"
        assert not dialog.isVisible()

    drive(scenario)


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("REST port", "api.rest_port"),
        ("theme", "ui.theme"),
        ("discount", "sandbox.brokerage_plan"),
        ("ui.grouping", "ui.grouping"),
        ("local api port", "api.ws_port"),
    ],
)
def test_words_are_found_in_help_key_group_and_choices(words: str, key: str) -> None:
    assert key in [row.key for row in find_rows(words)]
    assert len(find_rows(words)) < len(SETTINGS) / 2


def test_values_of_several_groups_are_stored_together(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = opened(session)
        told: list[str] = []
        session.bridge.notice.connect(lambda _level, text: told.append(text))
        group(dialog, "Local API")
        port = part(dialog, CountField, "api.rest_port")
        assert "," not in port.text()  # a port is no amount
        port.setValue(5001)
        group(dialog, "Window")
        part(dialog, QComboBox, "ui.grouping").setCurrentText("western")
        dialog._save()
        bridge = session.bridge
        assert (bridge.setting("api.rest_port"), bridge.setting("ui.grouping")) == (5001, "western")
        bridge.set_setting("ui.grouping", "indian")
        assert told == [f"From the next start on: {SETTINGS['api.rest_port'].help}"]

    drive(scenario)


def test_back_to_the_default(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        bridge = session.bridge
        bridge.set_setting("log.level", "DEBUG")
        dialog = opened(session)
        group(dialog, "Log")
        button = part(dialog, QPushButton, "log.level.default")
        assert button.isVisible() and "Back to INFO" in button.toolTip()
        assert not part(dialog, QPushButton, "log.keep_days.default").isVisible()
        click(button)
        assert part(dialog, QComboBox, "log.level").currentText() == "INFO"
        assert not button.isVisible()
        group(dialog, "Window")  # it is not forgotten on the way
        dialog._save()
        assert bridge.setting("log.level") == "INFO"
        assert bridge.setting_origin("log.level") == "default"

    drive(scenario)


def test_bad_values_are_told_and_led_to(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = opened(session)
        group(dialog, "Limits")
        limit = part(dialog, QLineEdit, "limits.api")
        before = session.bridge.setting("limits.api")
        limit.setText("as often as you like")
        group(dialog, "Log")
        part(dialog, QComboBox, "log.level").setCurrentText("WARNING")
        dialog._save()
        assert dialog.isVisible() and "limits.api" in dialog.error.text()
        assert dialog.groups.currentItem().text() == "Limits"
        assert session.bridge.setting("limits.api") == before
        assert session.bridge.setting("log.level") == "INFO"  # all or none
        dialog.reject()

    drive(scenario)


def test_a_number_that_could_be_two_is_not_stored(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = opened(session)
        key = "confirm.value"
        group(dialog, SETTINGS[key].group)
        field = part(dialog, DecimalField, key)
        before = session.bridge.setting(key)
        field.selectAll()
        QTest.keyClicks(field, "12,5")
        dialog._save()
        assert "two ways" in dialog.error.text() and dialog.isVisible()
        assert session.bridge.setting(key) == before
        dialog.reject()

    drive(scenario)


def test_what_the_command_line_set_says_so(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = opened(session)
        group(dialog, "Local API")
        caption = part(dialog, QLabel, "api.rest_port.label")
        assert "at the next start" in caption.text() and "for this run" in caption.text()
        assert isinstance(part(dialog, QCheckBox, "api.enabled"), QCheckBox)
        dialog.reject()

    drive(scenario)


def test_opening_and_searching_make_no_field_yet(drive: Drive) -> None:
    """To make them, and to lay them out, takes long: they come in turns of their own."""

    async def scenario(session: Session) -> None:
        dialog = opened(session)
        page = dialog.page()
        assert page is not None and len(page._waiting) > 5 and len(dialog._all()) == 1
        assert not page._lines
        dialog.search.setText("sandbox")
        dialog.show_found()
        found = dialog.page()
        assert found is not None and found is not page
        assert len(found._waiting) > 5 and not found._lines
        dialog.reject()

    drive(scenario)


def test_a_form_grows_in_turns_and_shows_what_was_typed_before(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        rows = find_rows("price")[:8]
        assert len(rows) == 8
        key = rows[-1].key
        value = not SETTINGS[key].default if SETTINGS[key].kind is bool else SETTINGS[key].default
        page = SettingsPage(session.bridge, rows, "slow", {key: value})
        grown, sizes = list[int](), list[int]()
        page.grown.connect(lambda: grown.append(len(page._lines)))
        page._turn.timeout.connect(lambda: sizes.append(len(page._lines)))
        assert not page._lines and page.has(key)
        await until(lambda: grown, "all fields")
        assert sizes == [1, 2, 3, 4, 5, 6, 7, 8]  # one each time that the timer fires
        assert grown == [8]
        assert page.typed().get(key, SETTINGS[key].default) == value
        page.deleteLater()

    drive(scenario)


def test_a_field_that_is_not_there_yet_is_led_to(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = opened(session)
        group(dialog, "Window")
        page = dialog.page()
        assert page is not None
        last = [row.key for row in SETTINGS.values() if row.group == "Window"][-1]
        page.focus(last)
        assert not page._waiting and last in page._lines
        dialog.deleteLater()

    drive(scenario)


def test_the_scale_counts_from_the_next_start_on(drive: Drive, tmp_path: Path) -> None:
    async def scenario(session: Session) -> None:
        options = TerminalOptions(data_dir=tmp_path)
        assert early_setting(options, "ui.scale") == 100
        session.bridge.set_setting("ui.scale", 150)
        assert "next start" in session.bridge.setting_origin("ui.scale")
        await until(lambda: early_setting(options, "ui.scale") == 150, "the value on the disk")
        forced = TerminalOptions(data_dir=tmp_path, overrides={"ui.scale": "80"})
        assert early_setting(forced, "ui.scale") == 80

    drive(scenario)
    assert early_setting(TerminalOptions(data_dir=tmp_path), "ui.scale") == 150  # nothing runs


def test_a_scale_is_given_to_qt_unless_the_user_has_forced_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options = TerminalOptions(data_dir=tmp_path / "none", overrides={"ui.scale": 125})
    monkeypatch.setattr(os, "environ", dict(os.environ))
    os.environ.pop(SCALE, None)
    scale_for(options)
    assert os.environ[SCALE] == "1.25"
    os.environ[SCALE] = "2"
    scale_for(options)
    assert os.environ[SCALE] == "2"
    del os.environ[SCALE]
    scale_for(TerminalOptions(data_dir=tmp_path / "none"))
    assert SCALE not in os.environ
    assert not (tmp_path / "none").exists()  # looking makes nothing


def test_each_sound_is_tried_as_loud_as_the_field_says(drive: Drive) -> None:
    async def scenario(session: Session) -> None:
        dialog = opened(session)
        group(dialog, "Sounds")
        asked: list[tuple[str, float]] = []
        session.bridge.sound_wanted.connect(lambda name, percent: asked.append((name, percent)))
        part(dialog, CountField, "sounds.reject").setValue(30)
        click(part(dialog, QPushButton, "sounds.reject-test"))
        click(part(dialog, QPushButton, "sounds.fill-test"))
        assert asked == [("reject", 30.0), ("fill", 100.0)]
        assert session.bridge.setting("sounds.reject") == 100  # tried, not stored
        dialog.deleteLater()

    drive(scenario)
