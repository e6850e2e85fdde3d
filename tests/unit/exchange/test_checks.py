"""What is refused before it costs anything, with the field that is wrong."""

from __future__ import annotations

import msgspec
import pytest

from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.model import (
    Instrument,
    ModifyRequest,
    Order,
    OrderRequest,
    with_quantity,
)
from openalgo_desktop.exchange.checks import check_modify, check_order, normalised, parse_order

SBIN = Instrument("SBIN", "NSE", tick_size=0.05)
FUT = Instrument(
    "NIFTY29DEC26FUT", "NFO", instrument_type="FUT", lot_size=65, tick_size=0.05, freeze_qty=1800
)
LIMIT = OrderRequest("SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS, 800.05)
SL = msgspec.structs.replace(LIMIT, price_type=PriceType.SL, price=812.0, trigger_price=810.0)


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        ({"quantity": 0}, "quantity", "Missing required field: quantity"),
        ({"quantity": -1}, "quantity", "Quantity must be positive"),
        ({"symbol": ""}, "symbol", "Missing required field: symbol"),
        ({"price": 0}, "price", "LIMIT orders require price"),
        ({"price": -1}, "price", "Price must be positive"),
        ({"price": 800.03}, "price", "Nearest: 800.00 or 800.05."),
        ({"price": 30000.03}, "price", "Price 30000.03 is not a multiple of the tick size 0.05"),
        ({"product": Product.NRML}, "product", "NRML product not allowed for NSE equity segment."),
        (
            {"price_type": PriceType.SLM, "trigger_price": 0},
            "trigger_price",
            "SL-M orders require trigger_price",
        ),
        (
            {"price_type": PriceType.SL, "trigger_price": 800.07},
            "trigger_price",
            "Nearest: 800.05 or 800.10.",
        ),
    ],
)
def test_refused_with_the_field_named(change, field, text):
    with pytest.raises(InvalidOrder) as caught:
        check_order(msgspec.structs.replace(LIMIT, **change), SBIN)
    assert caught.value.field == field
    assert text in caught.value.message


def test_good_orders_pass():
    check_order(LIMIT, SBIN)
    check_order(SL, SBIN)
    check_order(OrderRequest(FUT.symbol, "NFO", Action.SELL, 1755, product=Product.NRML), FUT)


@pytest.mark.parametrize(
    ("action", "price", "trigger", "right"),
    [
        (Action.BUY, 812.0, 810.0, True),
        (Action.BUY, 810.0, 810.0, True),
        (Action.BUY, 809.0, 810.0, False),
        (Action.SELL, 788.0, 790.0, True),
        (Action.SELL, 791.0, 790.0, False),
    ],
)
def test_a_stop_limit_must_be_able_to_fill_after_its_trigger(action, price, trigger, right):
    order = msgspec.structs.replace(SL, action=action, price=price, trigger_price=trigger)
    if right:
        check_order(order, SBIN)
    else:
        with pytest.raises(InvalidOrder, match="its trigger price"):
            check_order(order, SBIN)


@pytest.mark.parametrize(("quantity", "text"), [(100, "lot size 65"), (1820, "at most 1800")])
def test_lots_and_freeze(quantity, text):
    order = OrderRequest(FUT.symbol, "NFO", Action.SELL, quantity, product=Product.NRML)
    with pytest.raises(InvalidOrder, match=text):
        check_order(order, FUT)


def test_delivery_of_derivatives_and_index_orders_are_refused():
    cnc = OrderRequest(FUT.symbol, "NFO", Action.BUY, 65, product=Product.CNC)
    with pytest.raises(InvalidOrder, match="CNC product not allowed for NFO"):
        check_order(cnc, FUT)
    index = Instrument("NIFTY", "NSE_INDEX", instrument_type="INDEX")
    with pytest.raises(InvalidOrder, match="cannot be traded"):
        check_order(OrderRequest("NIFTY", "NSE_INDEX", Action.BUY, 1), index)


def test_prices_that_do_not_belong_are_dropped():
    stray = OrderRequest("SBIN", "NSE", Action.BUY, 1, PriceType.SLM, Product.MIS, 812.0, 810.0)
    assert (normalised(stray).price, normalised(stray).trigger_price) == (0.0, 810.0)
    assert normalised(LIMIT) is LIMIT


FIELDS = {
    "symbol": "sbin",
    "exchange": "nse",
    "action": "buy",
    "quantity": "10",
    "price_type": "limit",
    "product": "mis",
    "price": "800.05",
}


