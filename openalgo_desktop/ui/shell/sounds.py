"""Sounds of fills, rejections and the like, by whatever plays on this machine.

Qt's own player is not part of every installation, so a program of the platform plays the files
(``pw-play``, ``paplay``, ``aplay``, ``afplay``; on Windows the system itself); without any there
is the beep of the desktop.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QProcess
from PySide6.QtWidgets import QApplication

from openalgo_desktop.config.feedback_settings import SOUNDS
from openalgo_desktop.config.resources import resource_path
from openalgo_desktop.ui.engine.bridge import Bridge

#: The same sound again comes after so many seconds at the earliest; a burst is one sound.
PAUSE = 0.4
#: Programs and their arguments; ``{file}``, ``{part}`` (0 to 1) and ``{units}`` (0 to 65536).
PLAYERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("pw-play", ("--volume={part}", "{file}")),
    ("paplay", ("--volume={units}", "{file}")),
    ("afplay", ("-v", "{part}", "{file}")),
    ("aplay", ("-q", "{file}")),
)
Play = Callable[[str, float], None]  # path, volume 0 to 1


def command(volume: float, file: str) -> list[str]:
    """The first player that is installed, with its arguments; empty without one."""
    for program, arguments in PLAYERS:
        if (path := shutil.which(program)) is not None:
            values = {"file": file, "part": f"{volume:.2f}", "units": str(int(volume * 65_536))}
            return [path, *(argument.format(**values) for argument in arguments)]
    return []


def play_file(file: str, volume: float) -> None:
    """Play and do not wait; never raises."""
    if sys.platform == "win32":
        import winsound

        try:
            winsound.PlaySound(file, winsound.SND_FILENAME | winsound.SND_ASYNC)
        except RuntimeError:
            QApplication.beep()
        return
    words: Sequence[str] = command(volume, file)
    if not words or not QProcess.startDetached(words[0], list(words[1:]))[0]:
        QApplication.beep()


class Sounds(QObject):
    """Plays by category, as the settings say."""

    def __init__(
        self,
        bridge: Bridge,
        parent: QObject,
        play: Play = play_file,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._bridge, self._play, self._now = bridge, play, now
        self._last: dict[str, float] = {}
        self._known = {name for name, _ in SOUNDS}

    @property
    def muted(self) -> bool:
        """Whether sounds are off."""
        return not self._bridge.setting("sounds.on")

    def set_muted(self, muted: bool) -> None:
        """Switch sounds off or on, for good."""
        self._bridge.set_setting("sounds.on", not muted)

    def test(self, category: str, percent: float) -> None:
        """Play a sound once, also while sounds are off: it was asked for."""
        if category in self._known and percent:
            volume = self._bridge.setting("sounds.volume") * percent
            self._play(str(resource_path(f"sounds/{category}.wav")), volume / 10_000.0)

    def play(self, category: str) -> None:
        """Play the sound of ``category``, unless it is silent or was played just now."""
        if category not in self._known or self.muted:
            return
        volume = self._bridge.setting("sounds.volume") * self._bridge.setting(f"sounds.{category}")
        if not volume:
            return
        now = self._now()
        if now - self._last.get(category, float("-inf")) < PAUSE:
            return
        self._last[category] = now
        self._play(str(resource_path(f"sounds/{category}.wav")), volume / 10_000.0)
