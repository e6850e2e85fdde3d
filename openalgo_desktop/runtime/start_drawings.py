"""The drawings of all symbols: read at the start, written when the hand rests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openalgo_desktop.core.charting.drawings.book import DrawingBook
from openalgo_desktop.core.events import Notice
from openalgo_desktop.storage.drawings import DrawingRepository

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal


async def start_drawings(terminal: Terminal) -> None:
    """Make ``terminal.drawings``; needs its storage."""
    kept = DrawingRepository(terminal.state)
    terminal.on_stop(kept.stop)

    def damaged(name: str, text: bytes) -> None:
        kept.keep_aside(name, text)
        told = f"The drawings of {name} cannot be read. They are kept aside and not shown."
        terminal.bus.publish(Notice(level="warning", text=told))

    terminal.drawings = DrawingBook(await kept.load(), kept.save, damaged)
