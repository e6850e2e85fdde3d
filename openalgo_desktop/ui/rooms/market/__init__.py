"""Watchlist, depth, ladder."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import SYMBOL, TABLE
from openalgo_desktop.ui.kit.kinds import DockKind, Place
from openalgo_desktop.ui.rooms.market import keys

KINDS = (
    DockKind(
        "watchlist",
        "Watchlist",
        "watchlist.WatchlistDock",
        Place.LEFT,
        many=True,
        keys=keys.WATCHLIST,
        shares=(TABLE, SYMBOL),
    ),
    DockKind(
        "ladder",
        "Ladder",
        "ladder.LadderDock",
        Place.RIGHT,
        many=True,
        keys=keys.LADDER,
        shares=(SYMBOL,),
    ),
    DockKind(
        "depth",
        "Market depth",
        "depth.DepthDock",
        Place.RIGHT,
        many=True,
        keys=keys.DEPTH,
        shares=(SYMBOL,),
    ),
)
