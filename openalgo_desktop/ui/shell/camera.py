"""Takes pictures and looks at each for texts that are cut."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QDialog, QTabWidget, QWidget

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.ui.kit.clips import Clip, clips

#: Time for a repaint after something was raised or changed, seconds.
MOMENT = 0.15
#: Layouts within layouts, each of which may ask the one around it for more.
LAYOUTS = 5


class Size(NamedTuple):
    """A window of so many pixels of the program, on a screen with ``scale`` of its own to one."""

    width: int
    height: int
    scale: float = 1.0

    def __str__(self) -> str:
        base = f"{self.width}x{self.height}"
        return base if self.scale == 1.0 else f"{base}@{self.scale:g}"

    @classmethod
    def parse(cls, text: str) -> Size:
        """``1366x768`` or ``1920x1080@1.5``; raises :class:`ConfigError`."""
        pixels, _, scale = text.partition("@")
        width, _, height = pixels.partition("x")
        try:
            size = cls(int(width), int(height), float(scale or 1.0))
        except ValueError:
            size = cls(0, 0)
        if not (320 <= size.width <= 8000 and 200 <= size.height <= 8000):
            raise ConfigError(f"{text!r} is no size: write 1366x768 or 1920x1080@1.5.")
        if not 1.0 <= size.scale <= 3.0:
            raise ConfigError(f"{text!r}: the scale is between 1 and 3.")
        return size


#: The size whose pictures have no size in their names.
USUAL = Size(1920, 1080)


def settle() -> None:
    """Let every layout do what is asked of it, also those that ask for more by it: a text that
    changed in this moment is not cut, it has no place yet."""
    for _ in range(LAYOUTS):
        QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)


class Camera:
    """Writes pictures whose names match ``only`` (a pattern such as ``window-*``), and remembers
    what was cut in them."""

    def __init__(self, out: Path, only: str, size: Size = USUAL) -> None:
        self._out = out
        self._only = only
        self._suffix = "" if size == USUAL else f"-{size}"
        self._cut: dict[Clip, list[str]] = {}
        self.taken = 0

    def wants(self, name: str) -> bool:
        """Whether a picture of that name is asked for."""
        return fnmatch(name, self._only) or fnmatch(name + self._suffix, self._only)

    def wants_some(self, prefix: str) -> bool:
        """Whether names that begin with ``prefix`` can match."""
        fixed = self._only.partition("*")[0]
        return fixed.startswith(prefix) or prefix.startswith(fixed)

    async def take(self, widget: QWidget, name: str) -> None:
        """One picture, after the widget had time to show what it has."""
        if not self.wants(name):
            return
        await asyncio.sleep(MOMENT)
        widget.grab()  # what does not fit shows when it is painted, and columns grow then
        await asyncio.sleep(0)
        settle()
        path = self._out / f"{name}{self._suffix}.png"
        if not widget.grab().save(str(path)):
            raise ConfigError(f"The picture {path} could not be written.")
        self.taken += 1
        self._look(widget, name)
        if isinstance(widget, QDialog):
            for tabs in widget.findChildren(QTabWidget):
                for page in range(tabs.count()):
                    tabs.setCurrentIndex(page)
                    await asyncio.sleep(0)
                    settle()
                    self._look(widget, name)
                tabs.setCurrentIndex(0)

    def check_size(self, window: QWidget, asked: Size, name: str) -> None:
        """A window that is larger than it was asked to be does not fit its screen."""
        for kind, needs, has in (
            ("window (width)", window.width(), asked.width),
            ("window (height)", window.height(), asked.height),
        ):
            if needs > has:
                self._note(Clip(window.objectName(), kind, str(asked), needs, has), name)

    def _look(self, widget: QWidget, name: str) -> None:
        for clip in clips(widget):
            self._note(clip, name)

    def _note(self, clip: Clip, name: str) -> None:
        seen = self._cut.setdefault(clip, [])
        if name not in seen:
            seen.append(name)

    def faults(self) -> Iterator[str]:
        """What was cut, one line each, with the pictures that show it."""
        for clip, names in self._cut.items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            yield f"{names[0]}{self._suffix}{more}: {clip}"
