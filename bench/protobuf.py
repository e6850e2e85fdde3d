"""Protocol Buffers of a feed: the ``protobuf`` runtime, which the kit uses, against a reader of our
own in Python, on recorded packets; and what the runtime costs at the start.

    .venv/bin/python bench/protobuf.py [--seconds 1.0]

*read* takes a packet apart, *tick* also fetches the values that a tick needs, as a codec does
(the runtime makes them only then). Processor time, the best of some rounds.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from struct import Struct
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.unit.brokers.kit.protobuf_tables import GROWW, UPSTOX  # noqa: E402

CASES = (
    ("upstox", "ltpc_two", UPSTOX, "FeedResponse"),
    ("upstox", "full_depth", UPSTOX, "FeedResponse"),
    ("groww", "quote_sbin", GROWW, "Response"),
    ("groww", "depth_sbin", GROWW, "Response"),
)
#: The runtime must be so much faster, or its start is not worth it.
RATIO = 1.5
START = """
import resource, time
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() // 1024
import openalgo_desktop.core.errors
before, began = rss(), time.process_time()
{}
print(time.process_time() - began, rss() - before)
"""
READY = "import openalgo_desktop.brokers.kit.feed.protobuf"
_double, _float = Struct("<d").unpack_from, Struct("<f").unpack_from
_ONE, _MANY, _MAP, _TEXT, _RAW = range(5)


def compiled(messages: Mapping[str, Any]) -> dict[str, dict[int, tuple[int, str, Any]]]:
    """Tables by the whole key of a field, for :func:`read`; kinds that the cases have."""
    tables: dict[str, dict[int, tuple[int, str, Any]]] = {name: {} for name in messages}
    wires = {"int32": 0, "int64": 0, "bool": 0, "double": 1, "float": 5}

    def entry(kind: str, name: str) -> tuple[int, tuple[int, str, Any]]:
        word, _, rest = kind.partition(" ")
        if word == "map":
            key, _, value = rest.partition(" ")
            sub = {}
            for number, (part, one) in enumerate((("key", key), ("value", value)), 1):
                wire, made = entry(one, part)
                sub[number << 3 | wire] = made
            return 2, (_MAP, name, sub)
        if word == "repeated":
            return 2, (_MANY, name, tables[rest])
        if kind in wires:
            return wires[kind], (_RAW, name, None)
        return 2, (_TEXT, name, None) if kind == "string" else (_ONE, name, tables[kind])

    for name, fields in messages.items():
        for number, (field, kind) in fields.items():
            wire, made = entry(kind, field)
            tables[name][number << 3 | wire] = made
    return tables


def varint(data: bytes, at: int, value: int) -> tuple[int, int]:
    """The rest of a number whose first byte was ``value``, and where it ends."""
    value, shift = value & 127, 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def read(  # noqa: PLR0912 (a call costs more than a branch)
    data: bytes, at: int, end: int, table: dict[int, tuple[int, str, Any]]
) -> dict[str, Any]:
    """A message as a dictionary: the reader of our own, without the care that an enemy asks for."""
    out: dict[str, Any] = {}
    while at < end:
        key = data[at]
        at += 1
        if key > 127:
            key, at = varint(data, at, key)
        field, wire = table.get(key), key & 7
        if wire == 1:
            if field is not None:
                out[field[1]] = _double(data, at)[0]
            at += 8
        elif wire == 0:
            value = data[at]
            at += 1
            if value > 127:
                value, at = varint(data, at, value)
                if value >> 63:
                    value -= 1 << 64
            if field is not None:
                out[field[1]] = value
        elif wire == 2:
            size = data[at]
            at += 1
            if size > 127:
                size, at = varint(data, at, size)
            stop = at + size
            if stop > end:
                raise ValueError
            if field is not None:
                kind, name, sub = field
                if kind == _ONE:
                    out[name] = read(data, at, stop, sub)
                elif kind == _MANY:
                    out.setdefault(name, []).append(read(data, at, stop, sub))
                elif kind == _TEXT:
                    out[name] = str(data[at:stop], "utf-8")
                else:
                    pair = read(data, at, stop, sub)
                    out.setdefault(name, {})[pair.get("key")] = pair.get("value")
            at = stop
        else:
            if field is not None:
                out[field[1]] = _float(data, at)[0]
            at += 4
    return out


def tick_of_dict(broker: str, message: dict[str, Any]) -> list[Any]:
    """What a tick takes from our reader's message."""
    if broker == "groww":
        if (price := message.get("stockLivePrice")) is not None:
            return [price.get(name, 0.0) for name in PRICES]
        depth = message["stocksMarketDepth"]
        return [
            [(level.get("price", 0.0), level.get("qty", 0.0)) for _, level in sorted(book.items())]
            for book in (depth.get("buyBook", {}), depth.get("sellBook", {}))
        ]
    out = []
    for key, feed in message.get("feeds", {}).items():
        full = feed.get("fullFeed", {}).get("marketFF")
        ltpc = (full or feed)["ltpc"]
        row = [key, *(ltpc.get(name, 0) for name in LTPC)]
        if full is not None:
            bar = next(bar for bar in full["marketOHLC"]["ohlc"] if bar["interval"] == "1d")
            row += [bar.get(name, 0.0) for name in BAR]
            row += [full.get(name, 0) for name in FULL]
            row += [
                [quote.get(name, 0) for name in QUOTE]
                for quote in full["marketLevel"]["bidAskQuote"]
            ]
        out.append(row)
    return out


