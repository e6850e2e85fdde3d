"""Invariants of answers whose numbers are our own market's: what a rule cannot compare with the
recording is checked against what must hold, and against other answers of the same program."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.core.calendar import MarketCalendar
from openalgo_desktop.core.clock import IST, ist_date
from openalgo_desktop.core.enums import Interval
from tests.api.golden_case import TEXT_KEPT, Case, fixture_rows, tick_sizes
from tests.api.golden_times import RECORDED_AT

#: Asks our program: endpoint and fields (the key is added), gives the decoded body.
Ask = Callable[[str, dict[str, Any]], Any]
Check = Callable[[Any, Case, Ask], Iterator[str]]

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


def candle_frame(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """What the public client shows are the candles of ``history``."""
    rows = ask("history", case.fields)["data"]
    frame = body["_dataframe"]
    if frame["rows"] != len(rows):
        yield f"{frame['rows']} rows, history has {len(rows)}"
    for shown, row in zip(frame["head"], rows, strict=False):
        at = datetime.fromisoformat(shown["timestamp"].rstrip("Z")).replace(tzinfo=UTC)
        wanted = {**row, "timestamp": shown["timestamp"]}
        if at.timestamp() != row["timestamp"] or wanted != shown:
            yield f"{shown} is shown for {row}"


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
    grid = _grid(wanted)
    if grid is not None and [row["timestamp"] for row in rows] != grid:
        yield f"{len(rows)} candles of a day that has {len(grid)}"
    yield from _made_of_smaller(rows, wanted, ask)
    yield from _day_of_minutes(rows, wanted, ask)


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


def _grid(wanted: dict[str, Any]) -> list[int] | None:
    """Every bar of one past day; None where no single day is asked."""
    day = date.fromisoformat(wanted["start_date"])
    seconds = Interval(wanted["interval"]).seconds
    if wanted["start_date"] != wanted["end_date"] or day >= RECORDED_AT.date():
        return None
    session = _calendar().session(wanted["exchange"], day)
    if session is None or not Interval(wanted["interval"]).is_intraday:
        return None
    return list(range(int(session[0].timestamp()), int(session[1].timestamp()), seconds))


def _day_of_minutes(rows: list[Any], wanted: dict[str, Any], ask: Ask) -> Iterator[str]:
    """A day holds what its minutes hold."""
    if wanted["interval"] != "D" or not rows:
        return
    row = rows[0]
    day = ist_date(row["timestamp"]).isoformat()
    ranged = {"interval": "1m", "start_date": day, "end_date": day}
    inside = ask("history", {**wanted, **ranged})["data"]
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
    whole = "\n".join(lines)
    if not lines or body["_text"].rstrip("\n") != whole[:TEXT_KEPT].rstrip("\n"):
        yield f"lines are not those of history: {body['_text']!r:.200}"


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
    texts = ("symbol", "exchange", "brsymbol", "brexchange", "name", "instrumenttype", "expiry")
    numbers = ("lotsize", "tick_size", "strike")

    def told(row: dict[str, Any]) -> tuple[Any, ...]:
        token = row.get("token") or f"{row['itoken']}::::{row['etoken']}"
        values = (float(row[name]) for name in numbers)
        return (*(row[name] for name in texts), token, *values)

    wanted = sorted(map(told, fixture_rows()))
    if "_text" in body:  # the replay keeps the beginning of a long text: whole lines of it
        lines = body["_text"].splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        rows = sorted(map(told, csv.DictReader(whole)))
        if len(whole) < 3 or not set(rows) <= set(wanted):
            yield f"lines differ from the master: {sorted(set(rows) - set(wanted))[:4]}"
        return
    rows = sorted(map(told, body["data"]))
    if rows != wanted:
        yield f"rows differ from the master: {sorted(set(rows) ^ set(wanted))[:4]}"


def chain_sizes(body: Any, case: Case, ask: Ask) -> Iterator[str]:
    """Sizes of a chain are the best levels of the book."""
    for leg in (row[side] for row in body["chain"] for side in ("ce", "pe") if row[side]):
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
