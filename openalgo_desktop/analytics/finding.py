"""Symbol search with the market in view: strikes near the money come first."""

from __future__ import annotations

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.market.hub import MarketHub


def find(
    query: str, instruments: InstrumentTable, hub: MarketHub, clock: Clock, limit: int = 50
) -> list[Instrument]:
    """What a trader means by ``query``, best first. Prices come from memory: an underlying that
    nobody streams counts as unknown, and its middle strikes as near the money."""
    today = clock.now().date()

    def spot(exchange: str, name: str) -> float | None:
        for key in instruments.price_keys(name, exchange, today):
            tick = hub.latest(key)
            if tick is not None and tick.ltp:
                return tick.ltp
        return None

    return instruments.find(query, today, spot, limit)
