"""The table of differences: shown in the docs, without dead rows, without names of cases."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from tests.api import (
    golden_checks,
    golden_live_rules,
    golden_money,
    golden_order_rules,
    golden_request_rules,
    golden_rest_rules,
    golden_stream_rules,
)
from tests.api.golden_case import Case, read_rows, stream_cases
from tests.api.golden_compare import Comparison, Freedom, Ids
from tests.api.golden_rules import BEGIN, DOC, END, RULES, markdown
from tests.api.golden_times import RECORDED_AT
from tests.e2e.driver import ROOT

RECORDED = ROOT / "tests" / "data" / "golden"


#: Facts of the reference that none of the transcripts here shows, but others may.
_INDEX_TICK = {"type": "market_data", "mode": 2, "exchange": "NSE_INDEX", "data": {"ltp": 1.0}}
_MORE = (
    Case("ticker", path="/api/v1/ticker/NSE:SBIN", body={"_text": "NSE:SBIN,1,2\n"}),
    Case("ws", body=_INDEX_TICK),
    Case("ws", request={"action": "unsubscribe_all"}, body={"type": "unsubscribe"}),
    Case("ws", body={"type": "supported_brokers"}),
    Case("placeorder", request={"exchange": "NSE_INDEX", "symbol": "NIFTY"}, body={}),
)


_NOW_MS = int(RECORDED_AT.timestamp() * 1000)


def _all_cases() -> list[Case]:
    cases = list(_MORE)
    for path in sorted(RECORDED.glob("*.json")):
        if path.stem == "ws":
            cases += stream_cases(path)
        elif path.stem == "sdk":
            for call in json.loads(path.read_text(encoding="utf-8"))["calls"]:
                if "_dataframe" in call["returns"]:
                    endpoint = f"{call['method']} (DataFrame)"
                    cases.append(Case(endpoint, request=call["kwargs"], body=call["returns"]))
        else:
            cases += [row for row in read_rows(path) if isinstance(row, Case)]
    return cases


def test_golden_differences_are_in_the_docs() -> None:
    text = DOC.read_text(encoding="utf-8")
    shown = text.partition(BEGIN)[2].partition(END)[0]
    assert shown == markdown(), f"{DOC.name} is behind the rules: python -m tests.api.golden_rules"


def test_golden_rules_all_hold_somewhere() -> None:
    cases = _all_cases()
    dead = [
        f"{rule.endpoint}: {rule.condition}"
        for rule in RULES
        if not any(rule.holds(case) for case in cases)
    ]
    assert not dead, f"rules that hold for no recorded case: {dead}"


@pytest.mark.parametrize(
    "module",
    [
        golden_live_rules,
        golden_order_rules,
        golden_request_rules,
        golden_rest_rules,
        golden_stream_rules,
    ],
    ids=lambda module: module.__name__.rpartition(".")[2],
)
def test_golden_rules_name_no_case(module: ModuleType) -> None:
    source = inspect.getsource(module)
    assert "case.name" not in source
    names = {case.name for case in _all_cases() if "_" in case.name}
    words = set(re.findall(r"[\"']([a-z0-9_]+)[\"']", source))
    assert not names & words


# -- the comparison itself must be able to fail ------------------------------------------------
@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1}, {}),
        ({}, {"a": 1}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": None}, {"a": 0}),
        ({"a": "x"}, {"a": "y"}),
        ({"a": 1.0}, {"a": 1.01}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": [1]}, {"a": []}),
        ({"timestamp": "2026-11-22 10:00:00"}, {"timestamp": "22-11-2026 10:00:00"}),
        ({"timestamp": 1795361899826}, {"timestamp": 1795361899}),
        (
            {"rows": [{"orderid": "1"}, {"orderid": "1"}]},
            {"rows": [{"orderid": "7"}, {"orderid": "8"}]},
        ),
        (
            {"rows": [{"orderid": "1"}, {"orderid": "2"}]},
            {"rows": [{"orderid": "7"}, {"orderid": "7"}]},
        ),
        ("Required: ₹5.0, Available: ₹1.0", "Required: ₹6.0, Available: ₹1.0"),
        (
            "Required: ₹5.0, Available: ₹1.0, Shortage: ₹4.0",
            "Required: ₹5.0, Available: ₹2.0, Shortage: ₹4.0",
        ),
        ({"timestamp": _NOW_MS}, {"timestamp": _NOW_MS + 10_000}),
        ({"timestamp": _NOW_MS}, {"timestamp": _NOW_MS - 10_000}),
        ({"timestamp": "2026-11-22 21:00:00"}, {"timestamp": "2026-11-22 21:00:10"}),
        ({"created_at": "2026-11-22T15:30:00"}, {"created_at": "2026-11-22T21:00:00"}),
        ({"gamma": 0.000402}, {"gamma": 0.000404}),
        ({"delta": 0.5076}, {"delta": 0.5078}),
    ],
)
def test_golden_comparison_sees(expected: object, actual: object) -> None:
    comparison = Comparison(Ids())
    comparison.compare(expected, actual)
    assert comparison.differences


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"timestamp": _NOW_MS + 500_000}, {"timestamp": _NOW_MS}),
        ({"timestamp": "2026-11-22 21:12:00"}, {"timestamp": "2026-11-22 21:00:01"}),
        ({"expires_at": "2027-11-22T15:35:00.5"}, {"expires_at": "2027-11-22T15:30:00"}),
        ({"gamma": 0.000402}, {"gamma": 0.000403}),
    ],
)
def test_golden_comparison_accepts_what_the_run_makes(expected: object, actual: object) -> None:
    comparison = Comparison(Ids())
    comparison.compare(expected, actual)
    assert not comparison.differences


_DAY_OF = {"symbol": "SBIN", "exchange": "NSE", "interval": "5m"}
_CANDLE = {"open": 800.0, "high": 801.0, "low": 799.0, "close": 800.5, "volume": 5, "oi": 0}
_OPENING = 1795059900  # 19 Nov 2026, 09:15 IST


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"high": 800.2},
        {"low": 800.1},
        {"close": 800.51},
        {"volume": -1},
        {"timestamp": _OPENING + 1},
        {"timestamp": _OPENING - 300},
        {"timestamp": _OPENING + 86_400},
        {"timestamp": _OPENING + 300},
    ],
    ids=str,
)
def test_golden_candles_are_checked(change: dict[str, float]) -> None:
    request = {**_DAY_OF, "start_date": "2026-11-19", "end_date": "2026-11-19"}
    rows = [{**_CANDLE, "timestamp": _OPENING + 300 * n} for n in range(75)]
    rows[0] = {**rows[0], **change}
    body = {"status": "success", "data": rows}

    def ask(endpoint: str, fields: dict[str, object]) -> object:
        return body if fields["interval"] == "5m" else {"data": rows}

    found = list(golden_checks.candles(body, Case("history", request=request), ask))
    assert bool(found) is bool(change), found
    body["data"] = rows[:-1]
    assert list(golden_checks.candles(body, Case("history", request=request), ask))


@pytest.mark.parametrize(
    "change",
    [{}, {"open": 799.5}, {"high": 802.0}, {"low": 798.0}, {"close": 800.0}, {"volume": 1}],
)
def test_golden_days_are_made_of_their_minutes(change: dict[str, float]) -> None:
    request = {**_DAY_OF, "interval": "D", "start_date": "2026-11-19", "end_date": "2026-11-19"}
    midnight = 1795046400  # 19 Nov 2026, midnight UTC
    body = {"data": [{**_CANDLE, "timestamp": midnight, "volume": 1875, **change}]}
    minutes = [{**_CANDLE, "timestamp": _OPENING + 60 * n} for n in range(375)]

    def ask(endpoint: str, fields: dict[str, object]) -> object:
        return body if fields["interval"] == "D" else {"data": minutes}

    found = list(golden_checks.candles(body, Case("history", request=request), ask))
    assert bool(found) is bool(change), found


def test_golden_texts_of_candles_are_whole() -> None:
    rows = [{**_CANDLE, "timestamp": _OPENING + 60 * n} for n in range(3)]
    path = "/api/v1/ticker/NSE:SBIN?interval=1m&from=2026-11-19&to=2026-11-19"
    query = {"interval": "1m", "from": "2026-11-19", "to": "2026-11-19"}
    lines = [f"NSE:SBIN,2026-11-19,09:1{5 + n}:00,800.0,801.0,799.0,800.5,5" for n in range(3)]
    case = Case("ticker", path=path, query=query)

    def seen(text: str) -> bool:
        ask = lambda endpoint, fields: {"data": rows}  # noqa: E731
        return bool(list(golden_checks.candle_lines({"_text": text}, case, ask)))

    assert not seen("\n".join(lines))
    for wrong in ("", lines[0], "\n".join(lines[::-1]), "\n".join(lines).replace("5\n", "6\n", 1)):
        assert seen(wrong), wrong


@pytest.mark.parametrize("cash", [9_840.0, 9_840.01])
def test_golden_money_of_a_refusal_is_checked(cash: float) -> None:
    body = {"message": "Insufficient funds. Required: ₹1.0, Available: ₹9840.00, Shortage: ₹0"}
    found = list(golden_money.available(body, lambda *_: {"data": {"availablecash": cash}}))
    assert bool(found) is (cash != 9_840.0)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"average_price": 800.01},
        {"unrealized_pnl": 0.02},
        {"today_realized_pnl": 0.05},
        {"pnl": 0.03},
        {"total_pnl_today": 0.02},
        {"quantity": 4},
    ],
    ids=str,
)
def test_golden_positions_are_checked(change: dict[str, float]) -> None:
    names = {"symbol": "SBIN", "exchange": "NSE", "product": "MIS"}
    trades = [
        {**names, "tradeid": f"T{n}", "action": "BUY", "quantity": units, "price": price}
        for n, (units, price) in enumerate(((2, 800.0), (1, 800.05)))
    ]
    row = {
        **names, "quantity": 3, "average_price": 800.0167, "ltp": 801.0, "unrealized_pnl": 2.95,
        "today_realized_pnl": 0.0, "pnl": 2.95, "total_pnl_today": 2.95,
    }  # fmt: skip
    body = {"data": [row], "total_today_realized_pnl": 0.0}
    body |= dict.fromkeys(("total_pnl", "total_pnl_today", "total_unrealized_pnl"), 2.95)
    row |= {k: (row[k] + v if "pnl" in k else v) for k, v in change.items()}
    ask = lambda endpoint, fields: {"data": trades}  # noqa: E731
    found = list(golden_money.exact_positions(body, Case("positionbook"), ask))
    assert bool(found) is bool(change), found
    body["total_pnl"] += 0.02
    assert list(golden_money.exact_positions(body, Case("positionbook"), ask))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"availablecash": 9_999_800.0},
        {"availablecash": 9_999_839.0, "utiliseddebits": 161.0, "grossexposure": 161.0},
        {"grossexposure": 161.0},
        {"m2munrealized": 1.0},
        {"m2munrealized": 1.0, "totalpnl": 1.0},
        {"today_realized_pnl": 1.0},
        {"m2mrealized": 1.0, "today_realized_pnl": 1.0, "total_realized_pnl": 1.0},
    ],
    ids=str,
)
def test_golden_funds_are_checked(change: dict[str, float]) -> None:
    held = {"symbol": "SBIN", "exchange": "NSE", "product": "MIS"}
    rows = [{**held, "quantity": 1, "average_price": 800.05}]
    order = {"orderid": "1", "pricetype": "MARKET", "price": 800.0, "order_status": "complete"}
    trade = {**held, "orderid": "1", "tradeid": "1", "action": "BUY", "quantity": 1}
    answers = {
        "positionbook": {
            "data": rows,
            **dict.fromkeys(
                ("total_unrealized_pnl", "total_pnl_today", "total_today_realized_pnl"), 0.0
            ),
        },
        "orderbook": {"data": {"orders": [order]}},
        "tradebook": {"data": [trade]},
    }
    funds = {"availablecash": 9_999_840.0, "utiliseddebits": 160.0, "grossexposure": 160.0}
    funds |= {"m2mrealized": 0.0, "today_realized_pnl": 0.0, "total_realized_pnl": 0.0}
    body = {"data": {**funds, "m2munrealized": 0.0, "totalpnl": 0.0, **change}}
    found = list(golden_money.paper_funds(body, Case("funds"), lambda name, _: answers[name]))
    assert bool(found) is bool(change), found


def test_golden_freedom_is_only_where_it_is_given() -> None:
    comparison = Comparison(Ids(), Freedom(free=("rows[*].price",), near=(("sum", 0.1),)))
    expected = {"rows": [{"price": 1.0, "name": "a"}], "sum": 1.0}
    comparison.compare(expected, {"rows": [{"price": 2.0, "name": "b"}], "sum": 1.05})
    assert comparison.differences == ["rows[0].name: 'b', recorded 'a'"]
    comparison.compare({"sum": 1.0}, {"sum": 1.2})
    comparison.compare({"rows": [{"price": 1.0}]}, {"rows": [{"price": "1"}]})
    assert len(comparison.differences) == 3


def test_golden_transcripts_are_complete(tmp_path: Path) -> None:
    assert sum(1 for case in _all_cases() if case.endpoint != "ws") > 900
