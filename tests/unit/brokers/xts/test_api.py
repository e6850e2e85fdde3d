"""What an XTS server does that tables cannot say: pages, sessions, odd books, candles, masters."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from openalgo_desktop.brokers.families.xts.master import read_index, read_row
from openalgo_desktop.brokers.iifl import BROKER as IIFL
from openalgo_desktop.brokers.jainamxts import BROKER as JAINAM
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.reading import read_file
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.rmoney import BROKER as RMONEY
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import Exchange, Interval, OrderStatus, PriceType, Product
from openalgo_desktop.core.errors import BadCredentials, ConfigError, ProtocolError
from openalgo_desktop.core.model import Instrument, ModifyRequest, OrderRequest
from openalgo_desktop.core.symbols import MONTHS

NOW = datetime(2025, 11, 20, 10, 15, tzinfo=IST)
ROWS = [
    Instrument("RELIANCE", "NSE", token="2885", tick_size=0.1),
    Instrument("NIFTY25NOV25FUT", "NFO", instrument_type="FUT", token="37054", lot_size=75),
    Instrument("USDINR26DEC25FUT", "CDS", instrument_type="FUT", token="2885"),
    Instrument("CRUDEOIL18DEC25FUT", "MCX", instrument_type="FUT", token="111", lot_size=100),
    Instrument(
        "GOLD05DEC25FUT",
        "MCX",
        instrument_type="FUT",
        token="112",
        lot_size=1000,
        contract_value=0.1,
    ),
]


def api_of(
    broker: Broker, serve: Callable[[httpx.Request], httpx.Response] | None = None, **values: str
) -> Any:
    """The calls of an account whose server is a function."""

    def nothing(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"a request left: {request.url}")

    session = Session({"access_token": "A", "feed_token": "F", "feed_user": "U", **values})
    session.open = True
    clock = ManualClock(NOW)
    transport = httpx.MockTransport(serve or nothing)
    rest = RestClient(broker.spec, session, clock, transport=transport)
    return broker.api(broker.spec, rest, BrokerIndex(ROWS), clock)


def good(result: Any) -> httpx.Response:
    return httpx.Response(200, json={"type": "success", "code": "s", "result": result})


def bad(description: str, code: str = "e") -> httpx.Response:
    body = {"type": "error", "code": code, "description": description}
    return httpx.Response(400, json=body)


# -- logins ---------------------------------------------------------------------------------
PAGE = json.dumps({"accessToken": "T1", "userID": "U1"})


@pytest.mark.parametrize(
    "text", [PAGE, json.dumps(PAGE), quote(PAGE), quote(json.dumps(PAGE)), f" {PAGE} ", "T1"]
)
async def test_what_the_page_gives_is_read_however_it_is_wrapped(text: str) -> None:
    found = await api_of(JAINAM).read_access({"request_token": text})
    assert found == {"access": "T1"}


@pytest.mark.parametrize("text", ['{"error": "no"}', '{"accessToken": null}', "{}"])
async def test_a_page_that_gives_nothing_is_said(text: str) -> None:
    with pytest.raises(BadCredentials, match="gave no accessToken"):
        await api_of(JAINAM).read_access({"request_token": text})


async def test_a_page_that_gives_the_session_itself() -> None:
    text = json.dumps({"token": "S1", "userID": "U1"})
    found = await api_of(RMONEY).read_session({"request_token": text})
    assert found == {"access_token": "S1", "client_id": "U1"}
    assert await api_of(RMONEY).read_session({"request_token": "S2"}) == {"access_token": "S2"}


async def test_trading_goes_without_market_data() -> None:
    """Wrong market keys, or no server: the login is good, quotes say why they are not."""
    keys = {"market_api_key": "k", "market_api_secret": "s"}
    api = api_of(IIFL, lambda request: bad("Invalid appKey"))
    assert await api.begin_market(keys) == {}
    api = api_of(IIFL, lambda request: good({"token": "F2", "userID": "U2"}))
    assert await api.begin_market(keys) == {"feed_token": "F2", "feed_user": "U2"}
    api = api_of(IIFL, lambda request: good({"token": "F2"}))
    assert await api.begin_market(keys) == {"feed_token": "F2"}  # no user is called "None"


async def test_the_host_lookup_gives_a_key_and_no_other_host() -> None:
    base = "https://xts.rmoneyindia.co.in:3000/interactive"

    def serve(address: str) -> Callable[[httpx.Request], httpx.Response]:
        def answer(request: httpx.Request) -> httpx.Response:
            assert str(request.url) == "https://xts.rmoneyindia.co.in:4000/hostlookup"
            assert json.loads(request.content)["AccessPassword"] == "2021HostLookUpAccess"
            return good({"UniqueKey": "K", "connectionString": address})

        return answer

    assert await api_of(RMONEY, serve(base)).find_host({}) == {"unique_key": "K"}
    for address in ("https://evil.example/interactive", ""):
        with pytest.raises(ConfigError, match=r"brokers\.rmoney\.hosts\.rest"):
            await api_of(RMONEY, serve(address)).find_host({})


# -- books ----------------------------------------------------------------------------------
ORDER = {
    "AppOrderID": 1100021001.0, "ExchangeSegment": "NSECM", "ExchangeInstrumentID": "2885.0",
    "OrderSide": "BUY", "OrderType": "Limit", "ProductType": "CNC", "OrderQuantity": 5,
    "OrderPrice": 1490.5, "OrderStopPrice": 0, "OrderStatus": "New", "CumulativeQuantity": 0,
    "OrderAverageTradedPrice": "", "OrderGeneratedDateTime": "2025-11-20T09:20:01.1234567",
    "OrderUniqueIdentifier": "Otag", "TradingSymbol": "X",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, OrderStatus.OPEN),
        ({"OrderStatus": "NEW "}, OrderStatus.OPEN),
        ({"OrderStatus": "Trigger Pending"}, OrderStatus.TRIGGER_PENDING),
        ({"OrderStatus": "TriggerPending"}, OrderStatus.TRIGGER_PENDING),
        ({"OrderType": "StopLimit"}, OrderStatus.TRIGGER_PENDING),
        ({"OrderType": "StopMarket", "OrderStatus": "Filled"}, OrderStatus.COMPLETE),
        ({"OrderStatus": "PartiallyFilled"}, OrderStatus.OPEN),
        ({"OrderStatus": "Expired"}, OrderStatus.CANCELLED),
        ({"OrderStatus": "Frozen"}, OrderStatus.UNKNOWN),
    ],
)
def test_statuses(changes: dict[str, Any], status: OrderStatus) -> None:
    (order,) = api_of(IIFL).read_orders([{**ORDER, **changes}])
    assert (order.order_id, order.symbol, order.status) == ("1100021001", "RELIANCE", status)


def test_the_same_number_is_another_instrument_in_another_segment() -> None:
    (order,) = api_of(IIFL).read_orders([{**ORDER, "ExchangeSegment": "NSECD"}])
    assert (order.symbol, order.exchange) == ("USDINR26DEC25FUT", "CDS")


async def test_a_book_may_show_what_a_member_does_not_offer() -> None:
    (order,) = api_of(RMONEY).read_orders([{**ORDER, "ExchangeSegment": "MCXFO"}])
    assert order.exchange is Exchange.MCX


async def test_positions_as_a_list_or_in_a_table() -> None:
    row = {"ExchangeSegment": "NSECM", "ExchangeInstrumentID": 2885, "ProductType": "MIS",
           "Quantity": "-4", "BuyAveragePrice": "10", "SellAveragePrice": "1500",
           "UnrealizedMTM": "40", "RealizedMTM": "2"}  # fmt: skip
    for result in ([row], {"positionList": [row]}):
        (position,) = await api_of(IIFL, lambda request, r=result: good(r)).positions()
        assert (position.symbol, position.quantity) == ("RELIANCE", -4)
        assert (position.average_price, position.ltp) == (1500, 1490)
        assert position.pnl == pytest.approx(42)
    assert await api_of(IIFL, lambda request: good({"positionList": None})).positions() == []


@pytest.mark.parametrize("opened", ["", "0", "0.00"])
async def test_a_price_that_nobody_worked_out_is_not_known(opened: str) -> None:
    row = {"ExchangeSegment": "NSECM", "ExchangeInstrumentId": "2885", "ProductType": "MIS",
           "Quantity": "4", "BuyAveragePrice": "10", "UnrealizedMTM": opened}  # fmt: skip
    (position,) = await api_of(IIFL, lambda request: good([row])).positions()
    assert (position.ltp, position.pnl) == (0, 0)


@pytest.mark.parametrize(
    ("number", "symbol", "average", "opened", "price", "units"),
    [
        ("111", "CRUDEOIL18DEC25FUT", 5250.0, 500.0, 5255.0, 100),
        ("112", "GOLD05DEC25FUT", 120_000.0, 500.0, 120_005.0, 1000),
        ("999", "CRUDEOIL", 5250.0, 500.0, 5255.0, 100),  # not in the master
    ],
)
async def test_a_contract_earns_by_its_units_and_their_value(
    number: str, symbol: str, average: float, opened: float, price: float, units: int
) -> None:
    """At once, and with the first tick."""
    row = {"ExchangeSegment": "MCXFO", "ExchangeInstrumentId": number, "ProductType": "NRML",
           "TradingSymbol": "CRUDEOIL", "Quantity": "1", "BuyAveragePrice": str(average),
           "UnrealizedMTM": str(opened), "RealizedMTM": "7"}  # fmt: skip
    (position,) = await api_of(IIFL, lambda request: good([row])).positions()
    assert (position.symbol, position.quantity, position.ltp) == (symbol, units, price)
    assert (position.unrealised, position.realised_today) == (pytest.approx(opened), 7)
    position.ltp = price + 1
    assert position.pnl == pytest.approx(opened + 7 + 100)


def test_a_push_without_an_identifier_keeps_the_one_of_the_book() -> None:
    """A change of the order goes out with it."""
    api = api_of(IIFL)
    api.read_orders([ORDER])
    (pushed,) = api.read_orders([{**ORDER, "OrderUniqueIdentifier": "", "OrderPrice": 1491}])
    assert pushed.tag == "Otag"
    request = ModifyRequest("1100021001", 5, 1492.0, 0.0, PriceType.LIMIT, 0, "RELIANCE", "NSE")
    assert api.modify_context(request, api._seen["1100021001"])["tag"] == "Otag"


async def test_holdings_are_priced_by_quotes_and_stay_without_one() -> None:
    held = {"RMSHoldings": {"Holdings": {
        "INE1": {"ISIN": "INE1", "HoldingQuantity": 25, "BuyAvgPrice": 1402.35,
                 "ExchangeNSEInstrumentId": 2885, "ExchangeBSEInstrumentId": 500325},
        "INE2": {"ISIN": "INE2", "HoldingQuantity": 4, "BuyAvgPrice": 10.5,
                 "ExchangeNSEInstrumentId": -1, "ExchangeBSEInstrumentId": 512345},
    }}}  # fmt: skip
    line = {"LastTradedPrice": 1500.0, "LastTradedTime": 1448100899}
    quote_row = {"ExchangeSegment": 1, "ExchangeInstrumentID": 2885, "Touchline": line}

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/holdings"):
            return good(held)
        return good({"listQuotes": [json.dumps(quote_row), "no json"]})

    first, second = await api_of(IIFL, serve).holdings()
    assert (first.symbol, first.exchange, first.ltp) == ("RELIANCE", "NSE", 1500.0)
    assert (second.symbol, second.exchange, second.ltp) == ("INE2", "BSE", 0.0)

    def down(request: httpx.Request) -> httpx.Response:
        return good(held) if request.url.path.endswith("/holdings") else httpx.Response(502)

    assert [row.ltp for row in await api_of(IIFL, down).holdings()] == [0.0, 0.0]


async def test_funds_over_all_segments_and_nothing_yet() -> None:
    limits = {"netMarginAvailable": 5.5, "collateral": "1", "marginUtilized": "NaN"}
    entry = {"limitHeader": "ALL|ALL|ALL", "limitObject": {"RMSSubLimits": limits}}
    other = {"limitHeader": "CASH|ALL|ALL", "limitObject": {"RMSSubLimits": {"collateral": 9}}}
    for entries in ([other, entry], [entry]):
        api = api_of(IIFL, lambda request, e=entries: good({"BalanceList": e}))
        funds = await api.funds()
        assert (funds.available_cash, funds.collateral, funds.utilised) == (5.5, 1.0, 0.0)


async def test_a_margin_that_was_not_worked_out_is_an_error() -> None:
    leg = OrderRequest("RELIANCE", "NSE", "BUY", 1, product=Product.CNC)  # type: ignore[arg-type]
    details = {"IsValid": False, "ErrorMessage": "no span file", "MarginRequired": 0}
    api = api_of(RMONEY, lambda request: good({"brokerageDeatils": details}))
    with pytest.raises(ProtocolError, match="no span file"):
        await api.margin([leg])


async def test_a_dealer_names_his_client_everywhere() -> None:
    seen: list[str] = []

    def serve(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.params.get("clientID") or json.loads(request.content)["clientID"])
        return good({"AppOrderID": 7} if request.method == "POST" else [])

    api = api_of(IIFL, serve, dealer_client="C7")
    leg = OrderRequest("RELIANCE", "NSE", "BUY", 1, product=Product.CNC)  # type: ignore[arg-type]
    await api.place(leg, "Otag")
    await api.orders()
    await api.trades()
    assert seen == ["C7", "C7", "C7"]


# -- history --------------------------------------------------------------------------------
def candles(*stamps: str, interval: Interval) -> list[str]:
    """Beginnings of bars whose stamps are clock times of one day."""
    day = datetime(2025, 11, 20, tzinfo=IST)
    rows = []
    for text in stamps:
        at = datetime.combine(day.date(), datetime.strptime(text, "%H:%M:%S").time(), IST)
        rows.append(f"{int(at.timestamp()) + 19_800}|1|2|0.5|1.5|10|0|")
    found = api_of(IIFL).read_candles(",".join(rows), interval)
    return [datetime.fromtimestamp(row[0], IST).strftime("%H:%M") for row in found]


def test_bars_begin_where_they_begin() -> None:
    assert candles("09:15:59", "09:16:59", interval=Interval.M1) == ["09:15", "09:16"]
    assert candles("09:19:59", "09:24:59", interval=Interval.M5) == ["09:15", "09:20"]
    # Counted from the opening, the last one short; or by the clock.
    opening = candles("10:14:59", "11:14:59", "15:14:59", "15:29:59", interval=Interval.H1)
    assert opening == ["09:15", "10:15", "14:15", "15:15"]
    clock = candles("09:59:59", "10:59:59", "14:59:59", interval=Interval.H1)
    assert clock == ["09:00", "10:00", "14:00"]
    assert candles("09:44:59", "10:14:59", interval=Interval.M30) == ["09:15", "09:45"]


async def test_a_bar_does_not_begin_before_the_market() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        at = datetime(2025, 11, 20, 9, 59, 59, tzinfo=IST)
        rows = [f"{int(at.timestamp()) + 19_800 + 3600 * n}|1|2|0.5|1.5|10|0|" for n in range(3)]
        return good({"dataReponse": ",".join(rows)})

    day = date(2025, 11, 20)
    bars = await api_of(IIFL, serve).history(("NSE", "RELIANCE"), Interval.H1, day, day)
    times = [datetime.fromtimestamp(t, IST).strftime("%H:%M") for t in bars.time.tolist()]
    assert times == ["09:15", "10:00", "11:00"]


async def test_long_history_is_read_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a market opens is asked once a day, and not by the loop."""
    asked: list[tuple[date, bool]] = []
    regular = MarketCalendar.regular_session

    def spy(exchange: str, day: date) -> Any:
        asked.append((day, threading.current_thread() is threading.main_thread()))
        return regular(exchange, day)

    monkeypatch.setattr(MarketCalendar, "regular_session", spy)
    first = datetime(2025, 11, 20, 9, 4, 59, tzinfo=IST)
    stamps = [int(first.timestamp()) + 19_800 + 300 * n for n in range(75)]
    text = ",".join(f"{stamp}|1|2|0.5|1.5|10|0|" for stamp in stamps)
    api = api_of(IIFL, lambda request: good({"dataReponse": text}))
    day = date(2025, 11, 20)
    bars = await api.history(("NSE", "RELIANCE"), Interval.M5, day, day)
    assert len(bars) == 75
    assert asked == [(day, False)]


