"""The leverage table: what an order reserves per unit, as in the reference sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from openalgo_desktop.core.enums import CASH_EXCHANGES, Action, Product
from openalgo_desktop.core.model import Instrument, Key
from openalgo_desktop.core.money import plain
from openalgo_desktop.exchange.records import PositionKey

ONE = Decimal(1)

#: Defaults of the reference; settings ``sandbox.<name>_leverage`` override them.
DEFAULT_LEVERAGE: Mapping[str, float] = {
    "equity_mis": 5,
    "equity_cnc": 1,
    "futures": 10,
    "option_buy": 1,
    "option_sell": 1,
}


class Leverages(Protocol):
    """Gives the leverage of a class."""

    def __call__(self, name: str) -> float: ...


def leverage_class(instrument: Instrument, action: Action, product: Product) -> str:
    """Which row of the table applies; empty for full value.

    On CRYPTO whatever is no option is a future.
    """
    if instrument.exchange in CASH_EXCHANGES:
        return "equity_mis" if product is Product.MIS else "equity_cnc"
    if instrument.is_option:
        return "option_buy" if action is Action.BUY else "option_sell"
    if instrument.instrument_type == "FUT" or instrument.exchange == "CRYPTO":
        return "futures"
    return ""


class MarginTable:
    """Margin of a quantity at a price: quantity x price x unit value / leverage. Unrounded
    rupees."""

    def __init__(self, leverages: Leverages | None = None) -> None:
        self._leverage: Leverages = leverages or (lambda name: DEFAULT_LEVERAGE[name])

    def leverage(self, instrument: Instrument, action: Action, product: Product) -> Decimal:
        """Times that the value may exceed the margin."""
        name = leverage_class(instrument, action, product)
        if not name:
            return ONE
        value = self._leverage(name)
        return Decimal(int(value)) if value == int(value) else Decimal(str(value))

    def required(
        self,
        instrument: Instrument,
        action: Action,
        product: Product,
        quantity: int,
        price: Decimal,
    ) -> Decimal:
        """What opening ``quantity`` at ``price`` reserves. Shares that are sold from holdings
        need nothing."""
        if product is Product.CNC and action is Action.SELL:
            return Decimal(0)
        value = price * quantity
        if instrument.contract_value != 1:
            value *= Decimal(plain(instrument.contract_value))
        return value / self.leverage(instrument, action, product)

    def allotment(self, key: Key) -> dict[PositionKey, Decimal]:
        """What open positions of the underlying of ``key`` have to reserve now, where that depends
        on all of them; empty where each keeps what its orders reserved."""
        return {}
