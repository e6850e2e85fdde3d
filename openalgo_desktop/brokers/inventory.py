"""What the repository has for a broker: lines of source, recordings, contract runs. Read from its
folders when ``docs/brokers.md`` is made and when a test compares the page with them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from openalgo_desktop.brokers.kit.spec import BrokerSpec
from openalgo_desktop.core.errors import SessionExpired

#: Groups of the contract, in the order of the page.
GROUPS = {
    "L": "login",
    "M": "symbol master",
    "O": "orders",
    "G": "good till triggered",
    "B": "books and funds",
    "Q": "quotes and history",
    "F": "feed",
    "P": "order updates",
    "E": "errors and limits",
}
#: Kinds of evidence, from the weakest to the strongest.
EVIDENCE = {
    "emulator": "the contract cases pass against an emulator that was written from the broker's "
    "documentation",
    "family": "the contract cases pass for another broker on the same server software, and those "
    "from the login to an order against an emulator of its own variant",
    "vectors": "requests and results equal recorded ones (`tests/wire`)",
    "sdk": "decoded values equal those of the maker's own library",
    "server": "tested against a running server of that kind",
    "live": "checked with a real account",
}

#: Operations and sections of the recordings behind each group of the contract.
RECORDED: Mapping[str, frozenset[str]] = {
    "L": frozenset({"login"}),
    "M": frozenset({"symbol_master"}),
    "O": frozenset({"place_order", "modify_order", "cancel_order"}),
    "G": frozenset({"gtt_place", "gtt_modify", "gtt_cancel", "gtt_book"}),
    "B": frozenset({"order_book", "trade_book", "positions", "holdings", "funds"}),
    "Q": frozenset({"quotes", "history"}),
    "F": frozenset({"stream"}),
    "P": frozenset({"order_stream"}),
    "E": frozenset({"error"}),
}
#: A member of a family is a table of at most so many lines.
MEMBER_LINES = 60
_BROKERS = Path("openalgo_desktop/brokers")
_TESTS = Path("tests")
_FRAMES = ("stream", "order_stream", "subscribe")


class Holdings(NamedTuple):
    """What there is for one broker. ``recorded`` are operations and sections of its recordings,
    ``contract`` what its contract cases run against, ``proved`` kinds of evidence that exist."""

    lines: int
    cases: int
    frames: int
    rules: int
    recorded: frozenset[str]
    contract: tuple[str, ...]
    end_to_end: bool
    proved: frozenset[str]


def lines_of(folder: Path) -> int:
    """Lines of the Python files below a folder, comments and blank ones included."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in folder.rglob("*.py"))


def shared_lines(root: Path, name: str) -> int:
    """Lines of ``kit`` or of a family."""
    return lines_of(root / _BROKERS / ("kit" if name == "kit" else f"families/{name}"))


def holdings(root: Path, spec: BrokerSpec) -> Holdings:
    """Look through the folders of a checkout."""
    names = tuple(filter(None, (spec.id, spec.family)))
    vectors = root / _TESTS / "data/vectors/wire" / f"{spec.id}.json"
    recorded = json.loads(vectors.read_text(encoding="utf-8")) if vectors.exists() else {}
    runs = {
        "emulator": (root / _TESTS / "faces" / f"{spec.id}.py").exists(),
        "replay": bool(recorded),
    }
    ends = root / _TESTS / "e2e"
    proofs = {
        "emulator": runs["emulator"],
        "family": runs["emulator"] and bool(spec.family),
        "vectors": runs["replay"],
        "sdk": any(
            any((root / _TESTS / "unit/brokers" / name).glob("test_against_*.py")) for name in names
        ),
        "server": (ends / f"test_{spec.id}_broker.py").exists(),
        "live": (root / "docs/reports" / f"{spec.id}.md").exists(),
    }
    return Holdings(
        lines=lines_of(root / _BROKERS / spec.id),
        cases=len(recorded.get("cases") or ()),
        frames=sum(len(recorded.get(part) or ()) for part in _FRAMES),
        rules=rules_of(root, spec.id),
        recorded=_recorded(recorded),
        contract=tuple(name for name, there in runs.items() if there),
        end_to_end=any(_named(path, spec.id) for path in ends.glob("test_*.py")),
        proved=frozenset(kind for kind, there in proofs.items() if there),
    )


