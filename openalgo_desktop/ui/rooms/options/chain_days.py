"""The options in sight whose feed tells no open interest of the day before: daily candles do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from openalgo_desktop.core.chain import ChainLeg
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Part, TickExtras
from openalgo_desktop.ui.kit.day_facts import Take
from openalgo_desktop.ui.kit.tables import FastTableModel
from openalgo_desktop.ui.rooms.options.chain_rows import Line
from openalgo_desktop.ui.rooms.options.chain_table import ChainTable

#: Columns that need it.
COLUMNS = ("oi_change", "oi_percent")


def lacking(table: ChainTable, model: FastTableModel[Line]) -> Iterator[tuple[Key, Take]]:
    """Those options, with what takes the open interest; none while no column shows its change."""
    if not any(name in table.plan.shown for name in COLUMNS):
        return
    first, end = table.visible_rows()
    for place, line in enumerate(model.store.rows[first:end], first):
        for side in (line.call, line.put):
            leg = side.leg
            if leg is None or leg.tick is None or leg.oi_change is not None:
                continue
            if leg.tick.knows(Part.OI):
                yield leg.key, partial(_take, model, place, leg)


def _take(model: FastTableModel[Line], place: int, leg: ChainLeg, facts: TickExtras) -> None:
    if facts.prev_oi is not None:
        leg.prev_oi = facts.prev_oi
        model.touch(place)
