"""Market-price protection and slices below the freeze quantity."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument, OrderRequest, Part, Tick
from openalgo_desktop.core.protection import protected_price, protection_percent
from openalgo_desktop.trading.policies import OrderPolicies

EQUITY = Instrument("SBIN", "NSE", tick_size=0.05)
OPTION = Instrument(
    "NIFTY29DEC2626000CE",
    "NFO",
    instrument_type="CE",
    lot_size=75,
    tick_size=0.05,
    freeze_qty=1800,
)
ORDER = OrderRequest("SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS)


class Prices:
    """A source with one price."""

    def __init__(self, ltp: float) -> None:
        self.ltp = ltp

    async def snapshot(self, key: tuple[str, str], need: int = Part.QUOTE) -> Tick:
        return Tick(key[1], key[0], self.ltp)


class Gateway:
    """A broker that takes market orders, or none."""

    def __init__(self, needs: bool) -> None:
        self.needs_market_protection = needs


def policies(ltp: float = 800.0, **values: Any) -> OrderPolicies:
    """Policies with these settings."""
    settings = {"trading.freeze_split": False, "trading.market_protection": "needed"}
    settings |= {f"trading.{name}": value for name, value in values.items()}
    return OrderPolicies(Prices(ltp), settings.__getitem__)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("price", "option", "percent"),
    [
        (99.95, False, 2.0),
        (100.0, False, 1.0),
        (499.95, False, 1.0),
        (500.0, False, 0.5),
        (9.95, True, 5.0),
        (10.0, True, 3.0),
        (100.0, True, 2.0),
        (500.0, True, 1.0),
    ],
)
def test_the_slabs(price: float, option: bool, percent: float) -> None:
    assert protection_percent(price, option) == percent


@pytest.mark.parametrize(
    ("price", "action", "row", "limit"),
    [
        (820.0, Action.BUY, EQUITY, 824.1),
        (820.0, Action.SELL, EQUITY, 815.9),
        (140.0, Action.SELL, OPTION, 137.2),
        (0.1, Action.BUY, OPTION, 0.15),
        (0.1, Action.SELL, OPTION, 0.05),
        (0.05, Action.SELL, OPTION, 0.05),
    ],
)
def test_limits_lie_on_the_tick_and_through_the_price(
    price: float, action: Action, row: Instrument, limit: float
) -> None:
    assert protected_price(price, action, row) == pytest.approx(limit)


@pytest.mark.parametrize(
    ("setting", "needs", "changed"),
    [
        ("never", True, False),
        ("needed", False, False),
        ("needed", True, True),
        ("always", False, True),
    ],
)
async def test_when_a_market_order_becomes_a_limit(
    setting: str, needs: bool, changed: bool
) -> None:
    gateway: Any = Gateway(needs)
    result = await policies(market_protection=setting).protect(ORDER, EQUITY, gateway)
    if changed:
        assert (result.price_type, result.price) == (PriceType.LIMIT, pytest.approx(804.0))
    else:
        assert result is ORDER


async def test_a_stop_market_is_protected_from_its_trigger() -> None:
    stop = msgspec.structs.replace(
        ORDER, price_type=PriceType.SLM, trigger_price=820.0, action=Action.SELL
    )
    gateway: Any = Gateway(True)
    result = await policies(ltp=900.0).protect(stop, EQUITY, gateway)
    assert (result.price_type, result.trigger_price) == (PriceType.SL, 820.0)
    assert result.price == pytest.approx(815.9)
    limit = msgspec.structs.replace(ORDER, price_type=PriceType.LIMIT, price=1.0)
    assert await policies().protect(limit, EQUITY, gateway) is limit
    with pytest.raises(InvalidOrder):
        await policies(ltp=0.0).protect(ORDER, EQUITY, gateway)


def test_slices() -> None:
    big = OrderRequest(OPTION.symbol, "NFO", Action.BUY, 4500, PriceType.MARKET, Product.NRML)
    assert policies().split(big, OPTION) == [big]
    parts = policies(freeze_split=True).split(big, OPTION)
    assert [part.quantity for part in parts] == [1800, 1800, 900]
    assert {part.symbol for part in parts} == {OPTION.symbol}
    small = msgspec.structs.replace(big, quantity=75)
    assert policies(freeze_split=True).split(small, OPTION) == [small]
    with pytest.raises(InvalidOrder, match="not sent at once"):
        policies(freeze_split=True).split(
            msgspec.structs.replace(big, quantity=75 * 24 * 200), OPTION
        )
