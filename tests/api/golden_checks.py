"""Invariants of answers whose numbers are our own market's: what a rule cannot compare with the
recording is checked against what must hold, and against other answers of the same program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, ist_date
from openalgo_desktop.core.enums import Interval
from openalgo_desktop.resources import resource_text
from tests.api.golden_case import Case, fixture_rows, tick_sizes

#: Asks our program: endpoint and fields (the key is added), gives the decoded body.
Ask = Callable[[str, dict[str, Any]], Any]
Check = Callable[[Any, Case, Ask], Iterator[str]]

#: Money of a new paper account, rupees.
START = 10_000_000.0
_PAISA = 0.011
#: Rows of the position book are rounded each, sums once; rupees.
_ROUNDED = 0.04
#: Margin is reserved at the last price when the order was checked, a little off the fill.
_CHECKED_AT = 0.015
_SIGN = {"BUY": 1, "SELL": -1}
#: Times by which the value of a position or order may exceed its margin in the sandbox.
_LEVERAGE = {"equity_mis": 5.0, "futures": 10.0}
_DAY = 86_400
_SATURDAY = 5
_TICKER_QUERY = {"from": "start_date", "to": "end_date"}


def _calendar() -> MarketCalendar:
    return MarketCalendar.from_json(resource_text("calendar/holidays.json"))


# -- candles --------------------------------------------------------------------------------
def on_trading_days(rows: list[dict[str, Any]], exchange: str) -> list[dict[str, Any]]:
    """Recorded candles without those of holidays, and with days of special sessions, neither of
    which the stand-in broker knew."""
    calendar = _calendar()

    def trades(row: dict[str, Any]) -> bool:
        return calendar.session(exchange, ist_date(row["timestamp"])) is not None

    times = {row["timestamp"] for row in rows}
    if all(time % _DAY == 0 for time in times):
        every = range(min(times), max(times) + 1, _DAY)
        rows = rows + [
            {**rows[0], "timestamp": time}
            for time in every
            if time not in times and ist_date(time).weekday() >= _SATURDAY
        ]
    return sorted(filter(trades, rows), key=lambda row: row["timestamp"])


def asked(case: Case) -> dict[str, Any]:
    """What a ``history`` or ``ticker`` request asks, as fields of ``history``."""
    if case.endpoint.startswith("history"):
        return {name: value for name, value in case.fields.items() if name != "apikey"}
    exchange, _, symbol = case.path.partition("?")[0].rpartition("/")[2].partition(":")
    given = {_TICKER_QUERY.get(name, name): value for name, value in case.query.items()}
    given = {name: given[name] for name in ("interval", "start_date", "end_date") if name in given}
    return {"symbol": symbol, "exchange": exchange, "interval": "D", **given}


def candles(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Candles are possible, of the days asked, on the grid of their interval, on the tick; the
    same again when asked again, and over ``ticker`` what ``history`` says."""
    wanted = asked(case)
    rows = body["data"]
    again = ask("history", wanted)
    if again.get("data") != rows:
        yield f"candles differ from those of history: {again!r:.200}"
    tick = tick_sizes().get(f"{wanted['exchange']}:{wanted['symbol']}") or 0.01  # an index
    seconds = Interval(wanted["interval"]).seconds
    before = 0
    for row in rows:
        prices = [row[name] for name in ("open", "high", "low", "close")]
        if row["low"] != min(prices) or row["high"] != max(prices) or row["low"] <= 0:
            yield f"impossible candle {row}"
        if any(abs(price / tick - round(price / tick)) > 1e-6 for price in prices):
            yield f"candle off the tick {tick}: {row}"
        if row["volume"] < 0 or row["oi"] < 0:
            yield f"negative volume or open interest: {row}"
        day = ist_date(row["timestamp"]).isoformat()
        if not wanted["start_date"] <= day <= wanted["end_date"]:
            yield f"candle of {day}, asked {wanted['start_date']} to {wanted['end_date']}"
        if row["timestamp"] <= before:
            yield f"candles do not ascend at {row['timestamp']}"
        opening = _calendar().session(wanted["exchange"], ist_date(row["timestamp"]))
        if Interval(wanted["interval"]).is_intraday and (
            opening is None
            or not opening[0].timestamp() <= row["timestamp"] < opening[1].timestamp()
            or (row["timestamp"] - opening[0].timestamp()) % seconds
        ):
            yield f"candle outside the session or off the grid: {row['timestamp']}"
        before = row["timestamp"]
    yield from _made_of_smaller(rows, wanted, ask)


