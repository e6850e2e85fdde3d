"""The door to drawings on charts. They are kept by symbol, so every chart and window of a symbol
shows the same ones; nothing here sends anything.

Changes come as :class:`Change` of the chart's history: :meth:`DrawingsDoor.changes` words them,
:meth:`DrawingsDoor.apply` makes them true, and so does undo.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing, Style, Tool
from openalgo_desktop.core.charting.history import Change
from openalgo_desktop.core.model import Key

if TYPE_CHECKING:
    from openalgo_desktop.runtime.terminal import Terminal

log = logging.getLogger(__name__)

#: Scope of the templates; a value holds those of one tool by their names.
TEMPLATES = "drawing-templates"
#: The template that new drawings of a tool begin with; the star is no name that a user gives.
FIRST = "*"


class DrawingsDoor(QObject):
    """``close`` with the bridge."""

    changed = Signal(object)  # Key: its drawings are others now
    templates_changed = Signal(str)  # tool

    def __init__(
        self,
        terminal: Terminal,
        spawn: Callable[[Coroutine[Any, Any, None], str], object],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._book, self._clock = terminal.drawings, terminal.clock
        self._put = terminal.state.put_later(TEMPLATES)
        self._state = terminal.state
        self._templates: dict[str, dict[str, Style]] = {}
        self._stop = self._book.listen(self.changed.emit)
        spawn(self._load_templates(), "drawing templates")

    def close(self) -> None:
        """Listen no more."""
        self._stop()

    def of(self, key: Key) -> tuple[Drawing, ...]:
        """All of a symbol, from the back to the front."""
        return self._book.of(key)

    def get(self, key: Key, ident: str) -> Drawing | None:
        """One of them."""
        return self._book.get(key, ident)

    # -- changes ----------------------------------------------------------------------------
    def made(self, tool: Tool, anchors: Sequence[Anchor]) -> Drawing:
        """A new drawing, not on any chart yet, in the style that the tool's new ones have."""
        now = self._clock.time()
        style = self.templates(tool.tool).get(FIRST, tool.style)
        ident = uuid.uuid4().hex[:12]
        return Drawing(ident, tool.tool, tuple(anchors), style, tool.text, created=now, changed=now)

    def touched(self, drawing: Drawing) -> Drawing:
        """The same, changed now."""
        return msgspec.structs.replace(drawing, changed=self._clock.time())

    def copied(self, drawing: Drawing) -> Drawing:
        """A copy with an ident of its own."""
        now, ident = self._clock.time(), uuid.uuid4().hex[:12]
        return msgspec.structs.replace(drawing, ident=ident, locked=False, created=now, changed=now)

    def changes(
        self, key: Key, wanted: Iterable[tuple[str, Drawing | None]], place: int | None = None
    ) -> list[Change]:
        """The changes that make drawings (by ident) be these, None is gone; ``place`` brings them
        there, 0 is the back. Nothing is done yet."""
        return self._book.changes(key, wanted, place)

    def apply(self, changes: Sequence[Change]) -> None:
        """Make changes true; those that are not of drawings are left alone."""
        self._book.apply(changes)

    # -- templates --------------------------------------------------------------------------
    async def _load_templates(self) -> None:
        """Until then there are none. A damaged one costs that tool's."""
        for tool, text in (await self._state.texts(TEMPLATES)).items():
            try:
                self._templates[tool] = msgspec.json.decode(text, type=dict[str, Style])
            except msgspec.MsgspecError as error:
                log.error("the templates of %s cannot be read: %s", tool, error)
                continue
            self.templates_changed.emit(tool)

    def templates(self, tool: str) -> dict[str, Style]:
        """Saved styles of a tool by name; :data:`FIRST` is that of new drawings."""
        return self._templates.get(tool, {})

    def save_template(self, tool: str, name: str, style: Style | None) -> None:
        """Keep a style under a name; None forgets it."""
        found = {**self.templates(tool)}
        if style is None:
            found.pop(name, None)
        else:
            found[name] = style
        self._templates[tool] = found
        self._put(tool, msgspec.to_builtins(found))
        self.templates_changed.emit(tool)
