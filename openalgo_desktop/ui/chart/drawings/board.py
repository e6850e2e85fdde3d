"""The drawings of a chart: those of its symbol, which of them are chosen, what is done with them.

Every act is one step of the chart's history. Layer, tool box, style bar and object list all work
on this one; it paints nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal

from openalgo_desktop.core.charting.drawings.magnet import Magnet
from openalgo_desktop.core.charting.drawings.model import Drawing, Style, Tool
from openalgo_desktop.core.charting.drawings.tools import title, tool, tools
from openalgo_desktop.core.charting.history import Change, History, Step
from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.engine.drawings import DrawingsDoor


class Board(QObject):
    """``history`` is the chart's; it must apply changes of drawings by ``door.apply``."""

    changed = Signal()  # drawings, or which of them are shown
    chosen_changed = Signal()
    tool_changed = Signal()  # the tool in hand, or a mode of the tool box

    def __init__(self, door: DrawingsDoor, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.door, self.history = door, history
        self.key: Key | None = None
        self.span: Span | None = None
        self.chosen: tuple[str, ...] = ()
        self.tool: Tool | None = None  # in hand
        self.magnet = Magnet.OFF
        self.stay = False  # the tool stays in hand after a drawing
        self.locked = False  # nothing can be moved
        self.hidden = False
        self.favourites: tuple[str, ...] = ()
        self.numbers: Mapping[str, float] = {}  # figures of new drawings on this chart, by name
        door.changed.connect(self._on_changed)

    def release(self) -> None:
        """Listen no more; the chart goes away."""
        self.door.changed.disconnect(self._on_changed)

    # -- what there is ----------------------------------------------------------------------
    def set_chart(self, key: Key | None, span: Span | None) -> None:
        """The chart shows another symbol or interval."""
        if (key, span) == (self.key, self.span):
            return
        if key != self.key:
            self.choose(())
        self.key, self.span = key, span
        self.changed.emit()

    @property
    def all(self) -> tuple[Drawing, ...]:
        """All of the symbol, from the back to the front."""
        return self.door.of(self.key) if self.key is not None else ()

    @property
    def shown(self) -> list[Drawing]:
        """Those that this chart shows."""
        return [] if self.hidden else [row for row in self.all if row.shows_on(self.span)]

    @property
    def chosen_ones(self) -> list[Drawing]:
        """The chosen drawings, from the back to the front."""
        return [row for row in self.all if row.ident in self.chosen]

    def can_move(self, drawing: Drawing) -> bool:
        """Whether the mouse may change it."""
        return not (self.locked or drawing.locked)

    def _on_changed(self, key: Key) -> None:
        if key == self.key:
            known = {row.ident for row in self.all}
            self.choose([ident for ident in self.chosen if ident in known])
            self.changed.emit()

    def choose(self, idents: Iterable[str]) -> None:
        """These are chosen, no others."""
        wanted = tuple(idents)
        if wanted != self.chosen:
            self.chosen = wanted
            self.chosen_changed.emit()

    # -- modes ------------------------------------------------------------------------------
    def take(self, wanted: Tool | None) -> None:
        """Take a tool in hand, or none."""
        if wanted is not None:
            self.choose(())
            if self.hidden:
                self.set_mode(hidden=False)  # what is drawn now shall be seen
        if wanted is not self.tool:
            self.tool = wanted
            self.tool_changed.emit()

    def set_mode(
        self,
        *,
        magnet: Magnet | None = None,
        stay: bool | None = None,
        locked: bool | None = None,
        hidden: bool | None = None,
    ) -> None:
        """Change what is given."""
        self.magnet = self.magnet if magnet is None else magnet
        self.stay = self.stay if stay is None else stay
        self.locked = self.locked if locked is None else locked
        self.hidden = self.hidden if hidden is None else hidden
        if hidden:
            self.choose(())
        self.tool_changed.emit()
        if hidden is not None:
            self.changed.emit()

    def set_favourite(self, ident: str, on: bool) -> None:
        """Put a tool among the favourites, or take it from there."""
        rest = tuple(one for one in self.favourites if one != ident)
        self.favourites = (*rest, ident) if on else rest
        self.tool_changed.emit()

    def save_state(self) -> dict[str, object]:
        """Modes and favourites, for a layout."""
        return {
            "magnet": self.magnet.value,
            "stay": self.stay,
            "locked": self.locked,
            "favourites": list(self.favourites),
        }

    def restore_state(self, state: Mapping[str, object]) -> None:
        """Take what :meth:`save_state` gave; what is not understood is left out. Hidden drawings
        come back: a chart must not begin with less than there is."""
        kinds = {kind.value: kind for kind in Magnet}
        self.magnet = kinds.get(str(state.get("magnet")), Magnet.OFF)
        self.stay, self.locked = state.get("stay") is True, state.get("locked") is True
        rows = state.get("favourites")
        if isinstance(rows, Sequence):
            self.favourites = tuple(row for row in rows if isinstance(row, str) and row in tools())
        self.tool_changed.emit()

    # -- acts -------------------------------------------------------------------------------
    def _do(self, text: str, changes: Sequence[Change], joins: str = "") -> None:
        self.door.apply(changes)
        self.history.note(Step(text, tuple(changes), self.key, joins))

    def put(self, text: str, drawings: Iterable[Drawing], joins: str = "") -> None:
        """Add drawings or change them; ``text`` says it in the history."""
        if self.key is not None:
            rows = [(row.ident, self.door.touched(row)) for row in drawings]
            self._do(text, self.door.changes(self.key, rows), joins)

    def delete(self, drawings: Sequence[Drawing]) -> None:
        """Take drawings away; undo brings them back."""
        if self.key is not None and drawings:
            text = f"Delete {title(drawings[0])}" if len(drawings) == 1 else "Delete drawings"
            self._do(text, self.door.changes(self.key, [(row.ident, None) for row in drawings]))

    def give_up(self, key: Key, drawing: Drawing) -> None:
        """A new drawing of a symbol was not wanted after all: it is gone, and no step says that it
        was there."""
        changes = self.door.changes(key, [(drawing.ident, None)])
        self.door.apply(changes)
        self.history.forget(change.part for change in changes)

    def bring(self, drawing: Drawing, place: int) -> None:
        """Put a drawing at a place of the order, 0 is the back."""
        if self.key is not None:
            place = max(0, min(len(self.all) - 1, place))
            row = [(drawing.ident, drawing)]
            self._do(f"Order of {title(drawing)}", self.door.changes(self.key, row, place))

    def change(
        self, text: str, how: Callable[[Drawing], Drawing], rows: Sequence[Drawing], joins: str = ""
    ) -> None:
        """Change each of ``rows`` by ``how``."""
        self.put(text, [how(row) for row in rows], joins)

    def restyle(self, joins: str = "", **parts: object) -> None:
        """Change parts of the style of the chosen ones; in a row with the same ``joins`` it is one
        step."""

        def how(row: Drawing) -> Drawing:
            return replace(row, style=replace(row.style, **parts))

        self.change("Style", how, self.chosen_ones, joins)

    def lock_chosen(self, locked: bool) -> None:
        """Let the mouse change the chosen ones no more, or again."""
        text = "Lock" if locked else "Unlock"
        self.change(text, lambda row: replace(row, locked=locked), self.chosen_ones)

    def hide_chosen(self) -> None:
        """Show the chosen ones no more; the list of drawings has them."""
        rows = self.chosen_ones
        self.choose(())
        self.change("Hide", lambda row: replace(row, hidden=True), rows)

    def set_style(self, rows: Sequence[Drawing], style: Style) -> None:
        """Give drawings a whole style, e.g. a template's."""
        self.change("Style", lambda row: replace(row, style=style), rows)

    def made(self, tool: Tool) -> Drawing:
        """A new drawing without anchors, not on the chart yet."""
        names = {number.name for number in tool.numbers}
        numbers = {name: value for name, value in self.numbers.items() if name in names}
        return replace(self.door.made(tool, ()), numbers=numbers)

    def copy(self, drawings: Sequence[Drawing]) -> list[Drawing]:
        """Copies of drawings, not on the chart yet."""
        return [self.door.copied(row) for row in drawings]

    # -- undo -------------------------------------------------------------------------------
    def undo(self) -> bool:
        """Take back the last step of this chart; False when there is none."""
        return self.history.undo(self.key) is not None

    def redo(self) -> bool:
        """Do again what was taken back."""
        return self.history.redo(self.key) is not None

    def tool_of(self, drawing: Drawing) -> Tool:
        """The tool that made it."""
        return tool(drawing.tool)
