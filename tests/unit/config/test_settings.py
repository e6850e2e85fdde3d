"""Settings that were renamed, and stored ones that do not count."""

from __future__ import annotations

import logging

import pytest

from openalgo_desktop.config import settings as table
from openalgo_desktop.config.setting import Setting
from openalgo_desktop.config.settings import SETTINGS, Settings

NOW, OLD, OLDER = "journal.new_name", "journal.old_name", "journal.older_name"


@pytest.fixture
def renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    row = Setting(NOW, 5, "A number", int, low=1, high=9, former=(OLD, OLDER))
    monkeypatch.setitem(SETTINGS, NOW, row)  # type: ignore[arg-type]
    monkeypatch.setattr(table, "RENAMED", {OLD: NOW, OLDER: NOW})


def test_a_value_under_a_former_name_is_carried_over(renamed: None) -> None:
    settings = Settings()
    settings.load({OLDER: 7})
    assert settings[NOW] == settings[OLD] == 7
    assert settings.is_set(NOW) and settings.origin(NOW) == "stored"


def test_the_present_name_wins_whatever_the_order(renamed: None) -> None:
    for stored in ({OLD: 7, NOW: 3}, {NOW: 3, OLD: 7}):
        settings = Settings()
        settings.load(stored)
        assert settings[NOW] == 3


def test_scripts_may_go_on_using_the_former_name(renamed: None) -> None:
    settings = Settings({OLD: "8"})
    assert settings[NOW] == 8
    stored: dict[str, object] = {}
    settings.on_store = stored.__setitem__
    settings.set(OLD, 2)
    assert (settings[NOW], stored) == (2, {NOW: 2})


def test_a_default_that_was_asked_for_does_not_turn_into_the_former_value(renamed: None) -> None:
    settings = Settings()
    settings.load({OLD: 7})
    forgotten: list[str] = []
    settings.on_forget = forgotten.append
    assert settings.unset(NOW) == settings[NOW] == 5
    assert forgotten == [NOW, OLD, OLDER]


def test_what_does_not_count_is_said(renamed: None, caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings()
    with caplog.at_level(logging.INFO):
        settings.load({OLD: 99, "no.such": 1, "ui.grouping": "roman"})
    assert settings[NOW] == 5 and settings["ui.grouping"] == "indian"
    for text in (NOW, "no.such", "ui.grouping"):
        assert text in caplog.text


def test_no_former_name_is_a_present_one() -> None:
    former = [name for row in SETTINGS.values() for name in row.former]
    assert len(former) == len(set(former))
    assert not set(former) & SETTINGS.keys()
