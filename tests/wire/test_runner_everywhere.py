"""Nothing that was recorded is passed over: whatever is changed in any recording of any adapter,
the runner says so."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.wire.feed import Feed
from tests.wire.feedquotes import by_feed
from tests.wire.frames import case_problems, history
from tests.wire.harness import Wire
from tests.wire.ops import run
from tests.wire.test_recorded import FILES, REGISTRY, check_requests, played, prepared
from tests.wire.test_streams import master_problems, order_problems, tick_problems
from tests.wire.vectors import Path_, Prepared, VectorFile, at, put

BY_FILE = [pytest.param(file, id=file.path.stem) for file in FILES]
#: Results whose value is the broker's word; a difference of any of them must be seen.
_TOLD = ("orderid", "quantity", "price", "ltp", "symbol", "availablecash", "total_margin_required")


def leaves(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Places of all values that are no table or list and say something."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, str(number)))
    elif value is not None:
        yield path


def other(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):  # a digit, so that bytes in hexadecimal stay such
        return value[:-1] + ("7" if value[-1:] != "7" else "8")
    return value + 7


def changed(ready: Prepared, path: Path_) -> Prepared:
    """The case with another value there."""
    case = copy.deepcopy(ready.case)
    put(case, path, other(at(case, path)))
    return Prepared(case, ready.unchecked)


def compared(ready: Prepared, path: Path_, file: VectorFile) -> bool:
    """Whether this place is one that is compared to the letter: no tag of ours, nothing masked,
    soft, or said to be wrong without a right value."""
    value = at(ready.case, path)
    masked = isinstance(value, str) and "<" in value
    named = {part.lower() for part in path} & (file.own_tags | file.soft)
    return not (masked or named or ready.skip(path))


@pytest.mark.parametrize("file", BY_FILE)
async def test_requests(file: VectorFile) -> None:
    """Each field of each recorded request, and the requests themselves."""
    seen = 0
    broker = REGISTRY.get(file.broker)
    for case in file.section("cases"):
        ready = prepared(file, case, "cases")
        if not ready.case.get("http") or ready.skip(("http",)) or by_feed(broker, case["op"]):
            continue
        wire = Wire(broker, file, ready.case.get("http_response") or [])
        await run(wire, case["op"], ready.case["input"] or {})
        assert check_requests(ready, wire, file) == [], case["id"]
        fewer = Prepared({**ready.case, "http": ready.case["http"][:-1]}, ready.unchecked)
        assert check_requests(fewer, wire, file), case["id"]
        for number, request in enumerate(ready.case["http"]):
            for name in ("method", "url", "query", "headers", "body"):
                for leaf in leaves(request.get(name), ("http", str(number), name)):
                    if compared(ready, leaf, file):
                        problems = check_requests(changed(ready, leaf), wire, file)
                        assert problems, (case["id"], leaf)
                        seen += 1
    assert seen > 5 * len(file.section("cases"))


@pytest.mark.parametrize("file", BY_FILE)
async def test_results(file: VectorFile) -> None:
    """The told values of each recorded result."""
    seen = 0
    broker = REGISTRY.get(file.broker)
    for case in file.section("cases"):
        ready = prepared(file, case, "cases")
        _, right = await played(broker, file, ready)
        assert right == [], case["id"]
        for leaf in leaves(ready.case.get("expect"), ("expect",)):
            if leaf[-1] in _TOLD and compared(ready, leaf, file):
                _, problems = await played(broker, file, changed(ready, leaf))
                assert problems, (case["id"], leaf)
                seen += 1
                break
    assert seen >= 5


@pytest.mark.parametrize("file", BY_FILE)
async def test_frames(file: VectorFile) -> None:
    """Each recorded frame that leaves, in its text, bytes, request or address."""
    seen = 0
    broker = REGISTRY.get(file.broker)

    async def problems_of(case: Mapping[str, Any], ready: Prepared) -> list[str]:
        feed = Feed(broker, file)
        for earlier in history(file, "subscribe", case):
            await case_problems(feed, prepared(file, earlier, "subscribe"))
        return await case_problems(feed, ready)

    for case in file.section("subscribe"):
        ready = prepared(file, case, "subscribe")
        if case["input"]["action"] == "receive" or ready.skip(("frames",)):
            continue
        for leaf in leaves(ready.case["frames"], ("frames",)):
            told = leaf[-1] in ("text", "hex", "url", "topic", "method") or "body" in leaf[2:-1]
            if told and compared(ready, leaf, file):
                assert await problems_of(case, changed(ready, leaf)), (case["id"], leaf)
                seen += 1
        more = Prepared(copy.deepcopy(ready.case), ready.unchecked)
        more.case["frames"].append({"text": "one more"})
        if case["input"]["action"] not in ("connect", "order_connect"):
            assert await problems_of(case, more), case["id"]
    assert seen > 0 or not file.section("subscribe")


@pytest.mark.parametrize("file", BY_FILE)
async def test_feeds_and_masters(file: VectorFile, tmp_path: Path) -> None:
    """A value of each recorded tick, order update and instrument."""
    sections = {
        "stream": ("ltp", "price"),
        "order_stream": ("orderid",),
        "symbol_master": ("token",),
    }
    broker = REGISTRY.get(file.broker)
    for section, names in sections.items():
        for case in file.section(section):
            ready = prepared(file, case, section)
            if not ready.case.get("expect") or ready.skip(("expect",)):
                continue

            async def problems_of(ready: Prepared, section: str = section) -> list[str]:
                if section == "symbol_master":
                    return await master_problems(broker, file, ready, tmp_path)
                judge = tick_problems if section == "stream" else order_problems
                return judge(broker, file, ready)

            assert await problems_of(ready) == [], case["id"]
            leaf = next(
                leaf
                for leaf in leaves(ready.case["expect"], ("expect",))
                if leaf[-1] in names and compared(ready, leaf, file)
            )
            assert await problems_of(changed(ready, leaf)), (case["id"], leaf)
            none = Prepared({**ready.case, "expect": []}, ready.unchecked)
            if not case.get("subscribed_inferred"):
                assert await problems_of(none), case["id"]
