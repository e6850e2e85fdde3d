"""The samples: each is driven over a day of bars that was made for it, without a process."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from openalgo_desktop.automation.host.catalog import samples
from openalgo_desktop.core.clock import IST

OPEN = datetime(2026, 11, 24, 9, 15, tzinfo=IST)


class Bars:
    """Bars by symbol; time goes on by ``shown``."""

    def __init__(self, minutes: int, **closes: list[float]) -> None:
        self._minutes = minutes
        self._closes = closes
        self.shown = 1

    def of(self, symbol: str) -> Any:
        closes = self._closes[symbol][: self.shown]
        columns = {
            "close": closes,
            "high": [close + 0.5 for close in closes],
            "low": [close - 0.5 for close in closes],
        }
        times = [OPEN + timedelta(minutes=self._minutes * n) for n in range(len(closes))]
        return type("Frame", (), {"index": times, "__getitem__": lambda _, name: columns[name]})()


class Client:
    """The public client, as far as samples use it; positions become what is asked for."""

    def __init__(self, bars: Bars) -> None:
        self.bars = bars
        self.held: dict[str, int] = {}
        self.orders: list[tuple[int, str, int]] = []  # bar, symbol, position
        self.refuse = ""

    def history(self, *, symbol: str, **_: Any) -> Any:
        return self.bars.of(symbol)

    def openposition(self, *, symbol: str, **_: Any) -> dict[str, Any]:
        return {"status": "success", "quantity": str(self.held.get(symbol, 0))}

    def placesmartorder(self, *, symbol: str, position_size: int, **_: Any) -> dict[str, str]:
        if symbol == self.refuse:
            return {"status": "error", "message": "no margin"}
        if not position_size and not self.held.get(symbol):
            raise AssertionError("without a position this is an entry")
        if self.held.get(symbol, 0) != position_size:
            self.orders.append((self.bars.shown, symbol, position_size))
        self.held[symbol] = position_size
        return {"status": "success", "orderid": "1"}


def load(name: str) -> ModuleType:
    path = samples.path_of(name)
    entry = path / "main.py" if path.is_dir() else path
    spec = importlib.util.spec_from_file_location(f"sample_{name}", entry)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def wave(*parts: tuple[float, int]) -> list[float]:
    """Prices from 100 on that rise by so much in each of so many bars."""
    prices = [100.0]
    for slope, count in parts:
        for _ in range(count):
            prices.append(prices[-1] + slope)
    return prices


def test_there_are_six() -> None:
    assert [row.name for row in samples.samples()] == [
        "moving_average_cross",
        "opening_range_breakout",
        "pairs",
        "short_straddle",
        "supertrend",
        "tick_printer",
    ]


def test_moving_average_cross() -> None:
    sample = load("moving_average_cross")
    client = Client(Bars(5, SBIN=wave((1, 40), (-1, 40), (1, 40))))
    held = 0
    for shown in range(1, 122):
        client.bars.shown = shown
        held = sample.step(client, held)
    sides = [position for _, _, position in client.orders]
    assert sides == [1, -1, 1]
    # 21 closed bars and one that is being made; then some bars after each turn at 41 and 81.
    turns = [bar for bar, _, _ in client.orders]
    assert turns[0] == 22 and 41 < turns[1] < 60 and 81 < turns[2] < 100
    assert sample.direction([1.0] * 30, 9, 21) == 0


def test_opening_range_breakout() -> None:
    sample = load("opening_range_breakout")
    closes = [100.0, 101.0, 100.0, 100.5, 102.0, 103.0, 98.0, 104.0, 104.0]
    client = Client(Bars(5, RELIANCE=closes))
    position, traded = 0, False
    seen = []
    for shown in range(1, len(closes) + 1):
        client.bars.shown = shown
        now = OPEN + timedelta(minutes=5 * shown)
        position, traded = sample.step(client, position, traded, now)
        seen.append(position)
    # Range 99.5 to 101.5; a close of 102 breaks it, 98 is the stop, and there is no second trade.
    assert seen == [0, 0, 0, 0, 0, 1, 1, 0, 0]
    assert sample.decide([(1, 0, 1)] * 3 + [(9, 8, 9)], 0, False, "14:00") == 1
    assert sample.decide([(1, 0, 1)] * 3 + [(9, 8, 9)], 1, True, "15:10") == 0
    assert sample.decide([(2, 1, 1)] * 3 + [(1, 0, 0.5)], 0, False, "14:00") == -1


def test_supertrend() -> None:
    sample = load("supertrend")
    client = Client(Bars(15, INFY=wave((2, 30), (-2, 30), (2, 30))))
    held = 0
    for shown in range(1, 92):
        client.bars.shown = shown
        held = sample.step(client, held)
    assert [position for _, _, position in client.orders] == [1, -1, 1]
    assert sample.supertrend([(2, 1, 1.5)] * 10, 10, 3.0) == 0


def test_pairs() -> None:
    sample = load("pairs")
    flat = [100.0 + (n % 2) * 0.1 for n in range(70)]
    first = flat + [104.0] * 3 + flat[:20]
    client = Client(Bars(15, HDFCBANK=first, ICICIBANK=[200.0] * len(first)))
    held, sizes = 0, (0, 0)
    for shown in range(1, len(first) + 1):
        client.bars.shown = shown
        held, sizes = sample.step(client, held, sizes)
    opened, closed = client.orders[:2], client.orders[2:]
    assert [(symbol, units) for _, symbol, units in opened] == [
        ("HDFCBANK", -480),
        ("ICICIBANK", 250),
    ]
    assert [(symbol, units) for _, symbol, units in closed] == [("HDFCBANK", 0), ("ICICIBANK", 0)]
    assert sample.z_score([1.0] * 60, [1.0] * 60, 60) is None


def test_a_pair_is_never_one_leg() -> None:
    sample = load("pairs")
    first = [100.0 + (n % 2) * 0.1 for n in range(60)] + [104.0] * 2
    client = Client(Bars(15, HDFCBANK=first, ICICIBANK=[200.0] * len(first)))
    client.bars.shown, client.refuse = len(first), "ICICIBANK"
    assert sample.step(client, 0, (0, 0))[0] == 0
    assert client.held == {"HDFCBANK": 0}


def test_a_pair_is_taken_up_after_a_restart_and_closed_at_the_end_of_the_day() -> None:
    sample = load("pairs")
    client = Client(Bars(15, HDFCBANK=[], ICICIBANK=[]))
    for units, told in (((0, 0), 0), ((-480, 250), -1), ((60, -32), 1), ((0, 7), -1)):
        client.held = dict(zip(("HDFCBANK", "ICICIBANK"), units, strict=True))
        held, sizes = sample.held_now(client)
        assert (held, sizes) == (told, (abs(units[0]), abs(units[1])))
        sample.close(client, held, sizes)
        assert set(client.held.values()) == {0}


@pytest.mark.parametrize("name", ["pairs", "opening_range_breakout", "supertrend"])
def test_what_is_held_is_asked_until_it_is_known(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing and not known are two things: who took the one for the other would enter again."""
    sample = load(name)
    client = Client(Bars(15))
    client.held["SBIN"] = -7
    known = client.openposition
    answers = iter([{"status": "error", "message": "is being read"}] * 2)
    monkeypatch.setattr(client, "openposition", lambda **of: next(answers, None) or known(**of))
    waits: list[float] = []
    monkeypatch.setattr(sample.stop, "wait", waits.append)
    assert sample.held_of(client, "SBIN") == -7 and waits == [2, 2]


