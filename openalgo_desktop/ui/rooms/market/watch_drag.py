"""Rows of watchlists that are dragged: what is carried, and what a drop brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from PySide6.QtCore import QMimeData

from openalgo_desktop.core import watchlists
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.watchlists import WatchItem
from openalgo_desktop.ui.kit.symbol_drag import add_json, keys_of, mime_of, read_json
from openalgo_desktop.ui.rooms.market.watch_rows import WatchRow

#: Rows with notes and flags, beside the symbols, of a drag between watchlists.
ROWS = "application/x-openalgo-watch-rows"


def drag_data(rows: Sequence[WatchRow]) -> QMimeData:
    """What is dragged."""
    data = mime_of([row.key for row in rows if not row.item.is_heading])
    add_json(data, ROWS, [msgspec.structs.astuple(row.item) for row in rows])
    return data


def items_of(data: QMimeData, exists: Callable[[Key], bool]) -> tuple[list[WatchItem], bool]:
    """What a drop brings, and whether it comes from a watchlist, with notes and flags."""
    rows = read_json(data, ROWS)
    if isinstance(rows, list):
        return [WatchItem(*row) for row in rows], True
    return list(watchlists.of_keys(filter(exists, keys_of(data)))), False
