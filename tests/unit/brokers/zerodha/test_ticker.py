"""The Kite ticker codec against recorded traffic and against frames that break its rules."""

from __future__ import annotations

import json
import random
import struct
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict

from openalgo_desktop.brokers.kit.feed.codec import Failure, OrderRow
from openalgo_desktop.brokers.zerodha.ticker import KiteCodec, divisor
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.enums import FeedMode
from openalgo_desktop.core.errors import ProtocolError, SessionExpired, SymbolUnknown
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.ticks import Tick
from tests.unit.brokers.zerodha.kite_frames import frame, packet, random_packets, token

VECTORS = json.loads(Path("tests/data/vectors/wire/zerodha.json").read_text("utf-8"))
MODES = {"ltp": FeedMode.LTP, "quote": FeedMode.QUOTE, "depth": FeedMode.DEPTH}


@pytest.fixture
def codec() -> KiteCodec:
    table = InstrumentTable()
    table.load(
        Instrument(
            symbol=row["symbol"],
            exchange=row["exchange"],
            token=row["token"],
            brsymbol=row["brsymbol"],
        )
        for row in VECTORS["symbols"]
    )
    return KiteCodec(table, ManualClock(datetime.fromisoformat(VECTORS["clock"])))


def known(*instruments: tuple[str, str, int]) -> KiteCodec:
    """A codec that has subscribed (exchange, symbol, token)."""
    table = InstrumentTable()
    table.load(Instrument(symbol=s, exchange=e, token=f"{t}::::1") for e, s, t in instruments)
    made = KiteCodec(table, ManualClock(datetime(2026, 12, 1, 13, 30, tzinfo=IST)))
    made.subscribe({(e, s): FeedMode.DEPTH for e, s, _ in instruments})
    return made