def test_supertrend_closes_what_it_holds() -> None:
    sample = load("supertrend")
    client = Client(Bars(15, INFY=[]))
    client.held["INFY"] = 1
    assert sample.move(client, 1, 0) == 0 and client.held == {"INFY": 0}
    assert sample.move(client, 0, 0) == 0 and len(client.orders) == 1


class OptionClient:
    """Fills at 100 rupees; ``refuse`` the order with that number."""

    def __init__(self, refuse: int = 0) -> None:
        self.refuse = refuse
        self.strike: Callable[[], int] = lambda: 26000
        self.placed: list[dict[str, Any]] = []
        self.left: list[str] = []

    def expiry(self, **_: Any) -> dict[str, Any]:
        return {"status": "success", "data": ["24-NOV-26", "01-DEC-26"]}

    def optionsymbol(self, *, option_type: str, expiry_date: str, **_: Any) -> dict[str, Any]:
        symbol = f"NIFTY{expiry_date}{self.strike()}{option_type}"
        return {"status": "success", "symbol": symbol, "lotsize": 65}

    def placeorder(self, **order: Any) -> dict[str, Any]:
        self.placed.append(order)
        if len(self.placed) == self.refuse:
            return {"status": "error", "message": "no margin"}
        return {"status": "success", "orderid": str(len(self.placed))}

    def orderstatus(self, **_: Any) -> dict[str, Any]:
        data = {"order_status": "complete", "average_price": 100.0}
        return {"status": "success", "data": data}

    def cancelallorder(self, **_: Any) -> dict[str, Any]:
        self.left.append("cancelled")
        return {"status": "success"}

    def closeposition(self, **_: Any) -> dict[str, Any]:
        self.left.append("closed")
        return {"status": "success"}


