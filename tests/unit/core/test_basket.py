"""Baskets: their order, their CSV form."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.basket import Basket, BasketMargin, read_csv, sequence, write_csv
from openalgo_desktop.core.enums import Action, PriceType, Product
from openalgo_desktop.core.model import Instrument, Key, OrderRequest

ROWS = {
    row.key: row
    for row in (
        Instrument("NIFTY01DEC2624500CE", "NFO", "NIFTY", "CE", 65, strike=24_500.0),
        Instrument("NIFTY01DEC2624700CE", "NFO", "NIFTY", "CE", 65, strike=24_700.0),
        Instrument("INFY", "NSE", "INFOSYS"),
        Instrument("NIFTY", "NSE_INDEX", "NIFTY 50", "INDEX"),
    )
}


def get(key: Key) -> Instrument | None:
    return ROWS.get(key)


def order(action: Action) -> OrderRequest:
    return OrderRequest("INFY", "NSE", action, 1)


def test_buys_go_first_or_in_the_order_of_the_lines() -> None:
    lines = tuple(map(order, (Action.SELL, Action.BUY, Action.SELL, Action.BUY)))
    assert sequence(Basket(lines)) == [1, 3, 0, 2]
    assert sequence(Basket(lines, buys_first=False)) == [0, 1, 2, 3]


def test_benefit_is_what_lines_save_each_other() -> None:
    assert BasketMargin(24_850.0, 100_771.0).benefit == 75_921.0
    assert BasketMargin(10.0, 9.0).benefit == 0.0
    assert BasketMargin(10.0, None).benefit is None


def test_csv_is_read_with_defaults_of_the_segment() -> None:
    text = (
        "\ufeffSymbol,Exchange,Action,Lots,Price_Type,Price\r\n"
        'nifty01dec2624500ce,nfo,sell,2,limit,"1,210.50"\r\n'
        "\r\n"
        "INFY,NSE,BUY,10,,\r\n"
    )
    lines, problems = read_csv(text, get)
    assert problems == []
    assert lines == [
        OrderRequest(
            "NIFTY01DEC2624500CE", "NFO", Action.SELL, 130, PriceType.LIMIT, Product.NRML, 1210.5
        ),
        OrderRequest("INFY", "NSE", Action.BUY, 10, PriceType.MARKET, Product.MIS),
    ]


def test_what_was_written_is_read_back() -> None:
    lines = [
        OrderRequest(
            "NIFTY01DEC2624700CE", "NFO", Action.BUY, 65, PriceType.SL, Product.MIS,
            price=100.05, trigger_price=99.0, strategy="-condor",
        ),
        OrderRequest("INFY", "NSE", Action.SELL, 3, PriceType.MARKET, Product.CNC),
    ]  # fmt: skip
    assert read_csv(write_csv(lines), get) == (lines, [])


HEAD = "symbol,exchange,action,quantity,price_type,product,price,trigger_price\n"


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        ("XYZ,NSE,BUY,1,,,,", "symbol", "not in the symbol master of NSE"),
        (",NSE,BUY,1,,,,", "symbol", "missing"),
        ("NIFTY,NSE_INDEX,BUY,1,,,,", "symbol", "is an index"),
        ("INFY,NYSE,BUY,1,,,,", "exchange", "NYSE is no exchange"),
        ("INFY,NSE,HOLD,1,,,,", "action", "HOLD is not one of BUY, SELL"),
        ("INFY,NSE,,1,,,,", "action", "Nothing is not one of"),
        ("INFY,NSE,BUY,,,,,", "quantity", "Write a number"),
        ("INFY,NSE,BUY,1.5,,,,", "quantity", "whole number"),
        ("INFY,NSE,BUY,-1,,,,", "quantity", "whole number above 0"),
        ("NIFTY01DEC2624500CE,NFO,BUY,50,,,,", "quantity", "One lot of NIFTY01DEC2624500CE is 65"),
        ("INFY,NSE,BUY,1,STOP,,,", "price_type", "STOP is not one of MARKET"),
        ("INFY,NSE,BUY,1,,BO,,", "product", "BO is not one of MIS"),
        ("INFY,NSE,BUY,1,LIMIT,,,", "price", "LIMIT needs it"),
        ("INFY,NSE,BUY,1,,,100,", "price", "MARKET has none"),
        ('INFY,NSE,BUY,1,LIMIT,,"899,50",', "price", "two ways"),
        ("INFY,NSE,BUY,1,SL-M,,,", "trigger_price", "SL-M needs it"),
        ("INFY,NSE,BUY,1,LIMIT,,-1,", "price", "below 0"),
        ("INFY,NSE,BUY,1,,,,,,,", "", "more fields than"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(row: str, column: str, words: str) -> None:
    lines, problems = read_csv(f"{HEAD}INFY,NSE,BUY,1,,,,\n{row}\n", get)
    assert len(lines) == 1
    (problem,) = problems
    assert (problem.line, problem.column) == (3, column)
    assert words in problem.text
    assert str(problem).startswith(f"Line 3{', ' if column else ''}{column}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("symbol,exchange,action\n", "quantity: This column (or lots) is needed"),
        ("symbol,exchange,quantity\n", "action: This column is needed"),
        ("symbol,exchange,action,quantity,colour\n", "colour: There is no such column"),
        ("symbol,symbol,exchange,action,quantity\n", "symbol: This column is there twice"),
        (HEAD, "no line below"),
        (HEAD + "INFY,NSE,BUY,1,,,,\n" * 101, "100 lines at most"),
        ('symbol,exchange,action,quantity\n"INFY\x00', ""),
    ],
)
def test_a_file_that_is_no_basket_says_why(text: str, words: str) -> None:
    _, problems = read_csv(text, get)
    assert problems
    assert words in str(problems[0])


def test_quantity_and_lots_together_are_refused() -> None:
    text = "symbol,exchange,action,quantity,lots\nINFY,NSE,BUY,1,1\n"
    assert "not both" in str(read_csv(text, get)[1][0])
