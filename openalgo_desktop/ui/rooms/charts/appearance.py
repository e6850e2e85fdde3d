"""What a chart looks like and what it is compared with: kind, scale, lines, other symbols.

Each act is one step of the chart's undo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from openalgo_desktop.core.charting.history import Change, Step
from openalgo_desktop.core.charting.studies import Value
from openalgo_desktop.core.charting.transforms.registry import BY_KIND
from openalgo_desktop.core.errors import DataError
from openalgo_desktop.core.model import Key
from openalgo_desktop.ui.chart.paint.kinds import BY_ID
from openalgo_desktop.ui.kit.ask_text import ask_text
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.rooms.charts.kind_inputs import KindInputs
from openalgo_desktop.ui.rooms.charts.look import Look

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.charts.cell import ChartCell

#: The part of a chart's history that this is.
PART = "appearance"


class State(NamedTuple):
    """All of it; ``params`` are those of a kind that is made of bars."""

    kind: str = "candles"
    params: tuple[tuple[str, Value], ...] = ()
    look: Look = Look()
    compared: tuple[Key, ...] = ()
    own_scales: bool = False


class Appearance:
    """One of a chart."""

    def __init__(self, cell: ChartCell) -> None:
        self._cell = cell
        self.kind, self.look = "candles", Look()
        self.params: Mapping[str, Value] = {}
        drawings = cell.drawings
        cell.data.bars.gave_up = self.give_up_kind
        self._others = drawings.apply_own
        drawings.apply_own = self._apply

    @property
    def state(self) -> State:
        """As it is now."""
        compared = self._cell.comparing
        params = tuple(sorted(self.params.items()))
        return State(self.kind, params, self.look, compared.keys, compared.own)

    # -- undo -------------------------------------------------------------------------------
    def _noted(self, text: str, before: State) -> None:
        change = Change(PART, before, self.state)
        self._cell.drawings.history.note(Step(text, (change,)))

    def _apply(self, changes: Sequence[Change]) -> None:
        self._others(changes)
        for change in changes:
            if change.part == PART and isinstance(change.after, State):
                self._put(change.after)

    def _put(self, state: State) -> None:
        self.look = state.look
        self.look.apply(self._cell.view)
        self._show_kind(state.kind, dict(state.params))
        comparing = self._cell.comparing
        if (state.compared, state.own_scales) != (comparing.keys, comparing.own):
            comparing.show(state.compared, state.own_scales)

    # -- kind and look ----------------------------------------------------------------------
    def set_kind(self, kind: str, params: Mapping[str, Value] | None = None) -> None:
        """Draw the bars in another way."""
        before = self.state
        self._show_kind(kind, params or {})
        self._noted(f"Draw {BY_ID[self.kind].title}", before)

    def _show_kind(self, kind: str, params: Mapping[str, Value]) -> None:
        cell = self._cell
        self.kind, self.params = kind, params
        cell.view.set_kind(kind)
        cell.data.set_kind(BY_ID[kind].transform, params)
        if cell.data.problem:
            self.give_up_kind()
        cell.tools.show_kind()
        cell.dirty = True

    def give_up_kind(self) -> None:
        """Of these bars the kind cannot be made: candles, and the reason, beside them, too."""
        cell = self._cell
        cell.bridge.notice.emit("warning", cell.data.problem)
        cell.history.message.show_text(cell.data.problem)
        self.kind, self.params = "candles", {}
        cell.view.set_kind(self.kind)
        cell.tools.show_kind()

    def set_look(self, **change: str | bool) -> None:
        """Change scale, place of volumes, lines."""
        before = self.state
        self.look = replace(self.look, **change)  # type: ignore[arg-type]
        self.look.apply(self._cell.view)
        self._cell.dirty = True
        self._noted("Scale and lines", before)

    def ask_kind(self) -> None:
        """The inputs of a kind that is made of bars."""
        spec = BY_KIND.get(BY_ID[self.kind].transform)
        if spec is not None:
            take = partial(self.set_kind, self.kind)
            dialog = KindInputs(self._cell, spec, self.params, take)
            self._cell.spawn(ask(dialog), "inputs of the kind")

    def show_again(self) -> None:
        """Other bars are in the view."""
        self.look.apply(self._cell.view)
        if self._cell.data.problem:  # of these bars the kind cannot be made
            self.give_up_kind()
        elif self.kind != "candles":
            self._cell.view.set_kind(self.kind)

    # -- other symbols ----------------------------------------------------------------------
    def ask_expression(self) -> None:
        """Ask for arithmetic of symbols."""
        cell = self._cell
        text = "" if cell.expression is None else cell.expression.text
        caption = 'For example NIFTY-BANKNIFTY, 2*SBIN-TCS, "M&M"/SBIN, (A+B)/2'
        asked = ask_text(cell, "Arithmetic of symbols", caption, text, cell.show_expression)
        cell.spawn(asked, "arithmetic")

    def ask_compare(self) -> None:
        """Ask for a symbol to compare with."""
        caption = "Symbol, or its name: SBIN, NIFTY DEC FUT, NFO:NIFTY25DEC25FUT"
        asked = ask_text(self._cell, "Compare with", caption, "", self.compare_with)
        self._cell.spawn(asked, "compare")

    def compare_with(self, text: str) -> None:
        """Compare with one more. Raises :class:`DataError` for a symbol that is not known."""
        key = self._cell.arithmetic.known(text.strip()) or self._named(text.strip())
        if key is None:
            raise DataError(f"Symbol: {text.strip() or 'nothing'} is not in the symbol master.")
        comparing = self._cell.comparing
        self._compare((*comparing.keys, key), comparing.own)

    def _named(self, text: str) -> Key | None:
        """The instrument that the window calls so. A name is of today: it may be typed, and what
        is kept is the symbol."""
        bridge, wanted = self._cell.bridge, text.casefold()
        found = (row.key for row in bridge.search(text, 20)) if wanted else ()
        return next((key for key in found if bridge.name(key).casefold() == wanted), None)

    def compare_without(self, key: Key) -> None:
        """Compare with one less."""
        comparing = self._cell.comparing
        self._compare([one for one in comparing.keys if one != key], comparing.own)

    def toggle_own_scales(self) -> None:
        """Per cent, or a scale for each."""
        comparing = self._cell.comparing
        self._compare(comparing.keys, not comparing.own)

    def _compare(self, keys: Sequence[Key], own: bool) -> None:
        before = self.state
        self._cell.comparing.show(keys, own)
        self._noted("Compare", before)

    # -- state ------------------------------------------------------------------------------
    def save(self) -> dict[str, object]:
        """As the layout keeps it."""
        comparing = self._cell.comparing
        return {
            "kind": self.kind,
            "kind_params": dict(self.params),
            "look": self.look.save(),
            "compare": [list(key) for key in comparing.keys],
            "own_scales": comparing.own,
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """The other way round; what has no meaning is as at first. No step of the undo."""
        kind, params = state.get("kind"), state.get("kind_params")
        compare = state.get("compare")
        rows = compare if isinstance(compare, list) else []
        pairs = [row for row in rows if isinstance(row, list) and len(row) == 2]
        self._put(
            State(
                kind if isinstance(kind, str) and kind in BY_ID else self.kind,
                tuple(params.items()) if isinstance(params, dict) else (),
                Look.restored(state.get("look")),
                tuple((str(exchange), str(symbol)) for exchange, symbol in pairs),
                state.get("own_scales") is True,
            )
        )