def test_short_straddle() -> None:
    sample = load("short_straddle")
    client = OptionClient()
    assert sample.enter(client)
    told = [
        (o["symbol"], o["action"], o["quantity"], o.get("trigger_price"), o.get("price"))
        for o in client.placed
    ]
    assert told == [
        ("NIFTY24NOV2626000CE", "SELL", 65, None, None),
        ("NIFTY24NOV2626000CE", "BUY", 65, 130.0, 136.0),
        ("NIFTY24NOV2626000PE", "SELL", 65, None, None),
        ("NIFTY24NOV2626000PE", "BUY", 65, 130.0, 136.0),
    ]
    assert client.left == []
    assert [sample.due(at, False) for at in ("09:19", "09:20", "15:15")] == [
        "wait",
        "enter",
        "leave",
    ]
    assert sample.due("10:00", True) == "wait"


@pytest.mark.parametrize("refuse", [2, 3, 4])
def test_a_straddle_without_all_its_stops_is_closed(refuse: int) -> None:
    sample = load("short_straddle")
    client = OptionClient(refuse)
    assert not sample.enter(client)
    assert client.left == ["cancelled", "closed"]


def test_a_straddle_has_one_strike_where_the_index_moves_between_two_questions() -> None:
    sample = load("short_straddle")
    client = OptionClient()
    strikes = iter([26000, 26050, 26050, 26050])
    client.strike = lambda: next(strikes)
    assert sample.enter(client)
    sold = [order["symbol"] for order in client.placed if order["action"] == "SELL"]
    assert sold == ["NIFTY24NOV2626050CE", "NIFTY24NOV2626050PE"]
    client = OptionClient()
    client.strike = iter(range(26000, 27000, 50)).__next__
    assert not sample.enter(client) and client.placed == []


def test_a_straddle_that_crashed_does_not_enter_again_that_day(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for expected in (["SELL", "BUY", "SELL", "BUY"], []):
        sample = load("short_straddle")
        client = OptionClient()
        monkeypatch.setattr(sample, "api", lambda client=client, **_: client)
        monkeypatch.setattr(sample.Path, "home", lambda: tmp_path)
        monkeypatch.setattr(sample.signal, "signal", lambda *_: None)
        monkeypatch.setattr(sample, "datetime", AtTen)
        monkeypatch.setattr(sample.stop, "wait", lambda _, sample=sample: sample.stop.set())
        sample.main()
        assert [order["action"] for order in client.placed] == expected
        assert client.left == ["cancelled", "closed"]  # it was asked to end


class AtTen(datetime):
    """Ten o'clock of one day."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return OPEN + timedelta(minutes=45)


def test_tick_printer() -> None:
    sample = load("tick_printer")
    tick = {"exchange": "NSE", "symbol": "SBIN", "data": {"ltp": "812.5"}}
    assert sample.line(tick) == "NSE:SBIN 812.50"
