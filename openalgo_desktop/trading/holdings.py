"""Shares that were delivered."""

from __future__ import annotations

from openalgo_desktop.core.errors import NotSupported
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import TradingGateway


async def in_holdings(gateway: TradingGateway, key: Key) -> int:
    """Units of an instrument in the holdings, those of yesterday (T1) included; 0 where an account
    does not tell holdings. A broker counts shares that were sold today there until they have
    settled, beside a short CNC position: the two together are what is left."""
    try:
        rows = await gateway.holdings()
    except NotSupported:
        return 0
    return sum(row.quantity + row.t1_quantity for row in rows if row.key == key)