def _made_of_smaller(rows: list[Any], wanted: dict[str, Any], ask: Ask) -> Iterator[str]:
    """A candle holds what the minutes in it hold."""
    seconds = Interval(wanted["interval"]).seconds
    if (
        not rows
        or seconds <= 60
        or not Interval(wanted["interval"]).is_intraday
        or wanted["start_date"] != wanted["end_date"]
    ):
        return
    minutes = ask("history", {**wanted, "interval": "1m"})["data"]
    for row in rows:
        inside = [m for m in minutes if 0 <= m["timestamp"] - row["timestamp"] < seconds]
        made = (
            inside[0]["open"],
            max(m["high"] for m in inside),
            min(m["low"] for m in inside),
            inside[-1]["close"],
            sum(m["volume"] for m in inside),
        )
        if made != tuple(row[name] for name in ("open", "high", "low", "close", "volume")):
            yield f"{row} is not made of its minutes {made}"


def candle_lines(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """The lines of a ``ticker`` text are the candles of ``history``."""
    wanted = asked(case)
    rows = ask("history", wanted)["data"]
    daily = not Interval(wanted["interval"]).is_intraday
    lines = []
    for row in rows:
        at = datetime.fromtimestamp(row["timestamp"], UTC if daily else IST)
        stamp = at.strftime("%Y-%m-%d" if daily else "%Y-%m-%d,%H:%M:%S")
        prices = ",".join(str(row[n]) for n in ("open", "high", "low", "close", "volume"))
        lines.append(f"{wanted['exchange']}:{wanted['symbol']},{stamp},{prices}")
    if not lines or not "\n".join(lines).startswith(body["_text"]):
        yield f"lines are not those of history: {body['_text']!r:.200}"


# -- money ----------------------------------------------------------------------------------
def _times(exchange: str, symbol: str, product: str) -> float:
    if exchange in ("NSE", "BSE"):
        return _LEVERAGE["equity_mis"] if product == "MIS" else 1.0
    return _LEVERAGE["futures"] if symbol.endswith("FUT") else 1.0


def _blocked(row: dict[str, Any], quantity: float, price: float) -> float:
    return abs(quantity) * price / _times(row["exchange"], row["symbol"], row["product"])


def margin_of(body: Any, case: Case) -> Any:
    """The sandbox's margin table: value at the order's price, or the last one, over leverage. A
    leg with an unknown symbol counts nothing, as recorded."""
    prices = {(row["exchange"], row["symbol"]): row["ltp"] for row in fixture_rows()}
    total = 0.0
    for leg in case.fields["positions"]:
        price = float(leg.get("price") or 0) or prices.get((leg["exchange"], leg["symbol"]), 0.0)
        if (leg["exchange"], leg["symbol"]) in prices:
            total += _blocked(leg, float(leg["quantity"]), price)
    total = round(total, 2)
    body["data"] = {"total_margin_required": total, "span_margin": total, "exposure_margin": 0.0}
    return body


def paper_funds(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Cash and what is blocked are the starting money and what was realised; what is blocked is
    what the open positions and the resting orders need; the profit is that of the positions."""
    data = {name: float(value) for name, value in body["data"].items() if name in _NUMBERS}
    used, cash = data["utiliseddebits"], data["availablecash"]
    realised = data.get("total_realized_pnl", data["m2mrealized"])
    if abs(cash + used - START - realised) > _PAISA:
        yield f"cash {cash} and blocked {used} are not {START} and {realised} realised"
    book = ask("positionbook", {})
    orders = ask("orderbook", {})["data"]["orders"]
    held = {(row["symbol"], row["product"]): float(row["quantity"]) for row in book["data"]}
    wanted = sum(
        _blocked(row, float(row["quantity"]), float(row["average_price"])) for row in book["data"]
    ) + sum(
        _blocked(row, row["pending_quantity"], row["price"] or row["trigger_price"])
        for row in orders
        if row["order_status"] in ("open", "trigger pending")
        and held.get((row["symbol"], row["product"]), 0.0) * _SIGN[row["action"]] >= 0
    )
    if abs(used - wanted) > _CHECKED_AT * wanted + _PAISA:
        yield f"{used} is blocked, positions and orders need {wanted:.2f}"
    if abs(data["m2munrealized"] - book["total_unrealized_pnl"]) > _ROUNDED:
        yield f"unrealised {data['m2munrealized']}, positions say {book['total_unrealized_pnl']}"
    if abs(data["totalpnl"] - book["total_pnl_today"]) > _ROUNDED:
        yield f"profit {data['totalpnl']}, positions say {book['total_pnl_today']}"


_NUMBERS = (
    *("availablecash", "utiliseddebits", "m2mrealized", "m2munrealized", "totalpnl"),
    "total_realized_pnl",
)


def live_funds(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """The account's own sums agree with its positions."""
    data = {name: float(value) for name, value in body["data"].items()}
    rows = ask("positionbook", {})["data"]
    profit = sum(float(row["pnl"]) for row in rows)
    if abs(data["m2mrealized"] + data["m2munrealized"] - profit) > 0.02 * max(1, len(rows)):
        yield f"realised and unrealised of {data} are not the positions' {profit:.2f}"
    if abs(data["availablecash"] + data["utiliseddebits"] - START - data["m2mrealized"]) > _PAISA:
        yield f"cash and blocked of {data} are not {START} and what was realised"


# -- fills ----------------------------------------------------------------------------------
def fills(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """A buyer pays the ask, a seller gets the bid: one tick from the last price in the standing
    market of the replay."""
    prices = {row["symbol"]: (row["ltp"], row["tick_size"]) for row in fixture_rows()}
    for row in body["data"]:
        last, tick = prices[row["symbol"]]
        side = 1 if row["action"] == "BUY" else -1
        if abs(row["average_price"] - (last + side * tick)) > 1e-6:
            yield f"{row['action']} of {row['symbol']} at {row['average_price']}, last {last}"
        if abs(row["trade_value"] - row["average_price"] * row["quantity"]) > 1e-6:
            yield f"value of {row} is not quantity times price"


def exact_positions(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Averages and profits of the paper account are those of the trades, to the last decimal."""
    trades = sorted(ask("tradebook", {})["data"], key=lambda t: t["tradeid"])  # counted up
    for row in body["data"]:
        own = [t for t in trades if (t["symbol"], t["product"]) == (row["symbol"], row["product"])]
        units, cost, realised = 0.0, 0.0, 0.0
        for trade in own:
            signed = trade["quantity"] * _SIGN[trade["action"]]
            closing = min(abs(units), abs(signed)) if units * signed < 0 else 0.0
            side = 1.0 if units > 0 else -1.0
            if closing:
                share = cost * closing / abs(units)
                realised += side * (trade["price"] * closing - share)
                cost, units = cost - share, units - side * closing
            cost += trade["price"] * (abs(signed) - closing)
            units += (1.0 if signed > 0 else -1.0) * (abs(signed) - closing)
        average = round(cost / abs(units), 4) if units else 0.0
        if units != row["quantity"] or abs(row["average_price"] - average) > 1e-6:
            yield f"average of {row}, by its trades {units} at {average}"
        open_profit = row["ltp"] * units - cost * (1 if units > 0 else -1)
        if abs(row["unrealized_pnl"] - open_profit) > _PAISA:
            yield f"open profit of {row}, by its trades {open_profit:.4f}"
        if abs(row["today_realized_pnl"] - realised) > _PAISA * max(1, len(own)):
            yield f"realised of {row}, by its trades {realised:.4f}"
        if abs(row["pnl"] - row["unrealized_pnl"] - row["today_realized_pnl"]) > _PAISA:
            yield f"profit of {row} is not its parts"


def live_positions(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Profit is what the trades took and paid, open units at the last price, which is at most a
    tick from the standing one."""
    trades = ask("tradebook", {})["data"]
    prices = {row["symbol"]: (row["ltp"], row["tick_size"]) for row in fixture_rows()}
    for row in body["data"]:
        own = [t for t in trades if (t["symbol"], t["product"]) == (row["symbol"], row["product"])]
        cash = sum(t["trade_value"] * (1 if t["action"] == "SELL" else -1) for t in own)
        worth = float(row["quantity"]) * float(row["ltp"])
        if abs(cash + worth - float(row["pnl"])) > 0.02:
            yield f"profit of {row}, by its trades {cash + worth:.2f}"
        last, tick = prices[row["symbol"]]
        if abs(float(row["ltp"]) - last) > tick * 1.001:
            yield f"last price of {row}, the market stands at {last}"


def order_average(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """The average of an order is that of its trades."""
    data = body["data"]
    own = [t for t in ask("tradebook", {})["data"] if t["orderid"] == data["orderid"]]
    units = sum(t["quantity"] for t in own)
    average = sum(t["trade_value"] for t in own) / units if units else 0.0
    if abs(average - float(data["average_price"])) > 1e-6:
        yield f"average {data['average_price']}, by the trades {average}"


def all_cancelled(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """What is listed is cancelled, the message counts it, and nothing works any more."""
    status = {o["orderid"]: o["order_status"] for o in ask("orderbook", {})["data"]["orders"]}
    ids = body["canceled_orders"]
    if len(set(ids)) != len(ids) or any(status.get(one) != "cancelled" for one in ids):
        yield f"{ids} are not all cancelled: {status}"
    if body["message"] != f"Canceled {len(ids)} orders. Failed to cancel 0 orders.":
        yield f"message {body['message']!r} of {len(ids)} orders"
    if {"open", "trigger pending"} & set(status.values()):
        yield f"orders still work: {status}"


# -- others ---------------------------------------------------------------------------------
_IDENTITY = ("symbol", "exchange", "action", "product")


def changed(case: Case) -> str:
    """Which field of identity a change names otherwise than its order, in the words of the
    refusal; empty for none."""
    name = str(case.fields.get("orderid") or case.fields.get("trigger_id") or "").strip("{}")
    placed = next((row.fields for row in case.before if name and name in row.save), None)
    for field in _IDENTITY if placed else ():
        if field in case.fields and str(case.fields[field]).upper() != placed[field]:
            return (
                f"{field} cannot be changed on an existing order "
                f"({placed[field]} -> {case.fields[field]})"
            )
    return ""


def master_size() -> int:
    """Rows of the replay's symbol master."""
    return len(fixture_rows())


def all_instruments(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Each row of the symbol master once, as it was given to the program."""
    if "_text" in body:
        first = body["_text"].splitlines()[0]
        if not {"symbol", "exchange", "token", "lotsize"} <= set(first.split(",")):
            yield f"head of the file: {first!r}"
        return
    texts = ("symbol", "exchange", "brsymbol", "instrumenttype", "expiry")
    numbers = ("lotsize", "tick_size", "strike")

    def told(row: dict[str, Any]) -> tuple[Any, ...]:
        return (*(row[name] for name in texts), *(float(row[name]) for name in numbers))

    wanted, rows = sorted(map(told, fixture_rows())), sorted(map(told, body["data"]))
    if rows != wanted:
        yield f"rows differ from the master: {sorted(set(rows) ^ set(wanted))[:4]}"


def chain_sizes(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Sizes of a chain are the best levels of the book; one strike is asked."""
    leg = body["chain"][0]["ce"]
    book = ask("depth", {"symbol": leg["symbol"], "exchange": "NFO"})["data"]
    best = (book["bids"][0]["quantity"], book["asks"][0]["quantity"])
    if (leg["bid_qty"], leg["ask_qty"]) != best:
        yield f"sizes of {leg}, the book has {best}"


def _depth(body: Any, ask: Ask) -> Any:
    return ask("depth", {"symbol": body["symbol"], "exchange": body["exchange"]})["data"]


def stream_totals(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Totals of the stream are those of ``depth``."""
    data, book = body["data"], _depth(body, ask)
    ours = (data["total_buy_quantity"], data["total_sell_quantity"])
    if ours != (book["totalbuyqty"], book["totalsellqty"]):
        yield f"totals {ours}, depth has {book}"


def stream_interest(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Both spellings are the open interest of ``depth``."""
    data, book = body["data"], _depth(body, ask)
    if not data["oi"] == data["open_interest"] == book["oi"]:
        yield f"open interest {data['oi']}, {data['open_interest']}, depth has {book['oi']}"


def brokers(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """A list without repetitions, counted, with the brokers that this program has."""
    names = body["brokers"]
    if body["count"] != len(names) or len(set(names)) != len(names):
        yield f"count {body['count']} of {names}"
    if not {"openalgo", "simulator", "zerodha"} <= set(names):
        yield f"brokers are missing: {names}"


def retry_after(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Whole seconds, not longer than the longest window of a limit."""
    if not 1 <= body["retry_after"] <= 60:
        yield f"retry after {body['retry_after']}"


def answer(program_http: Any, key: str) -> Ask:
    """How checks ask our program."""

    def ask(endpoint: str, fields: dict[str, Any]) -> Any:
        given = {"apikey": key, **fields}
        content = json.dumps(given).encode()
        headers = {"Content-Type": "application/json"}
        _, text, _ = program_http.request("POST", f"/api/v1/{endpoint}", content, headers)
        return json.loads(text)

    return ask