async def test_history_is_asked_in_whole_days_without_a_gap() -> None:
    asked: list[tuple[str, str]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        params = request.url.params
        asked.append((params["startTime"], params["endTime"]))
        return good({"dataReponse": ""})

    api = api_of(IIFL, serve)
    api.rest.limiter = type(api.rest.limiter)({}, lambda: 0.0)
    first, last = date(2025, 11, 1), date(2025, 11, 15)
    await api.history(("NSE", "RELIANCE"), Interval.M5, first, last)
    assert asked == [
        ("Nov 01 2025 000000", "Nov 07 2025 235959"),
        ("Nov 08 2025 000000", "Nov 14 2025 235959"),
        ("Nov 15 2025 000000", "Nov 15 2025 235959"),
    ]
    assert len(MONTHS) == 12


async def test_an_odd_candle_costs_itself() -> None:
    text = (
        "1763630099|1|2|0.5|1.5|10|0|,nonsense,1763630399|1|2|NaN|1.5|10|0|,1763630699|1|2|1|1|1|0|"
    )
    rows = list(api_of(IIFL).read_candles(text, Interval.M5))
    assert len(rows) == 2


# -- masters --------------------------------------------------------------------------------
def master(name: str) -> Any:
    return next(file for file in IIFL.spec.master.files if file.name == name)


FUTURE = "NSEFO|37054|1|NIFTY|NIFTY25NOVFUT|FUTIDX|NIFTY-FUTIDX|1|2|1|1801|0.1|75|1|-1|Nifty 50|"
OPTION = (
    "NSEFO|57700|2|NIFTY|NIFTY25NOV26000CE|OPTIDX|NIFTY-OPTIDX|1|2|1|1801|0.05|75|1|-1|Nifty 50|"
)


def test_futures_with_and_without_strike_columns(tmp_path: Path) -> None:
    lines = [
        FUTURE + "2025-11-25T14:30:00|NIFTY 25NOV2025|1|1|NIFTY25NOVFUT",
        FUTURE.replace("37054", "37055") + "2025-12-30T14:30:00|0|1|NIFTY 30DEC2025|1|1|X",
        OPTION + "2025-11-25T14:30:00|812.5|4|NIFTY 25NOV2025 PE 812.5|1|1|X",
        OPTION.replace("|2|NIFTY|", "|4|NIFTY|") + "2025-11-25T14:30:00|1|3|a spread|1|1|X",
    ]
    place = tmp_path / "nsefo"
    place.write_text(json.dumps({"type": "success", "result": "\n".join(lines)}))
    rows = read_file(IIFL.spec.master, master("NSEFO"), place)
    assert [(row.symbol, row.instrument_type, row.strike) for row in rows] == [
        ("NIFTY25NOV25FUT", "FUT", 0.0),
        ("NIFTY30DEC25FUT", "FUT", 0.0),
        ("NIFTY25NOV25812.5PE", "PE", 812.5),
    ]
    assert rows[0].freeze_qty == 1801 and rows[0].lot_size == 75


def test_contracts_of_mcx_have_their_size(tmp_path: Path) -> None:
    line = ("MCXFO|1|1|CRUDEOIL|CRUDEOIL25DECFUT|FUTCOM|CRUDEOIL-FUTCOM|1|2|1|0|1|1|100|-1|"
            "CRUDEOIL|2025-12-18T23:30:00|CRUDEOIL 18DEC2025|1|1|X")  # fmt: skip
    place = tmp_path / "mcx"
    place.write_text(json.dumps({"result": line}))
    (row,) = read_file(IIFL.spec.master, master("MCXFO"), place)
    assert (row.lot_size, row.contract_value) == (100, 1.0)


def test_series_of_shares_and_indices(tmp_path: Path) -> None:
    tail = "1|0|0|1|0.05|1|1|{0}|INE0|1|1|X|0|-1|-1"
    lines = [
        "NSECM|1|8|AAA|AAA-EQ|EQ|AAA-EQ|" + tail.format("AAA"),
        "NSECM|2|8|BBB|BBB-BE|BE|BBB-BE|" + tail.format("BBB"),
        "NSECM|3|8|CCC|CCC-N1|N1|CCC-N1|" + tail.format("CCC"),
    ]
    place = tmp_path / "nsecm"
    place.write_text(json.dumps({"result": "\n".join(lines)}))
    rows = read_file(IIFL.spec.master, master("NSECM"), place)
    assert [(row.symbol, row.instrument_type) for row in rows] == [("AAA", "EQ"), ("BBB", "EQ")]
    index = read_index({"value": "NIFTY BANK_26001"}, master("index-1"))
    assert index is not None and (index.symbol, index.token) == ("BANKNIFTY", "26001")
    with pytest.raises(ValueError, match="no number"):
        read_index({"value": "NIFTY"}, master("index-1"))
    assert read_row is IIFL.spec.master.reader
