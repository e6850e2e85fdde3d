"""Charges: dated rates, brokerage per order, the depository fee, rounding of the contract note."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.config.settings import SETTINGS
from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.exchange.charges import (
    NO_CHARGES,
    ChargeDay,
    ChargeTable,
    Fill,
    Segment,
    contract_note,
    segment_of,
)

DAY = date(2026, 6, 1)
SBIN = Instrument("SBIN", "NSE", "STATE BANK OF INDIA")
OPTION = Instrument("NIFTY30JUN2625000CE", "NFO", "NIFTY", "CE", 65, strike=25000.0)
FUTURE = Instrument("NIFTY30JUN26FUT", "NFO", "NIFTY", "FUT", 65)


@pytest.fixture(scope="module")
def table() -> ChargeTable:
    return ChargeTable(resource_text("charges/rates.json"))


def fill(
    instrument: Instrument = SBIN,
    product: Product = Product.CNC,
    action: Action = Action.BUY,
    quantity: int = 100,
    price: str = "800",
    day: date = DAY,
    order_id: str = "",
) -> Fill:
    return Fill.of(instrument, product, action, quantity, Decimal(price), day, order_id)


@pytest.mark.parametrize(
    ("exchange", "kind", "product", "segment"),
    [
        ("NSE", "EQ", Product.CNC, Segment.EQ_DELIVERY),
        ("BSE", "EQ", Product.MIS, Segment.EQ_INTRADAY),
        ("NFO", "FUT", Product.NRML, Segment.FUT),
        ("BFO", "PE", Product.MIS, Segment.OPT),
        ("MCX", "FUT", Product.NRML, Segment.MCX_FUT),
        ("NCO", "CE", Product.NRML, Segment.MCX_OPT),
        ("CDS", "FUT", Product.NRML, Segment.CDS_FUT),
        ("BCD", "CE", Product.NRML, Segment.CDS_OPT),
        ("CRYPTO", "FUT", Product.NRML, None),
    ],
)
def test_segment_follows_exchange_kind_and_product(
    exchange: str, kind: str, product: Product, segment: Segment | None
) -> None:
    assert segment_of(Instrument("X", exchange, "X", kind), product) is segment


def test_stt_of_a_future_changes_on_its_date(table: ChargeTable) -> None:
    last_old = date(2026, 3, 31)
    rates = [
        table.levy("stt", fill(FUTURE, Product.NRML, Action.SELL, 1, "100", day))
        for day in (date(2024, 9, 30), date(2024, 10, 1), last_old, last_old + timedelta(days=1))
    ]
    assert rates == [Decimal(text) for text in ("0.0125", "0.02", "0.02", "0.05")]


def test_a_day_before_all_rates_uses_the_first(table: ChargeTable) -> None:
    assert table.levy("exchange", fill(quantity=1, price="100", day=date(2019, 1, 1))) == Decimal(
        "0.00297"
    )


def test_each_side_pays_its_own_levies(table: ChargeTable) -> None:
    buy = ChargeDay(table, "discount").add(fill(OPTION, Product.NRML, Action.BUY, 65, "100"))
    sell = ChargeDay(table, "discount").add(fill(OPTION, Product.NRML, Action.SELL, 65, "100"))
    assert (buy.stt, buy.stamp) == (0, Decimal("0.195"))
    assert (sell.stt, sell.stamp) == (Decimal("9.75"), 0)
    assert buy.brokerage == sell.brokerage == 20


def test_the_named_underlying_wins_over_the_exchange(table: ChargeTable) -> None:
    def fee(name: str) -> Decimal:
        option = Instrument(f"{name}30JUN26100CE", "BFO", name, "CE", strike=100.0)
        return table.levy("exchange", fill(option, Product.NRML, quantity=1, price="100"))

    assert fee("SENSEX") == Decimal("0.0325")
    assert fee("RELIANCE") == Decimal("0.005")


def test_agricultural_commodities_pay_no_transaction_tax(table: ChargeTable) -> None:
    def tax(exchange: str, name: str) -> Decimal:
        future = Instrument(f"{name}30JUN26FUT", exchange, name, "FUT")
        return table.levy("stt", fill(future, Product.NRML, Action.SELL, 1, "10000"))

    assert tax("MCX", "CRUDEOIL") == 1
    assert tax("MCX", "COTTON") == 0
    assert tax("NCDEX", "DHANIYA") == 0


def test_brokerage_is_capped_per_order_not_per_fill(table: ChargeTable) -> None:
    whole = ChargeDay(table, "discount").add(
        fill(SBIN, Product.MIS, quantity=300, price="1000", order_id="a")
    )
    day = ChargeDay(table, "discount")
    parts = [
        day.add(fill(SBIN, Product.MIS, quantity=50, price="1000", order_id="a")) for _ in range(6)
    ]
    assert [p.brokerage for p in parts] == [15, 5, 0, 0, 0, 0]
    assert sum(parts, NO_CHARGES) == whole


def test_a_copy_of_a_day_goes_on_apart(table: ChargeTable) -> None:
    day = ChargeDay(table, "discount")
    day.add(fill(OPTION, Product.NRML, order_id="a"))
    day.add(fill(action=Action.SELL))
    other = day.copy()
    assert other.add(fill(OPTION, Product.NRML, order_id="a")).brokerage == 0
    assert other.add(fill(OPTION, Product.NRML, order_id="b")).brokerage == 20
    assert other.add(fill(action=Action.SELL)).dp == 0
    assert day.add(fill(OPTION, Product.NRML, order_id="b")).brokerage == 20


def test_flat_fee_once_per_order(table: ChargeTable) -> None:
    day = ChargeDay(table, "discount")
    fees = [
        day.add(fill(OPTION, Product.NRML, order_id=order)).brokerage for order in ("a", "a", "b")
    ]
    assert fees == [20, 0, 20]


def test_depository_fee_once_per_scrip_and_day_with_gst(table: ChargeTable) -> None:
    day = ChargeDay(table, "discount")
    first, again = (day.add(fill(action=Action.SELL)) for _ in range(2))
    other = day.add(fill(Instrument("TCS", "NSE", "TCS"), action=Action.SELL))
    assert (first.dp, again.dp, other.dp) == (13, 0, 13)
    assert first.gst - again.gst == Decimal("2.34")
    assert day.add(fill(SBIN, Product.MIS, Action.SELL)).dp == 0
    assert ChargeDay(table, "discount").add(fill()).dp == 0


def test_stt_is_rounded_once_per_note(table: ChargeTable) -> None:
    day = ChargeDay(table, "discount")
    added = [day.add(fill(quantity=1, price="1234.50")) for _ in range(3)]
    added.append(day.add(fill(OPTION, Product.NRML, Action.SELL, 65, "10")))
    assert sum(added, NO_CHARGES).stt == Decimal("3.7035") + Decimal("0.975")
    note = sum(added, NO_CHARGES) + day.close()
    assert note.stt == 4 + 1
    assert note.sebi == sum(added, NO_CHARGES).sebi


def test_contract_note_is_the_sum_of_the_day(table: ChargeTable) -> None:
    fills = [
        fill(action=side, order_id=str(i)) for i, side in enumerate((Action.BUY, Action.SELL) * 3)
    ]
    note = contract_note(table, "discount", fills)
    assert note.stt == 480
    assert note.stt == note.stt.to_integral_value()
    assert note.total == sum((getattr(note, name) for name in note.__struct_fields__), Decimal(0))


def test_exercise_tax_is_on_intrinsic_value(table: ChargeTable) -> None:
    old = table.exercise(OPTION, 65, Decimal("200"), date(2025, 6, 1))
    new = table.exercise(OPTION, 65, Decimal("200"), DAY)
    assert old.stt == Decimal("16.25")
    assert new.stt == Decimal("19.5")


def test_statutory_plan_has_no_brokerage(table: ChargeTable) -> None:
    charges = ChargeDay(table, "statutory").add(fill(action=Action.SELL))
    assert charges.brokerage == charges.dp == 0
    assert charges.total > 0


def test_nothing_is_charged_outside_the_known_segments(table: ChargeTable) -> None:
    coin = Instrument("BTCUSDT", "CRYPTO", "BTCUSDT")
    assert ChargeDay(table, "discount").add(fill(coin, Product.NRML)) == NO_CHARGES


def test_rounding_is_half_up_to_the_paisa(table: ChargeTable) -> None:
    charges = ChargeDay(table, "discount").add(fill(OPTION, Product.NRML, Action.SELL, 75, "150"))
    assert charges.stt == Decimal("16.875")
    assert charges.rounded().stt == Decimal("16.88")


def test_every_rate_names_its_source(table: ChargeTable) -> None:
    text = table.source("stt", Segment.OPT, "NFO", "NIFTY", DAY)
    assert "2026-04-01" in text
    assert table.source("exercise", Segment.FUT, "NFO", "NIFTY", DAY) == ""


def test_bad_tables_are_refused() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        ChargeTable("{}")
    data = json.loads(resource_text("charges/rates.json"))
    data["rates"][0]["source"] = "hearsay"
    with pytest.raises(ConfigError, match="hearsay"):
        ChargeTable(json.dumps(data))


def test_unknown_plan_names_the_known_ones(table: ChargeTable) -> None:
    with pytest.raises(ConfigError, match="discount"):
        ChargeDay(table, "free lunch")


def test_the_settings_offer_exactly_the_plans(table: ChargeTable) -> None:
    assert SETTINGS["sandbox.brokerage_plan"].choices == tuple(table.plans)
