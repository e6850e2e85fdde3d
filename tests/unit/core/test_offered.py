"""What is offered on an instrument, and stops on the wrong side of the market."""

from __future__ import annotations

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, PriceType, Product, Validity
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.offered import (
    check_offered,
    check_stop_side,
    check_terms,
    is_client,
    least_disclosed,
    may_disclose,
    price_types,
    products,
    validities,
)
from openalgo_desktop.core.traits import Traits

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


# -- validity and disclosed quantity -------------------------------------------------------------
BOTH = Traits(validities=frozenset(Validity), discloses=True)
LIMIT = OrderRequest("SBIN", "NSE", Action.BUY, 105, PriceType.LIMIT, price=800.0)
CRUDE = Instrument("CRUDEOIL18DEC26FUT", "MCX", instrument_type="FUT", lot_size=100)


def test_what_an_account_takes_and_where() -> None:
    assert validities(PriceType.LIMIT, BOTH) == (Validity.DAY, Validity.IOC)
    assert validities(PriceType.SL, BOTH) == (Validity.DAY,)
    assert validities(PriceType.LIMIT, Traits()) == (Validity.DAY,)
    assert may_disclose(PriceType.LIMIT, SHARE, BOTH) and may_disclose(PriceType.SL, CRUDE, BOTH)
    assert not may_disclose(PriceType.MARKET, SHARE, BOTH)
    assert not may_disclose(PriceType.LIMIT, FUTURE, BOTH)
    assert not may_disclose(PriceType.LIMIT, SHARE, Traits())


def test_the_least_that_is_disclosed_in_whole_lots() -> None:
    assert [least_disclosed(units, SHARE) for units in (1, 100, 105, 1000)] == [1, 10, 11, 100]
    assert [least_disclosed(units, CRUDE) for units in (100, 400, 500)] == [100, 100, 200]


@pytest.mark.parametrize(
    ("changes", "row", "traits", "field", "words"),
    [
        ({"validity": Validity.IOC}, SHARE, Traits(), "validity", "Demo takes no IOC orders"),
        (
            {"validity": Validity.IOC, "price_type": PriceType.SL},
            SHARE,
            BOTH,
            "validity",
            "cannot be IOC",
        ),
        ({"disclosed_quantity": 20}, SHARE, Traits(), "", "Demo takes no disclosed quantity"),
        ({"disclosed_quantity": 20}, FUTURE, BOTH, "", "on NFO by the exchange"),
        (
            {"disclosed_quantity": 20, "price_type": PriceType.MARKET},
            SHARE,
            BOTH,
            "",
            "MARKET orders do not wait",
        ),
        (
            {"disclosed_quantity": 20, "validity": Validity.IOC},
            SHARE,
            BOTH,
            "",
            "IOC orders do not wait",
        ),
        ({"disclosed_quantity": 10}, SHARE, BOTH, "", "At least 10 % .* on NSE: 11 of 105"),
        ({"disclosed_quantity": 106}, SHARE, BOTH, "", "above the quantity, 105"),
        ({"disclosed_quantity": 150, "quantity": 400}, CRUDE, BOTH, "", "whole lots of 100"),
    ],
)
def test_what_is_not_taken_is_refused_in_words(
    changes: dict[str, object], row: Instrument, traits: Traits, field: str, words: str
) -> None:
    order = msgspec.structs.replace(LIMIT, **changes)
    with pytest.raises(InvalidOrder, match=words) as refused:
        check_terms(order, row, traits, "Demo")
    assert refused.value.field == (field or "disclosed_quantity")


def test_what_is_taken_passes() -> None:
    check_terms(LIMIT, SHARE, Traits(), "Demo")
    check_terms(msgspec.structs.replace(LIMIT, validity=Validity.IOC), SHARE, BOTH, "Demo")
    for shown in (11, 105):
        order = msgspec.structs.replace(LIMIT, disclosed_quantity=shown)
        check_terms(order, SHARE, BOTH, "Demo")
