"""Option chain, straddle chart."""

from __future__ import annotations

from openalgo_desktop.ui.kit.keys import CANDLES, SYMBOL
from openalgo_desktop.ui.kit.kinds import DockKind, Place
from openalgo_desktop.ui.rooms.options import keys

KINDS = (
    DockKind(
        "chain",
        "Option chain",
        "chain.ChainDock",
        Place.LEFT,
        many=True,
        keys=keys.CHAIN,
        shares=(SYMBOL,),
    ),
    DockKind(
        "straddle",
        "Straddle chart",
        "straddle.StraddleDock",
        Place.CENTRE,
        many=True,
        shares=(CANDLES,),
    ),
)