def wanted_ticks(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Expected ticks after the checkable deviations; unchecked fields are left out."""
    ticks: list[dict[str, Any]] = json.loads(json.dumps(case["expect"]))
    for deviation in case["deviation"] or ():
        parts = deviation["field"].split("/")[2:]
        targets = ticks if parts[0] == "*" else [ticks[int(parts[0])]]
        for tick in targets:
            if deviation["checkable"] and deviation["should_be"] != "$absent":
                tick[parts[1]] = deviation["should_be"]
            else:
                tick.pop(parts[1], None)
    return ticks


@pytest.mark.parametrize("case", VECTORS["stream"], ids=lambda case: case["id"])
def test_recorded_packets(codec: KiteCodec, case: dict[str, Any]) -> None:
    codec.subscribe({(s["exchange"], s["symbol"]): MODES[s["mode"]] for s in case["subscribed"]})
    ticks = [t for p in case["packets"] for t in codec.decode(bytes.fromhex(p["hex"]))]
    wanted = wanted_ticks(case)
    assert len(ticks) == len(wanted)
    for tick, want in zip(ticks, wanted, strict=True):
        assert isinstance(tick, Tick)
        assert tick.mode is MODES[want["mode"]]
        for name, value in want.items():
            if name in ("mode", "ltt", "timestamp"):  # times are soft in the vectors
                continue
            if name == "depth":
                assert tick.depth is not None
                for side in ("buy", "sell"):
                    levels = [asdict(level) for level in getattr(tick.depth, side)]
                    assert levels == value[side]
                continue
            assert getattr(tick, name) == value, name


def test_times_of_a_full_packet_are_milliseconds(codec: KiteCodec) -> None:
    case = next(c for c in VECTORS["stream"] if c["id"] == "full_sbin")
    codec.subscribe({("NSE", "SBIN"): FeedMode.DEPTH})
    (tick,) = codec.decode(bytes.fromhex(case["packets"][0]["hex"]))
    assert isinstance(tick, Tick)
    assert tick.ltt == 0x6B0E7E76 * 1000  # last trade time, offset 44
    assert tick.timestamp == 1_796_112_000_000  # our clock
    assert (tick.bid, tick.bid_quantity, tick.ask, tick.ask_quantity) == (812.3, 5, 812.35, 172)


@pytest.mark.parametrize("case", VECTORS["subscribe"], ids=lambda case: case["id"])
def test_recorded_requests(codec: KiteCodec, case: dict[str, Any]) -> None:
    request = case["input"]
    keys = [(s["exchange"], s["symbol"]) for s in request["symbols"]]
    if request["action"] == "connect":
        assert list(codec.opened()) == []  # the address logs in
        return
    if request["action"] == "subscribe":
        frames = codec.subscribe(dict.fromkeys(keys, MODES[request["mode"]]))
    else:
        frames = codec.unsubscribe(keys)
    assert [json.loads(f) for f in frames] == [json.loads(f["text"]) for f in case["frames"]]


def test_modes_of_one_call_are_sent_apart() -> None:
    codec = known(("NSE", "A", 257), ("NSE", "B", 513), ("NSE", "C", 769))
    frames = codec.subscribe(
        {("NSE", "A"): FeedMode.DEPTH, ("NSE", "B"): FeedMode.LTP, ("NSE", "C"): FeedMode.DEPTH}
    )
    assert [json.loads(f) for f in frames] == [
        {"a": "subscribe", "v": [513]},
        {"a": "mode", "v": ["ltp", [513]]},
        {"a": "subscribe", "v": [257, 769]},
        {"a": "mode", "v": ["full", [257, 769]]},
    ]


@pytest.mark.parametrize(
    ("segment", "rupees"), [(1, 123456.78), (3, 1.2345678), (6, 1234.5678), (12, 1234.5678)]
)
def test_divisor_of_the_segment(segment: int, rupees: float) -> None:
    instrument = token(77, segment)
    codec = known(("CDS", "X", instrument))
    (tick,) = codec.decode(frame([struct.pack(">Ii", instrument, 12345678)]))
    assert isinstance(tick, Tick)
    assert tick.ltp == pytest.approx(rupees, rel=1e-12)
    assert divisor(instrument) * rupees == pytest.approx(12345678)


def test_one_frame_may_mix_kinds_and_unknown_tokens() -> None:
    packets = random_packets(60, seed=5)
    tokens = [struct.unpack_from(">I", p)[0] for p in packets]
    codec = known(*(("NSE", f"S{n}", t) for n, t in enumerate(tokens) if n % 3))
    ticks = list(codec.decode(frame(packets)))
    assert [t.symbol for t in ticks if isinstance(t, Tick)] == [f"S{n}" for n in range(60) if n % 3]
    assert len(ticks) == 40


@pytest.mark.parametrize("cut", [3, 7, 9, 40, 190, 400])
def test_truncated_frame_keeps_the_whole_packets(cut: int) -> None:
    rng = random.Random(1)
    first, second = token(1, 1), token(2, 1)
    codec = known(("NSE", "A", first), ("NSE", "B", second))
    whole = frame([packet("full", first, rng), packet("full", second, rng)])
    events = list(codec.decode(whole[:cut] if cut < len(whole) else whole[:-1]))
    assert isinstance(events[-1], Failure)
    assert isinstance(events[-1].error, ProtocolError)
    ticks = [e for e in events if isinstance(e, Tick)]
    assert [t.symbol for t in ticks] == (["A"] if cut > 188 else [])


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=600), st.integers(0, 3))
def test_no_frame_breaks_the_codec(noise: bytes, kind: int) -> None:
    """Random bytes, and good frames with random bytes written into them."""
    codec = known(("NSE", "A", token(1, 1)))
    frames = [noise]
    if kind:
        good = bytearray(frame(random_packets(4, seed=len(noise))))
        at = len(noise) % max(1, len(good))
        good[at : at + kind * 7] = noise[: kind * 7]
        frames = [bytes(good)]
    for data in frames:
        for event in codec.decode(data):
            assert isinstance(event, Tick | Failure)


def test_unknown_packet_length_is_reported_and_skipped() -> None:
    one = token(1, 1)
    codec = known(("NSE", "A", one))
    odd = struct.pack(">I", one) + bytes(12)
    good = struct.pack(">Ii", one, 5000)
    failure, tick = codec.decode(frame([odd, good]))
    assert isinstance(failure, Failure) and "16 bytes" in failure.error.message
    assert isinstance(tick, Tick) and tick.ltp == 50.0


def test_ticks_stop_after_unsubscribe() -> None:
    one = token(1, 1)
    codec = known(("NSE", "A", one))
    good = frame([struct.pack(">Ii", one, 5000)])
    assert len(list(codec.decode(good))) == 1
    codec.unsubscribe([("NSE", "A")])
    assert list(codec.decode(good)) == []


def test_symbol_without_a_kite_token_is_refused() -> None:
    table = InstrumentTable()
    table.load([Instrument(symbol="A", exchange="NSE", token="NSE|A")])
    codec = KiteCodec(table, ManualClock(datetime(2026, 12, 1, tzinfo=IST)))
    with pytest.raises(SymbolUnknown):
        codec.subscribe({("NSE", "A"): FeedMode.LTP})


@pytest.mark.parametrize("case", VECTORS["order_stream"], ids=lambda case: case["id"])
def test_order_postbacks(codec: KiteCodec, case: dict[str, Any]) -> None:
    events = [e for p in case["packets"] for e in codec.decode(p["text"])]
    assert len(events) == len(case["expect"])
    for event, want in zip(events, case["expect"], strict=True):
        assert isinstance(event, OrderRow)
        assert event.row["order_id"] == want["orderid"]
        assert event.row["tradingsymbol"] == want["symbol"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"type":"error","data":"Invalid session token"}', SessionExpired),
        ('{"type":"error","data":"too many instruments"}', ProtocolError),
        ("{not json", ProtocolError),
    ],
)
def test_error_texts(codec: KiteCodec, text: str, kind: type[Exception]) -> None:
    (event,) = codec.decode(text)
    assert isinstance(event, Failure)
    assert type(event.error) is kind


@pytest.mark.parametrize("text", ['{"type":"message","data":"hi"}', "[]", "5", '{"a":1}'])
def test_other_texts_are_ignored(codec: KiteCodec, text: str) -> None:
    assert list(codec.decode(text)) == []
