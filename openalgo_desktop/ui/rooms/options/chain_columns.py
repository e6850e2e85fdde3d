"""Which columns of the chain are shown, in which order and how wide: one plan for both sides,
which mirror each other at the strike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openalgo_desktop.ui.kit.tables.header import texts_of
from openalgo_desktop.ui.rooms.options.chain_rows import BY_NAME, SPECS

#: Columns from the strike outwards, by the name that people read.
PRESETS: Mapping[str, tuple[str, ...]] = {
    "LTP": ("ltp", "percent", "bid", "ask", "volume", "oi"),
    "OI": ("ltp", "iv", "volume", "oi_percent", "oi_change", "oi"),
    "Greeks": ("ltp", "iv", "delta", "gamma", "theta", "vega"),
    "All": tuple(spec.name for spec in SPECS),
}
FIRST = "LTP"
NARROWEST, WIDEST = 36, 400


class ColumnPlan:
    """``order`` has every column, from the strike outwards; ``shown`` those that are seen."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.shown: set[str] = set()
        self.widths: dict[str, int] = {}
        self.use(FIRST)

    def use(self, preset: str) -> None:
        """Take a preset: its columns in its order, at their own widths."""
        names = PRESETS[preset]
        self.order = [*names, *(spec.name for spec in SPECS if spec.name not in names)]
        self.shown = set(names)
        self.widths = {spec.name: spec.width for spec in SPECS}

    @property
    def preset(self) -> str:
        """The preset that this is, whatever the widths; empty when it is none."""
        visible = tuple(name for name in self.order if name in self.shown)
        return next((title for title, names in PRESETS.items() if names == visible), "")

    def toggle(self, name: str) -> None:
        """Show or hide a column; the last one stays."""
        if name not in self.shown:
            self.shown.add(name)
        elif len(self.shown) > 1:
            self.shown.remove(name)

    def save(self) -> dict[str, Any]:
        """As JSON values."""
        shown = [name for name in self.order if name in self.shown]
        return {"order": list(self.order), "shown": shown, "widths": dict(self.widths)}

    def restore(self, state: object) -> None:
        """The other way round. What a later version has more stays as it is; what is no column
        any more is left out."""
        if not isinstance(state, Mapping):
            return
        order, shown, widths = (state.get(name) for name in ("order", "shown", "widths"))
        if isinstance(order, list) and isinstance(shown, list):
            known = texts_of(order, BY_NAME)
            self.order = [*known, *(name for name in self.order if name not in known)]
            self.shown = set(texts_of(shown, BY_NAME)) or self.shown
        if isinstance(widths, Mapping):
            for name, width in widths.items():
                if name in BY_NAME and isinstance(width, int) and not isinstance(width, bool):
                    self.widths[name] = min(max(width, NARROWEST), WIDEST)
