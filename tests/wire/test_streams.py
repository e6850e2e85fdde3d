"""Recorded feeds, order streams, subscription frames and master rows of every vector file."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.core.ticks import Tick
from tests.wire.compare import differences
from tests.wire.feed import Feed, tick_row, views
from tests.wire.frames import address_differences, case_problems, history
from tests.wire.masters import (
    address_problems,
    asked,
    downloaded,
    instrument_row,
    master_requests,
    master_rows,
    sequence_problems,
)
from tests.wire.test_recorded import FILES, REGISTRY, cases, prepared, without
from tests.wire.uniform import instrument
from tests.wire.vectors import Prepared, VectorFile


@pytest.mark.parametrize(("file", "case"), cases("stream"))
def test_feed(file: VectorFile, case: dict[str, Any]) -> None:
    problems = tick_problems(REGISTRY.get(file.broker), file, prepared(file, case, "stream"))
    assert not problems, "\n".join(problems)


def tick_problems(broker: Broker, file: VectorFile, ready: Prepared) -> list[str]:
    """What is wrong with the ticks of a recorded case."""
    case, wanted = ready.case, ready.case.get("expect")
    if wanted is None or ready.skip(("expect",)):
        return []
    feed = Feed(broker, file)
    for earlier in history(file, "stream", case):
        stream_ticks(feed, earlier)
    ticks = stream_ticks(feed, case)
    found = tick_differences(wanted, ticks, ready, file, bool(case.get("subscribed_inferred")))
    return [*found, f"ticks: {ticks}", f"failures: {feed.failures}"] if found else []


def stream_ticks(feed: Feed, case: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The ticks of a recorded stream case, as each subscribed mode of an instrument sees them.
    Books that are deeper than usual may have a feed of their own."""
    books = [tick["depth"]["buy"] for tick in case.get("expect") or () if tick.get("depth")]
    mode = re.match(r"(\d+)_", str(case.get("raw_mode")))  # 20_DEPTH
    line = feed.line("market", max(map(len, books), default=int(mode[1]) if mode else None))
    subscribed = case.get("subscribed") or ()
    line.try_subscribe(feed.wanted(subscribed, case.get("mode")))
    modes: dict[Any, set[Any]] = {}
    for row in subscribed:
        key = (row["exchange"], row["symbol"])
        modes.setdefault(key, set()).update(feed.wanted([row], case.get("mode")).values())
    return [
        tick_row(view)
        for tick in feed.play(line, case["packets"])
        if isinstance(tick, Tick)
        for view in views(tick, modes.get((tick.exchange, tick.symbol), ()))
    ]


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
    problems = order_problems(REGISTRY.get(file.broker), file, prepared(file, case, "order_stream"))
    assert not problems, "\n".join(problems)


def order_problems(broker: Broker, file: VectorFile, ready: Prepared) -> list[str]:
    """What is wrong with the order updates of a recorded case."""
    wanted = ready.case.get("expect")
    if wanted is None or ready.skip(("expect",)):
        return []
    feed = Feed(broker, file)
    line = feed.line("orders")
    for earlier in history(file, "order_stream", ready.case):
        feed.updates(feed.play(line, earlier["packets"]))
    updates = feed.updates(feed.play(line, ready.case["packets"]))
    firm = without(wanted, file.soft)
    found = differences(firm, updates, case=ready, path=("expect",))
    return [*found, f"failures: {feed.failures}"] if found else []


@pytest.mark.parametrize(("file", "case"), cases("subscribe"))
async def test_frames(file: VectorFile, case: dict[str, Any]) -> None:
    feed = Feed(REGISTRY.get(file.broker), file)
    for earlier in history(file, "subscribe", case):
        await case_problems(feed, prepared(file, earlier, "subscribe"))
    problems = await case_problems(feed, prepared(file, case, "subscribe"))
    assert not problems, "\n".join(problems)


#: Address of a feed in the session of a recording, and what the connection carries.
ADDRESSES = (("market_ws", "market"), ("order_ws", "orders"))


@pytest.mark.parametrize("file", [pytest.param(file, id=file.path.stem) for file in FILES])
def test_addresses_of_the_session(file: VectorFile) -> None:
    session = file.data.get("session") or {}
    for name, carries in ADDRESSES:
        if (recorded := session.get(name)) and "url" in recorded:
            got = Feed(REGISTRY.get(file.broker), file).line(carries).address()
            problems = address_differences(recorded, got, file.own_tags)
            assert not problems, "\n".join([name, *problems])


@pytest.mark.parametrize(("file", "case"), cases("symbol_master"))
async def test_master(file: VectorFile, case: dict[str, Any], tmp_path: Path) -> None:
    ready = prepared(file, case, "symbol_master")
    problems = await master_problems(REGISTRY.get(file.broker), file, ready, tmp_path)
    assert not problems, "\n".join(problems)


async def master_problems(
    broker: Broker, file: VectorFile, ready: Prepared, tmp_path: Path
) -> list[str]:
    """What is wrong with the requests for a recorded master, and with its rows: read out of the
    recorded contents, or out of the recorded replies where there are no contents."""
    problems: list[str] = []
    files = {}
    wanted, http, urls = (ready.case.get(name) or [] for name in ("expect", "http", "urls"))
    if http and ready.case.get("http_response") and not ready.case["content"]:
        sent, rows = await downloaded(broker, file, ready.case, tmp_path)
        problems += sequence_problems(http, sent, ready)
        if ready.case.get("expect") is not None and not ready.skip(("expect",)):
            problems += row_differences(wanted, rows or [], ready)
        return problems
    if (http or (urls and not ready.case["content"])) and not ready.skip(("http",)):
        requests = await master_requests(broker, file, tmp_path)
        for number, request in enumerate(http):
            files[number], found = asked(request, requests, ready, number)
            problems += found
        if not http:
            problems += address_problems(urls, requests)
    if ready.case.get("expect") is not None and not ready.skip(("expect",)):
        known = {number: found for number, found in files.items() if found is not None}
        rows = master_rows(broker, ready.case, tmp_path, known)
        problems += row_differences(wanted, rows, ready)
    return problems


def row_differences(
    wanted: list[dict[str, Any]], rows: list[dict[str, Any]], ready: Prepared
) -> list[str]:
    """Recorded instruments against those read; their order is free."""
    problems = []
    if len(rows) != len(wanted):
        problems.append(f"{len(rows)} rows instead of {len(wanted)}: {rows}")
    order = {(row["exchange"], row["symbol"]): i for i, row in enumerate(wanted)}
    rows = sorted(rows, key=lambda row: order.get((row["exchange"], row["symbol"]), len(order)))
    for index, (want, got) in enumerate(zip(wanted, rows, strict=False)):
        firm = dict(want)
        if want.get("instrumenttype") not in ("CE", "PE"):
            firm.pop("strike", None)
        token = firm.pop("token", None)
        if token is not None and str(token) != got["token"]:
            problems.append(f"/expect/{index}/token: {got['token']!r}, wanted {token!r}")
        problems += differences(firm, got, case=ready, path=("expect", str(index)))
    return problems


def test_symbol_table_reads_back() -> None:
    """The rows of a recording's own table survive the way through our instrument."""
    for file in FILES:
        for row in file.section("symbols"):
            again = instrument_row(instrument(row))
            assert (again["symbol"], again["token"]) == (row["symbol"], str(row["token"]))