def tick_of_message(broker: str, message: Any) -> list[Any]:
    """What a tick takes from the runtime's message."""
    if broker == "groww":
        if message.HasField("stockLivePrice"):
            price = message.stockLivePrice
            return [getattr(price, name) for name in PRICES]
        depth = message.stocksMarketDepth
        return [
            [(level.price, level.qty) for _, level in sorted(book.items())]
            for book in (depth.buyBook, depth.sellBook)
        ]
    out = []
    for key, feed in message.feeds.items():
        full = feed.fullFeed.marketFF if feed.HasField("fullFeed") else None
        ltpc = (full or feed).ltpc
        row = [key, *(getattr(ltpc, name) for name in LTPC)]
        if full is not None:
            bar = next(bar for bar in full.marketOHLC.ohlc if bar.interval == "1d")
            row += [getattr(bar, name) for name in BAR]
            row += [getattr(full, name) for name in FULL]
            row += [
                [getattr(quote, name) for name in QUOTE] for quote in full.marketLevel.bidAskQuote
            ]
        out.append(row)
    return out


LTPC, BAR = ("ltp", "ltt", "ltq", "cp"), ("open", "high", "low", "close")
FULL, QUOTE = ("atp", "vtt", "oi", "tbq", "tsq"), ("bidP", "bidQ", "askP", "askQ")
PRICES = ("tsInMillis", "open", "high", "low", "close", "volume", "ltp", "openInterest")


def best(work: Callable[[], object], seconds: float) -> float:
    """Microseconds of processor time of one call, the best of the rounds."""
    found, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.process_time()
        for _ in range(500):
            work()
        found = min(found, (time.process_time() - began) / 500)
    return 1e6 * found


def start_cost() -> tuple[float, int]:
    """Seconds of processor time and KiB that the runtime adds to a process, least of five."""
    rows = []
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", START.format(READY)],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        cpu, memory = done.stdout.split()
        rows.append((float(cpu), int(memory)))
    return min(cpu for cpu, _ in rows), min(memory for _, memory in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure")
    seconds = parser.parse_args().seconds
    vectors = json.loads((ROOT / "tests/data/vectors/protobuf.json").read_text(encoding="utf-8"))
    print("microseconds a packet          bytes   own read   tick   runtime read   tick   ratio")
    worst = float("inf")
    for broker, case, schema, name in CASES:
        row = next(row for row in vectors[broker] if row["id"] == case)
        data = bytes.fromhex(row["packets"][0])
        table, parse = compiled(schema.messages)[name], schema.reader(name)

        def own(data: bytes = data, table: Any = table) -> dict[str, Any]:
            return read(data, 0, len(data), table)

        def runtime(data: bytes = data, parse: Any = parse) -> Any:
            return parse(data)

        assert tick_of_dict(broker, own()) == tick_of_message(broker, runtime())
        times = [
            best(own, seconds),
            best(lambda b=broker, own=own: tick_of_dict(b, own()), seconds),
            best(runtime, seconds),
            best(lambda b=broker, get=runtime: tick_of_message(b, get()), seconds),
        ]
        ratio = times[1] / times[3]
        worst = min(worst, ratio)
        print(
            f"{broker:10s}{case:18s}{len(data):8d}{times[0]:11.1f}{times[1]:7.1f}"
            f"{times[2]:15.1f}{times[3]:7.1f}{ratio:8.1f}"
        )
    cpu, memory = start_cost()
    print(f"start of the runtime: {1000 * cpu:.0f} ms of CPU, {memory / 1024:.1f} MiB")
    print(f"the least ratio {worst:.1f}, limit {RATIO}")
    return 0 if worst >= RATIO else 1


if __name__ == "__main__":
    raise SystemExit(main())
