"""What is offered on an instrument, and stops on the wrong side of the market."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.offered import (
    check_offered,
    check_stop_side,
    is_client,
    price_types,
    products,
)

SHARE = Instrument("SBIN", "NSE")
FUTURE = Instrument("NIFTY29DEC26FUT", "NFO", instrument_type="FUT", lot_size=75)
CALL = Instrument("NIFTY29DEC2626000CE", "NFO", instrument_type="CE", lot_size=75)
INDEX = Instrument("NIFTY", "NSE_INDEX", instrument_type="INDEX")
ALL = tuple(PriceType)
NO_STOP_MARKET = (PriceType.MARKET, PriceType.LIMIT, PriceType.SL)


@pytest.mark.parametrize(
    ("row", "kinds", "kept"),
    [
        (SHARE, ALL, (Product.MIS, Product.CNC)),
        (FUTURE, ALL, (Product.MIS, Product.NRML)),
        (CALL, NO_STOP_MARKET, (Product.MIS, Product.NRML)),
        (Instrument("SBIN", "BSE"), NO_STOP_MARKET, (Product.MIS, Product.CNC)),
        (
            Instrument("SENSEX31DEC26FUT", "BFO", instrument_type="FUT"),
            NO_STOP_MARKET,
            (Product.MIS, Product.NRML),
        ),
        (
            Instrument("CRUDEOIL18DEC26FUT", "MCX", instrument_type="FUT"),
            ALL,
            (Product.MIS, Product.NRML),
        ),
        (INDEX, (), ()),
    ],
    ids=lambda value: value.symbol if isinstance(value, Instrument) else "",
)
def test_types_and_products_follow_the_instrument(
    row: Instrument, kinds: tuple[PriceType, ...], kept: tuple[Product, ...]
) -> None:
    assert price_types(row) == kinds
    assert products(row) == kept


def test_a_stop_market_order_on_an_option_is_refused_with_the_way_out() -> None:
    order = OrderRequest(
        CALL.symbol, "NFO", Action.SELL, 75, PriceType.SLM, Product.NRML, trigger_price=90.0
    )
    with pytest.raises(InvalidOrder, match="on options by the exchange") as refused:
        check_offered(order, CALL)
    assert refused.value.field == "price_type"
    check_offered(order, FUTURE)


@pytest.mark.parametrize(
    ("action", "trigger", "last", "wrong"),
    [
        (Action.BUY, 795.0, 800.0, True),
        (Action.BUY, 800.0, 800.0, True),  # would fire at once, too
        (Action.BUY, 805.0, 800.0, False),
        (Action.SELL, 805.0, 800.0, True),
        (Action.SELL, 800.0, 800.0, True),
        (Action.SELL, 795.0, 800.0, False),
        (Action.SELL, 805.0, 0.0, False),  # no fresh price: nobody can say
    ],
)
@pytest.mark.parametrize("kind", [PriceType.SL, PriceType.SLM])
def test_a_stop_waits_on_its_side_of_the_market(
    kind: PriceType, action: Action, trigger: float, last: float, wrong: bool
) -> None:
    order = OrderRequest("SBIN", "NSE", action, 1, kind, price=trigger, trigger_price=trigger)
    if not wrong:
        check_stop_side(order, last)
        return
    with pytest.raises(InvalidOrder, match="at once") as refused:
        check_stop_side(order, last)
    assert refused.value.field == "trigger_price"


def test_prices_of_other_types_are_no_stops() -> None:
    for kind in (PriceType.MARKET, PriceType.LIMIT):
        check_stop_side(
            OrderRequest("SBIN", "NSE", Action.BUY, 1, kind, price=700.0, trigger_price=700.0), 800
        )


def test_clients_are_known_by_their_source() -> None:
    assert [is_client(text) for text in ("api:a", "api", "webhook:b")] == [True] * 3
    assert not any(map(is_client, ("window", "cli", "apiary:x", "watch:exit", "")))
