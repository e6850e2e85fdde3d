"""Tables as files: CSV with plain numbers, and a picture as on paper.

Both are made in a thread from texts that were taken before; they are the user's alone (0600).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QBuffer, QIODevice, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter

from openalgo_desktop.config.private import open_private
from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.ui.kit import theme

#: A picture has at most so many rows; a longer table belongs into a file.
MOST_ROWS = 400
#: Paper is white whatever the theme of the window; drawn twice as fine as a screen.
PAPER, SCALE = "light", 2
MARGIN, PAD = 28, 9


class Cell(NamedTuple):
    """Text of a cell with the colour role of its tone."""

    text: str
    tone: str = ""


class Sheet(NamedTuple):
    """What a picture shows: a title, a line under it, columns (title, whether numbers) and rows."""

    title: str
    subtitle: str
    columns: Sequence[tuple[str, bool]]
    rows: Sequence[Sequence[Cell]]
    more: int = 0  # rows that are left out


async def write_text(path: Path, text: Callable[[], str]) -> None:
    """Make a text and write it, UTF-8 with the mark that spreadsheets look for; raises
    :class:`StorageError`."""
    await write_bytes(path, lambda: text().encode("utf-8-sig"))


async def write_bytes(path: Path, made: Callable[[], bytes]) -> None:
    """Make a file's content and write it; raises :class:`StorageError`."""

    def write() -> None:
        descriptor = open_private(path, os.O_WRONLY | os.O_TRUNC)
        with os.fdopen(descriptor, "wb") as file:
            file.write(made())

    try:
        await asyncio.to_thread(write)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from None


def png(image: QImage) -> bytes:
    """An image as the bytes of a PNG file."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stub wants bytes as format
    return bytes(buffer.data().data())


def draw(sheet: Sheet, family: str) -> QImage:
    """The sheet as on paper; ``family`` is the window's font. For a thread: it shows nothing."""
    colours = theme.load(PAPER)
    fonts = {"title": _font(family, 16, bold=True), "small": _font(family, 10)}
    fonts |= {"head": _font(family, 10, bold=True), "cell": _font(family, 11)}
    probe = QImage(1, 1, QImage.Format.Format_RGB32)
    probe.setDevicePixelRatio(SCALE)  # twice as fine, letters have other widths
    metrics = {name: QFontMetrics(font, probe) for name, font in fonts.items()}
    widths = [
        max(
            metrics["head"].horizontalAdvance(title),
            *(metrics["cell"].horizontalAdvance(row[index].text) for row in sheet.rows),
            0,
        )
        + 2 * PAD
        for index, (title, _) in enumerate(sheet.columns)
    ]
    tall = metrics["cell"].height() + 8
    head = metrics["title"].height() + metrics["small"].height() + 14
    lines = len(sheet.rows) + 1 + bool(sheet.more)
    least = metrics["title"].horizontalAdvance(sheet.title)
    size = QSize(max(sum(widths), least) + 2 * MARGIN, head + lines * tall + 2 * MARGIN)
    image = QImage(size * SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SCALE)
    image.fill(QColor(Qt.GlobalColor.white))
    painter = QPainter(image)
    painter.setFont(fonts["title"])
    painter.setPen(colours.color("text"))
    painter.drawText(MARGIN, MARGIN + metrics["title"].ascent(), sheet.title)
    painter.setFont(fonts["small"])
    painter.setPen(colours.color("muted"))
    below = MARGIN + metrics["title"].height() + 4 + metrics["small"].ascent()
    painter.drawText(MARGIN, below, sheet.subtitle)
    top = MARGIN + head
    titles = [Cell(title, "muted") for title, _ in sheet.columns]
    for number, row in enumerate([titles, *sheet.rows]):
        painter.setFont(fonts["head" if not number else "cell"])
        left = MARGIN
        for cell, width, (_, numeric) in zip(row, widths, sheet.columns, strict=True):
            side = Qt.AlignmentFlag.AlignRight if numeric else Qt.AlignmentFlag.AlignLeft
            painter.setPen(colours.color(cell.tone or "text"))
            area = QRect(left + PAD, top, width - 2 * PAD, tall)
            place = side | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip
            painter.drawText(area, place, cell.text)
            left += width
        top += tall
        painter.setPen(colours.color("grid"))
        painter.drawLine(MARGIN, top - 1, MARGIN + sum(widths), top - 1)
    if sheet.more:
        painter.setFont(fonts["small"])
        painter.setPen(colours.color("muted"))
        painter.drawText(MARGIN, top + metrics["small"].ascent() + 6, f"and {sheet.more} more rows")
    painter.end()
    return image


def _font(family: str, size: int, *, bold: bool = False) -> QFont:
    font = QFont(family)
    font.setPixelSize(size)
    font.setBold(bold)
    return font
