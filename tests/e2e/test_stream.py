"""The stream from outside: all modes on a live market, and order updates of scripts."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from websockets.asyncio.client import connect

from tests.e2e.driver import Program
from tests.e2e.stream import Stream

SYMBOLS = [
    {"symbol": "SBIN", "exchange": "NSE"},
    {"symbol": "NIFTY", "exchange": "NSE_INDEX"},
    {"symbol": "RELIANCE", "exchange": "BSE"},
]


async def test_all_modes_of_a_live_market(market: Program) -> None:
    async with connect(market.ws_url) as socket:
        stream = Stream(socket)
        await stream.log_in(market)
        for mode in (1, 2, 3):
            await stream.send(action="subscribe", symbols=SYMBOLS, mode=mode)
            answer = await stream.until("subscribe")
            assert answer["status"] == "success"
            assert {row["mode"] for row in answer["subscriptions"]} == {
                {1: "LTP", 2: "Quote", 3: "Depth"}[mode]
            }
        frames: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
        wanted = {(item["symbol"], mode) for item in SYMBOLS for mode in (1, 2, 3)}
        async with asyncio.timeout(60):
            while not all(len(frames[key]) >= 3 for key in wanted):
                frame = await stream.until("market_data")
                frames[frame["symbol"], frame["mode"]].append(frame["data"])
        for (symbol, mode), rows in frames.items():
            times = [row["timestamp"] for row in rows]
            assert times == sorted(times)
            for row in rows:
                assert row["ltp"] > 0
                if mode >= 2:
                    assert row["low"] <= row["ltp"] <= row["high"]
                    assert abs(row["change"] - (row["ltp"] - row["close"])) < 1e-6
                if mode == 3:
                    sides = row["depth"]
                    assert len(sides["buy"]) == len(sides["sell"]) == 5
                    if symbol != "NIFTY":
                        assert sides["buy"][0]["price"] < sides["sell"][0]["price"]
        prices = {row["ltp"] for row in frames["SBIN", 1]}
        while len(prices) < 2:  # it moves
            prices.add((await stream.until("market_data"))["data"]["ltp"])
        await stream.send(action="unsubscribe_all")
        answer = await stream.until("unsubscribe")
        assert len(answer["successful"]) == 9 and answer["failed"] == []
        await stream.send(action="ping", _pingId="quiet")
        assert (await stream.frame())["type"] == "pong"


async def test_order_updates_of_scripts(market: Program) -> None:
    async with connect(market.ws_url + "/ws") as socket:
        stream = Stream(socket)
        await stream.log_in(market)
        await stream.send(action="subscribe_orders", request_id=1)
        assert (await stream.until("subscribe_orders"))["request_id"] == 1
        order = {
            "strategy": "e2e",
            "symbol": "SBIN",
            "exchange": "NSE",
            "action": "BUY",
            "pricetype": "MARKET",
            "product": "MIS",
            "quantity": 5,
        }
        filled = (await asyncio.to_thread(market.call, "placeorder", **order))["orderid"]
        resting = (
            await asyncio.to_thread(
                market.call, "placeorder", **{**order, "pricetype": "LIMIT", "price": 100}
            )
        )["orderid"]
        await asyncio.to_thread(market.call, "cancelorder", orderid=resting, strategy="e2e")
        states: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
        while ("cancelled", 0, 5) not in states[resting] or not any(
            state[0] == "complete" for state in states[filled]
        ):
            frame = await stream.until("order_update")
            assert len(frame) == 18
            assert (frame["mode"], frame["broker"]) == ("analyze", "sandbox")
            states[frame["orderid"]].append(
                (frame["order_status"], frame["filled_quantity"], frame["pending_quantity"])
            )
        assert states[filled][0] == ("open", 0, 5)
        assert states[filled][-1] == ("complete", 5, 0)
        assert states[resting] == [("open", 0, 5), ("cancelled", 0, 5)]


async def test_order_updates_of_the_live_account(market: Program) -> None:
    order = {"symbol": "INFY", "exchange": "NSE", "action": "BUY", "product": "MIS"}
    async with connect(market.ws_url) as socket:
        stream = Stream(socket)
        await stream.log_in(market)
        await stream.send(action="subscribe_orders")
        await stream.until("subscribe_orders")
        await asyncio.to_thread(market.call, "analyzer/toggle", mode=False)
        try:
            answer = await asyncio.to_thread(
                market.call, "placeorder", strategy="e2e", pricetype="MARKET", quantity=2, **order
            )
        finally:
            await asyncio.to_thread(market.call, "analyzer/toggle", mode=True)
        frame = await stream.until("order_update")
        while frame["order_status"] != "complete":
            frame = await stream.until("order_update")
        assert (frame["mode"], frame["broker"]) == ("live", "simulator")
        assert (frame["orderid"], frame["filled_quantity"]) == (answer["orderid"], 2)
        assert frame["average_price"] > 0


async def test_subscriptions_outlive_a_broken_feed(frozen: Program) -> None:
    async with connect(frozen.ws_url) as socket:
        stream = Stream(socket)
        await stream.log_in(frozen)
        await stream.send(action="subscribe", symbol="SBIN", exchange="NSE", mode=3)
        await stream.until("market_data")
        try:
            await asyncio.to_thread(frozen.control, faults={"disconnect": True})
            await stream.send(action="get_broker_info")
            assert (await stream.until("broker_info"))["adapter_status"] == "disconnected"
            await stream.send(action="subscribe", symbol="TCS", exchange="NSE", mode=1)
            answer = await stream.until("subscribe")
            assert answer["status"] == "success"  # waits until the feed is back
            await stream.send(action="ping")
            assert (await stream.frame())["type"] == "pong"  # and no tick before it
        finally:
            await asyncio.to_thread(frozen.control, faults={"disconnect": False})
        seen = set()
        while len(seen) < 2:
            frame = await stream.until("market_data")
            seen.add((frame["symbol"], frame["mode"]))
        assert seen == {("SBIN", 3), ("TCS", 1)}
        await stream.send(action="get_broker_info")
        assert (await stream.until("broker_info"))["adapter_status"] == "connected"


async def test_two_clients_of_one_key_see_the_same_prices(market: Program) -> None:
    async with connect(market.ws_url) as one, connect(market.ws_url) as two:
        streams = [Stream(one), Stream(two)]
        for stream in streams:
            await stream.log_in(market)
            await stream.send(action="subscribe", symbol="SBIN", exchange="NSE", mode=1)
            await stream.until("subscribe")
        ticks: list[dict[int, float]] = [{}, {}]
        while len(common := ticks[0].keys() & ticks[1].keys()) < 3:  # one of them began earlier
            for stream, seen in zip(streams, ticks, strict=True):
                row = (await stream.until("market_data"))["data"]
                seen[row["timestamp"]] = row["ltp"]
        assert all(ticks[0][moment] == ticks[1][moment] for moment in common)
