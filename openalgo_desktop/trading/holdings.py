"""Shares that were delivered."""

from __future__ import annotations

from openalgo_desktop.core.errors import DataError, NotSupported
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ports import TradingGateway

_CASH = ("NSE", "BSE")


async def in_holdings(gateway: TradingGateway, key: Key) -> int:
    """Units of an instrument in the holdings, those of yesterday (T1) included; 0 where an account
    does not tell holdings. Delivered shares are of no exchange, so those of the other one count.
    A broker counts shares that were sold today there until they have settled, beside a short CNC
    position: the two together are what is left. Raises :class:`DataError` where the row may be one
    that could not be read."""
    try:
        rows = await gateway.holdings()
    except NotSupported:
        return 0
    found = [row for row in rows if row.symbol == key[1] and row.exchange in (key[0], *_CASH)]
    if rows.partial and not found:
        raise DataError(
            f"Rows of the holdings could not be read, so nobody knows whether {key[1]} is there."
        )
    return sum(row.quantity + row.t1_quantity for row in found)
