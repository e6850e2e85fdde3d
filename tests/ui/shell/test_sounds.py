"""Sounds: files that are there, categories, volumes, bursts, players of the platform."""

from __future__ import annotations

import shutil
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from openalgo_desktop.config.feedback_settings import FEEDBACK_SETTINGS, SOUNDS
from openalgo_desktop.config.resources import resource_path
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.shell.sounds import Sounds, command

ROOT = Path(__file__).parents[3]


class Settings:
    """What :class:`Sounds` needs of the bridge."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {row.key: row.default for row in FEEDBACK_SETTINGS}

    def setting(self, key: str) -> Any:
        return self.values[key]

    def set_setting(self, key: str, value: Any) -> None:
        self.values[key] = value


def test_the_files_are_those_of_the_script(tmp_path: Path) -> None:
    for name, _ in SOUNDS:
        with wave.open(str(resource_path(f"sounds/{name}.wav")), "rb") as file:
            assert 0.05 < file.getnframes() / file.getframerate() < 0.8
    folder = tmp_path / "resources" / "sounds"
    script = tmp_path / "packaging" / "make_sounds.py"
    folder.mkdir(parents=True)
    script.parent.mkdir()
    shutil.copy(ROOT / "packaging" / "make_sounds.py", script)
    subprocess.run([sys.executable, str(script)], check=True, timeout=30)
    for name, _ in SOUNDS:
        made = (folder / f"{name}.wav").read_bytes()
        assert made == resource_path(f"sounds/{name}.wav").read_bytes()


def test_volume_mute_and_bursts(qtbot: QtBot) -> None:
    settings, played, time = Settings(), [], [0.0]
    owner = QObject()
    sounds = Sounds(
        cast(Bridge, settings),
        owner,
        lambda file, volume: played.append((Path(file).stem, volume)),
        lambda: time[0],
    )
    sounds.play("fill")
    sounds.play("fill")  # the same moment
    time[0] = 1.0
    settings.values["sounds.fill"] = 50
    sounds.play("fill")
    assert played == [("fill", 0.7), ("fill", 0.35)]
    settings.values["sounds.reject"] = 0
    sounds.play("reject")
    sounds.play("no such sound")
    sounds.set_muted(True)
    sounds.play("stop")
    assert len(played) == 2 and sounds.muted and settings.values["sounds.on"] is False
    sounds.test("stop", 50.0)  # asked for, so it is heard; as loud as the form says
    sounds.test("stop", 0.0)
    sounds.test("no such sound", 50.0)
    assert played[2:] == [("stop", 0.35)]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("pw-play", ["--volume=0.50", "x.wav"]),
        ("paplay", ["--volume=32768", "x.wav"]),
        ("afplay", ["-v", "0.50", "x.wav"]),
        ("aplay", ["-q", "x.wav"]),
    ],
)
def test_the_player_of_the_machine_is_used(
    monkeypatch: pytest.MonkeyPatch, program: str, words: list[str]
) -> None:
    monkeypatch.setattr(
        shutil, "which", lambda name: f"/usr/bin/{name}" if name == program else None
    )
    assert command(0.5, "x.wav") == [f"/usr/bin/{program}", *words]


def test_without_a_player_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert command(0.5, "x.wav") == []