def test_loose_fields_become_a_request():
    assert parse_order(FIELDS) == LIMIT


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        ({"action": ""}, "action", "Missing required field: action"),
        ({"action": "HOLD"}, "action", "Invalid action. Must be BUY or SELL"),
        ({"quantity": "ten"}, "quantity", "Invalid quantity"),
        ({"quantity": "1.5"}, "quantity", "Invalid quantity"),
        ({"price_type": "IOC"}, "price_type", "Must be MARKET, LIMIT, SL, or SL-M"),
        ({"product": "BO"}, "product", "Invalid product. Must be CNC, NRML, or MIS"),
        ({"exchange": "NYSE"}, "exchange", "Invalid exchange. Must be one of NSE, NFO, CDS"),
        ({"price": "x"}, "price", "Invalid price"),
    ],
)
def test_fields_that_cannot_be_an_order(change, field, text):
    with pytest.raises(InvalidOrder) as caught:
        parse_order({**FIELDS, **change})
    assert caught.value.field == field and text in caught.value.message


ORDER = Order("1", "SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS, price=800.0)


def test_modify_keeps_what_is_zero_or_absent():
    wanted = check_modify(ORDER, ModifyRequest("1", quantity=20, price=0, trigger_price=0), SBIN)
    assert (wanted.quantity, wanted.price) == (20, 800.0)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (ModifyRequest("1", trigger_price=799.0), "trigger_price"),
        (ModifyRequest("1", symbol="INFY"), "symbol"),
        (ModifyRequest("1", product=Product.CNC), "product"),
        (ModifyRequest("1", price_type=PriceType.SLM), "trigger_price"),
        (ModifyRequest("1", price=800.01), "price"),
        (ModifyRequest("1", quantity=-5), "quantity"),
    ],
)
def test_modify_refuses_what_the_order_is_not(request_, field):
    with pytest.raises(InvalidOrder) as caught:
        check_modify(ORDER, request_, SBIN)
    assert caught.value.field == field


def test_modify_may_change_the_price_type():
    market = check_modify(ORDER, ModifyRequest("1", price=801.0, price_type=PriceType.MARKET), SBIN)
    assert (market.price_type, market.price) == (PriceType.MARKET, 0.0)
    stop = ModifyRequest("1", price=812.0, trigger_price=810.0, price_type=PriceType.SL)
    assert check_modify(ORDER, stop, SBIN).trigger_price == 810.0


def test_modify_below_the_filled_quantity_is_refused():
    part = msgspec.structs.replace(ORDER, filled_quantity=5)
    with pytest.raises(InvalidOrder, match="already filled"):
        check_modify(part, ModifyRequest("1", quantity=5), SBIN)


@pytest.mark.parametrize(
    ("change", "field", "text"),
    [
        ({"price": 1e-9}, "price", "smallest price of SBIN, 0.05"),
        ({"price": 0.04}, "price", "smallest price"),
        ({"price_type": PriceType.SL, "trigger_price": 1e-9}, "trigger_price", "smallest price"),
        ({"disclosed_quantity": 11}, "disclosed_quantity", "from 0 to the quantity, 10"),
        ({"disclosed_quantity": -1}, "disclosed_quantity", "from 0 to the quantity"),
        ({"strategy": "x" * 256}, "strategy", "at most 255"),
    ],
)
def test_what_no_exchange_takes_names_the_field(change, field, text):
    order = OrderRequest("SBIN", "NSE", Action.BUY, 10, PriceType.LIMIT, Product.MIS, 0.05)
    check_order(order, SBIN)
    with pytest.raises(InvalidOrder, match=text) as caught:
        check_order(msgspec.structs.replace(order, **change), SBIN)
    assert caught.value.field == field


@pytest.mark.parametrize("text", ["1_000", "١٢", "nan"])
def test_parse_order_reads_numbers_of_people(text):
    for name in ("quantity", "price"):
        with pytest.raises(InvalidOrder) as caught:
            parse_order({**FIELDS, name: text})
        assert caught.value.field == name
    assert parse_order({**FIELDS, "quantity": "10.0"}).quantity == 10


def test_a_part_discloses_no_more_than_there_is_of_it():
    order = OrderRequest(
        "SBIN", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS, disclosed_quantity=8
    )
    assert with_quantity(order, 3).disclosed_quantity == 3
    check_order(with_quantity(order, 3), SBIN)
