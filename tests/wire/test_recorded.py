"""Every recorded case of every vector file whose broker is in the registry.

``WIRE_VECTORS`` names another folder (or one file); by default the project's own copies run.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.registry import Registry
from tests.wire.compare import differences, request_differences
from tests.wire.feedquotes import by_feed, feed_quotes
from tests.wire.folders import all_rules
from tests.wire.harness import Wire, names_of
from tests.wire.ops import run
from tests.wire.vectors import ROOT, Prepared, VectorFile, load_files, prepare

REGISTRY = Registry()
FILES = [file for file in load_files() if file.broker in REGISTRY.ids()]


def cases(section: str) -> list[Any]:
    """Parameters of all cases of a section."""
    return [
        pytest.param(file, case, id=f"{file.path.stem}-{case['id']}")
        for file in FILES
        for case in file.section(section)
    ]


def prepared(file: VectorFile, case: dict[str, Any], section: str) -> Prepared:
    """A case as new code must behave, by its own deviations and the rules of the folders."""
    names = names_of(REGISTRY.get(file.broker).spec)
    return prepare(names, case, all_rules(), section)


def test_there_are_recordings() -> None:
    assert FILES, "no vector file for a broker of the registry"
    assert all(file.section("cases") for file in FILES)


@pytest.mark.parametrize(("file", "case"), cases("cases"))
async def test_case(file: VectorFile, case: dict[str, Any]) -> None:
    ready = prepared(file, case, "cases")
    result, problems = await played(REGISTRY.get(file.broker), file, ready)
    assert not problems, "\n".join(problems) + f"\nresult: {result}"


async def played(broker: Broker, file: VectorFile, ready: Prepared) -> tuple[Any, list[str]]:
    """The uniform result of a case, and what is wrong with it and with what was sent."""
    case = ready.case
    if by_feed(broker, case["op"]):
        result, problems = await feed_quotes(broker, file, ready)
    else:
        wire = Wire(broker, file, case.get("http_response") or [])
        result = await run(wire, case["op"], case["input"] or {})
        problems = check_requests(ready, wire, file)
    return result, problems + check_result(ready, result, file)


def test_every_rule_is_needed() -> None:
    """A rule that holds for no recorded case is an excuse for nothing."""
    needed: set[int] = set()
    for file in load_files(ROOT):
        if file.broker not in REGISTRY.ids():
            continue
        names = names_of(REGISTRY.get(file.broker).spec)
        for section in ("cases", "symbol_master", "stream", "order_stream", "subscribe"):
            for case in file.section(section):
                kinds = tuple(name for name in (section, case.get("op")) if name)
                plain = prepare(names, case).case
                needed |= {
                    number
                    for number, rule in enumerate(all_rules())
                    if number not in needed and rule.applies(names, kinds, plain)
                }
    idle = [
        (rule.brokers, rule.ops, rule.field)
        for number, rule in enumerate(all_rules())
        if number not in needed and not rule.unrecorded
    ]
    assert not idle


def check_requests(ready: Prepared, wire: Wire, file: VectorFile) -> list[str]:
    """The requests that left against those recorded."""
    if ready.skip(("http",)):
        return []
    wanted = ready.case.get("http") or []
    found = []
    if len(wanted) != len(wire.sent):
        found.append(
            f"{len(wire.sent)} requests instead of {len(wanted)}: "
            f"{[(r.method, str(r.url)) for r in wire.sent]}"
        )
    for index, (recorded, sent) in enumerate(zip(wanted, wire.sent, strict=False)):
        found += request_differences(recorded, sent, ready, ("http", str(index)), file.own_tags)
    return found


def check_result(ready: Prepared, result: Any, file: VectorFile) -> list[str]:
    """The result against what was recorded."""
    wanted = ready.case.get("expect")
    if wanted is None or ready.skip(("expect",)):
        return []
    if "error" in wanted and "rows" not in wanted:
        return check_error(wanted, result)
    if "error" in result:
        return [f"failed with {result['class']}: {result['error']}"]
    soft = {name: wanted[name] for name in file.soft & set(wanted)}
    firm = {name: value for name, value in wanted.items() if name not in soft}
    for name, value in soft.items():
        if differences(value, result.get(name), case=ready, path=("expect", name)):
            warnings.warn(f"{ready.case['id']}: {name} differs", stacklevel=2)
    got = dict(result)
    if ready.case["op"] == "multiquotes":
        order = {(row["symbol"], row["exchange"]): i for i, row in enumerate(firm["rows"])}
        # Saying what was wrong with a symbol is more than leaving it out.
        rows = [r for r in result["rows"] if (r["symbol"], r["exchange"]) in order or "data" in r]
        got["rows"] = sorted(
            rows, key=lambda row: order.get((row["symbol"], row["exchange"]), len(order))
        )
    firm = without(firm, file.soft)
    return differences(firm, got, case=ready, path=("expect",))


def check_error(wanted: dict[str, Any], result: Any) -> list[str]:
    """An error must be one, with the broker's own sentence in it."""
    if "error" not in result:
        return [] if wanted.get("unsupported") else [f"no error: {result}"]
    text = wanted["error"]
    if text and text not in result["error"]:
        return [f"the error {result['error']!r} does not hold {text!r}"]
    return []


def without(value: Any, names: set[str]) -> Any:
    """``value`` without soft fields at any depth."""
    if isinstance(value, dict):
        return {k: without(v, names) for k, v in value.items() if k not in names}
    if isinstance(value, list):
        return [without(item, names) for item in value]
    return value
