"""Recorded quotes of brokers that have no REST for them: subscribe, read the snapshot, give it
back (``Capabilities.feed_quotes``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from openalgo_desktop.brokers.kit.account.marketdata import padded
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.model import Key
from openalgo_desktop.core.ticks import Tick
from tests.wire.feed import Feed
from tests.wire.frames import frame_differences
from tests.wire.transports import plain
from tests.wire.uniform import depth, quote
from tests.wire.vectors import Prepared, VectorFile

OPS = ("quotes", "multiquotes", "depth")


def by_feed(broker: Broker, op: str) -> bool:
    """Whether the operation is answered by the market feed."""
    return broker.spec.capabilities.feed_quotes and op in OPS


async def feed_quotes(broker: Broker, file: VectorFile, ready: Prepared) -> tuple[Any, list[str]]:
    """The uniform result of a recorded case, and what was wrong with the frames that were sent.

    ``stream_in`` holds the packets of the feed; where it holds objects of the recorder's own,
    ``packets`` of the broker's ``steps.py`` makes packets of them.
    """
    feed, case = Feed(broker, file), ready.case
    line = feed.line("market")
    keys = _keys(case["input"])
    sent = await feed.sent(line, line.subscribe(dict.fromkeys(keys, max(line.spec.modes))))
    ticks = {
        (tick.exchange, tick.symbol): tick
        for tick in feed.play(line, _packets(feed, case))
        if isinstance(tick, Tick) and tick.mode >= FeedMode.QUOTE
    }
    sent += await feed.sent(line, line.unsubscribe(keys))
    problems = []
    if (recorded := case.get("frames_sent")) is not None:
        frames = plain(line.spec.transport, recorded)
        problems += frame_differences(frames, sent, ready, file.own_tags)
    levels = broker.spec.capabilities.depth_levels
    return _result(case["op"], keys, ticks, levels), problems


def _keys(given: Mapping[str, Any]) -> list[Key]:
    rows = given.get("symbols") or [given]
    return [(row["exchange"], row["symbol"]) for row in rows]


def _packets(feed: Feed, case: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    made = feed.wire.steps.packets
    if made is not None:
        return made(feed, case)
    given = case.get("stream_in") or ()
    if isinstance(given, list) and all({"text", "hex"} & set(packet) for packet in given):
        return given
    return ()


def _result(op: str, keys: list[Key], ticks: Mapping[Key, Tick], levels: int) -> Any:
    missing = {"error": "the feed sent no quote", "class": "DataError"}
    if op == "multiquotes":
        return {
            "rows": [
                {"exchange": exchange, "symbol": symbol}
                | ({"data": quote(tick)} if tick is not None else {"error": missing["error"]})
                for exchange, symbol in keys
                for tick in (ticks.get((exchange, symbol)),)
            ]
        }
    tick = ticks.get(keys[0])
    if tick is None or (op == "depth" and tick.depth is None):
        return missing
    return depth(padded(tick, levels)) if op == "depth" else quote(tick)