def _recorded(data: Mapping[str, Any]) -> frozenset[str]:
    cases = data.get("cases") or ()
    found = {case["op"] for case in cases}
    found |= {part for part in (*_FRAMES, "symbol_master") if data.get(part)}
    if any("error" in (case.get("expect") or {}) for case in cases):
        found.add("error")
    return frozenset(found)


def rules_of(root: Path, name: str) -> int:
    """Rules over the recordings of a broker or a family."""
    path = root / _TESTS / "wire" / name / "rules.py"
    if not path.exists():
        return 0
    calls = (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if _is_rule(n))
    return sum(1 for _ in calls)


def _is_rule(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Rule"


def _named(path: Path, name: str) -> bool:
    """Whether an end-to-end test is about this broker."""
    return re.search(rf"\b{name}\b", path.read_text(encoding="utf-8")) is not None


# -- claims ---------------------------------------------------------------------------------
def claims(spec: BrokerSpec) -> frozenset[str]:
    """The groups of the contract that a broker says it fulfils."""
    left = {"G"} if not spec.capabilities.gtt else set()
    left |= {"F"} if spec.stream is None else set()
    left |= set() if spec.capabilities.quote_batch else {"Q"}
    return frozenset(GROUPS) - left


def unproved(spec: BrokerSpec, found: Holdings) -> list[str]:
    """Claims of a broker without the test that they name, or without any."""
    problems = []
    for group, name in GROUPS.items():
        kinds = spec.evidence.get(group, ())
        if group in claims(spec) and not kinds:
            problems.append(f"{name}: it rests on nothing")
        elif group not in claims(spec) and kinds:
            problems.append(f"{name}: evidence of what is not offered")
        for kind in kinds:
            if kind not in EVIDENCE:
                problems.append(f"{name}: {kind!r} is no kind of evidence")
            elif kind not in found.proved:
                problems.append(f"{name}: {kind} is claimed and not there")
            elif kind == "vectors" and (missing := RECORDED[group] - found.recorded):
                problems.append(f"{name}: no recording of {', '.join(sorted(missing))}")
    for group in spec.evidence.keys() - GROUPS.keys():
        problems.append(f"{group!r} is no group of the contract")
    return problems


# -- quality --------------------------------------------------------------------------------
def _orders_limited(spec: BrokerSpec) -> bool:
    return bool(spec.limits.get("orders") or spec.limits.get("all"))


def _knows_its_end(spec: BrokerSpec) -> bool:
    return any(issubclass(rule.error, SessionExpired) for rule in spec.errors)


def _small(spec: BrokerSpec, found: Holdings) -> bool:
    return not spec.family or found.lines <= MEMBER_LINES


#: What a reviewer asks of every broker. A test refuses one that lacks any of it.
REQUIRED: Mapping[str, Callable[[BrokerSpec, Holdings], bool]] = {
    "its documentation is named": lambda spec, found: bool(spec.docs),
    "requests and results equal recorded ones, or those of a running server of that kind": (
        lambda spec, found: bool({"vectors", "server"} & found.proved)
    ),
    "its contract cases run, against an emulator or its recordings": lambda spec, found: bool(
        found.contract
    ),
    "order writes are limited to what it allows": lambda spec, found: _orders_limited(spec),
    "the end of a session is told from other refusals": lambda spec, found: _knows_its_end(spec),
    "every claim rests on a test that exists": lambda spec, found: not unproved(spec, found),
    f"a member of a family is at most {MEMBER_LINES} lines": _small,
}
#: What is better to have; the page says who has it.
WISHED: Mapping[str, Callable[[BrokerSpec, Holdings], bool]] = {
    "emulator with faults": lambda spec, found: "emulator" in found.contract,
    "maker's own library": lambda spec, found: "sdk" in found.proved,
    "end to end": lambda spec, found: found.end_to_end,
    "real account": lambda spec, found: any("live" in kinds for kinds in spec.evidence.values()),
}
