"""Recorded feeds, order streams, subscription frames and master rows of every vector file."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest

from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Tick
from tests.wire.compare import differences, request_differences, same_text
from tests.wire.feed import Feed, instrument_row, master_rows, tick_row
from tests.wire.harness import instrument
from tests.wire.rules import RULES
from tests.wire.test_recorded import REGISTRY, cases, without
from tests.wire.vectors import Prepared, VectorFile, prepare

_continuous: dict[str, tuple[Feed, Any]] = {}


def feed_of(file: VectorFile, case: dict[str, Any], section: str) -> Feed:
    """A fresh feed, or the one of the file whose packets build on earlier cases."""
    broker = REGISTRY.get(file.broker)
    if section != "subscribe" and file.data.get("stream_state") != "continuous":
        return Feed(broker, file)
    group = tuple(
        sorted(
            (s["exchange"], s["symbol"], s.get("mode") or "") for s in case.get("subscribed") or ()
        )
    )
    name = f"{file.path}:{section}"
    known = _continuous.get(name)
    if known is None or known[1] != group:
        known = _continuous[name] = (Feed(broker, file), group)
    return known[0]


@pytest.mark.parametrize(("file", "case"), cases("stream"))
def test_feed(file: VectorFile, case: dict[str, Any]) -> None:
    ready = prepare(file.broker, case, RULES)
    feed = feed_of(file, case, "stream")
    feed.codec.subscribe(feed.wanted(case.get("subscribed") or (), case.get("mode")))
    ticks = [tick_row(e) for e in feed.play(case["packets"]) if isinstance(e, Tick)]
    wanted = ready.case.get("expect")
    if wanted is None or ready.skip(("expect",)):
        return
    problems = tick_differences(wanted, ticks, ready, file, bool(case.get("subscribed_inferred")))
    assert not problems, "\n".join(problems) + f"\nticks: {ticks}\nfailures: {feed.failures}"


def tick_differences(
    wanted: list[dict[str, Any]],
    ticks: list[dict[str, Any]],
    ready: Prepared,
    file: VectorFile,
    inferred: bool,
) -> list[str]:
    """Recorded ticks against decoded ones; order matters within one symbol and mode."""
    left = list(ticks)
    found: list[str] = []
    for index, want in enumerate(wanted):
        match = next((t for t in left if _same_name(want, t)), None)
        if match is None:
            found.append(f"/expect/{index}: no tick for {want}")
            continue
        left.remove(match)
        firm = without(want, file.soft)
        found += differences(firm, match, case=ready, path=("expect", str(index)))
    if left and not inferred:
        found.append(f"not wanted: {left}")
    elif left:
        warnings.warn(f"{ready.case['id']}: {len(left)} more ticks", stacklevel=2)
    return found


def _same_name(want: dict[str, Any], tick: dict[str, Any]) -> bool:
    return all(
        want.get(name) is None or want[name] == tick[name]
        for name in ("symbol", "exchange", "mode")
    )


@pytest.mark.parametrize(("file", "case"), cases("order_stream"))
def test_order_update(file: VectorFile, case: dict[str, Any]) -> None:
    ready = prepare(file.broker, case, RULES)
    feed = feed_of(file, case, "order_stream")
    updates = feed.updates(feed.play(case["packets"]))
    wanted = ready.case.get("expect")
    if wanted is None or ready.skip(("expect",)):
        return
    firm = without(wanted, file.soft)
    problems = differences(firm, updates, case=ready, path=("expect",))
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(("file", "case"), cases("subscribe"))
def test_frames(file: VectorFile, case: dict[str, Any]) -> None:
    feed = feed_of(file, {}, "subscribe")
    given = case["input"]
    action = given["action"]
    frames: list[Any]
    # Every recorded frame counts, those over HTTP and the addresses too.
    wanted = [frame for frame in case["frames"] if "url" not in frame]
    for frame in case["frames"]:
        if "url" in frame:
            check_address(frame, file, feed)
    if action in ("connect", "order_connect"):
        frames = [*feed.codec.opened()]
    else:
        keys = feed.wanted(given["symbols"] or (), given["mode"])
        if action == "subscribe":
            frames = list(feed.codec.subscribe(keys))
        elif action == "unsubscribe":
            frames = list(feed.codec.unsubscribe(list(keys)))
        elif action == "heartbeat":
            frames = list(feed.codec.heartbeat())
        else:
            speak = getattr(feed.codec, "wire_action", None)
            if speak is None:
                raise AppError(f"the codec of {file.broker} cannot {action!r}")
            frames = list(speak(given))
    problems = frame_differences(wanted, frames)
    assert not problems, "\n".join(problems)


def check_address(frame: dict[str, Any], file: VectorFile, feed: Feed) -> None:
    """The recorded address of a feed, with the headers of its connection."""
    assert same_text(frame["url"], feed.address())
    stream = REGISTRY.get(file.broker).spec.stream
    assert stream is not None
    assert {name.lower() for name in frame.get("headers") or {}} <= {
        name.lower() for name in stream.headers
    }


def frame_differences(wanted: list[dict[str, Any]], frames: list[Any]) -> list[str]:
    """Recorded frames against those made; text that is JSON is compared as JSON, a subscription
    over HTTP as the request (a codec gives it as ``httpx.Request``)."""
    if len(wanted) != len(frames):
        return [f"{len(frames)} frames instead of {len(wanted)}: {frames}"]
    found = []
    for want, got in zip(wanted, frames, strict=True):
        if "http" in want:
            if isinstance(got, httpx.Request):
                found += request_differences(want["http"], got, Prepared({}), 0, set())
            else:
                found.append(f"{got!r} instead of the request {want['http']}")
            continue
        if "hex" in want:
            if not isinstance(got, bytes) or got != bytes.fromhex(want["hex"]):
                found.append(f"{got!r}, wanted {want['hex']}")
            continue
        text = want.get("text", want.get("topic", "")) + want.get("terminator", "")
        plain = got.decode() if isinstance(got, bytes) else got
        if isinstance(got, bytes) != (want.get("opcode") == "binary"):
            found.append(f"{got!r} is in the wrong kind of frame")
        try:
            found += differences(json.loads(text), json.loads(plain), wire=True)
        except ValueError:
            if not same_text(text, plain):
                found.append(f"{plain!r}, wanted {text!r}")
    return found


@pytest.mark.parametrize(("file", "case"), cases("symbol_master"))
def test_master(file: VectorFile, case: dict[str, Any], tmp_path: Path) -> None:
    ready = prepare(file.broker, case, RULES)
    wanted = ready.case.get("expect")
    if wanted is None or ready.skip(("expect",)):
        return
    rows = master_rows(REGISTRY.get(file.broker), ready.case, tmp_path)
    problems = []
    if len(rows) != len(wanted):
        problems.append(f"{len(rows)} rows instead of {len(wanted)}: {rows}")
    order = {(row["exchange"], row["symbol"]): i for i, row in enumerate(wanted)}
    rows.sort(key=lambda row: order.get((row["exchange"], row["symbol"]), len(order)))
    for index, (want, got) in enumerate(zip(wanted, rows, strict=False)):
        firm = dict(want)
        if want.get("instrumenttype") not in ("CE", "PE"):
            firm.pop("strike", None)
        token = firm.pop("token", None)
        if token is not None and str(token) != got["token"]:
            problems.append(f"/expect/{index}/token: {got['token']!r}, wanted {token!r}")
        problems += differences(firm, got, case=ready, path=("expect", str(index)))
    assert not problems, "\n".join(problems)


def test_symbol_table_reads_back() -> None:
    """The rows of a recording's own table survive the way through our instrument."""
    for file in {param.values[0].path: param.values[0] for param in cases("cases")}.values():
        for row in file.section("symbols"):
            again = instrument_row(instrument(row))
            assert (again["symbol"], again["token"]) == (row["symbol"], str(row["token"]))
