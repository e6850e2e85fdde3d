"""The page of brokers is current, and what it claims has its test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openalgo_desktop.brokers.inventory import (
    EVIDENCE,
    GROUPS,
    REQUIRED,
    holdings,
    lines_of,
    unproved,
)
from openalgo_desktop.brokers.kit.spec import BrokerSpec
from openalgo_desktop.brokers.matrix import family_title, grouped, page
from openalgo_desktop.brokers.registry import Registry
from tests.faces.face import face_names

ROOT = Path(__file__).parents[2]
REGISTRY = Registry(())
SPECS = [REGISTRY.get(name).spec for name in REGISTRY.ids()]
BY_ID = [pytest.param(spec, id=spec.id) for spec in SPECS]
KITE = REGISTRY.get("zerodha").spec
#: Groups whose contract cases are numbered among those of the orders.
CASES = {"G": "o12_", "P": "o1[01]_"}
#: A line of the table of quality: a name, and lines of source.
_COUNTED = re.compile(r"^(\| [^|]+ \| )([\d,]+)( \|.*)$")
_HEAD = "## Quality"


def split(text: str) -> tuple[list[str], dict[str, int]]:
    """The page without its counts of lines, and these by name."""
    left, counts, quality = [], {}, False
    for line in text.splitlines():
        quality = quality or line == _HEAD
        match = _COUNTED.match(line) if quality else None
        if match is not None:
            counts[match[1]] = int(match[2].replace(",", ""))
            left.append(f"{match[1]}...{match[3]}")
        else:
            left.append(line)
    return left, counts


def test_the_page_is_current() -> None:
    """Lines of source may be a tenth off: not every change of a file is one of the page."""
    told = split((ROOT / "docs" / "brokers.md").read_text(encoding="utf-8"))
    true = split(page(SPECS, ROOT))
    assert told[0] == true[0], "run: python -m openalgo_desktop.brokers.matrix"
    assert told[1].keys() == true[1].keys() and len(true[1]) > len(SPECS)
    for name, lines in true[1].items():
        near = pytest.approx(lines, rel=0.1, abs=10)
        assert told[1][name] == near, f"{name}: run python -m openalgo_desktop.brokers.matrix"


@pytest.mark.parametrize("spec", BY_ID)
@pytest.mark.parametrize("asked", REQUIRED)
def test_what_every_broker_has(spec: BrokerSpec, asked: str) -> None:
    found = holdings(ROOT, spec)
    assert REQUIRED[asked](spec, found), (asked, unproved(spec, found), found)


@pytest.mark.parametrize("spec", BY_ID)
def test_an_emulator_shows_all_cases_or_another_member_does(spec: BrokerSpec) -> None:
    for group, kinds in spec.evidence.items():
        if "emulator" in kinds:
            assert spec.id in face_names()
        if "family" in kinds:
            assert spec.id in face_names(whole=False)
            assert any(
                other.family == spec.family and "emulator" in other.evidence.get(group, ())
                for other in SPECS
            )


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_contract_cases(group: str) -> None:
    """What *emulator* says of a group: there are cases, and they run for whoever has a face."""
    name = re.compile(rf"^async def test_{CASES.get(group, group.lower())}", re.M)
    cases = (ROOT / "tests/contract").glob("test_*.py")
    assert any(name.search(path.read_text(encoding="utf-8")) for path in cases)


# -- the check itself -----------------------------------------------------------------------
def spoiled(evidence: dict[str, tuple[str, ...]], **more: Any) -> list[str]:
    """What is said of Zerodha with other claims."""
    spec = msgspec.structs.replace(KITE, evidence={**KITE.evidence, **evidence}, **more)
    return unproved(spec, holdings(ROOT, spec))


def test_claims_without_their_test_are_found() -> None:
    assert spoiled({}) == []
    assert spoiled({"O": ()}) == ["orders: it rests on nothing"]
    assert spoiled({"O": ("server",)}) == ["orders: server is claimed and not there"]
    assert spoiled({"O": ("live",)}) == ["orders: live is claimed and not there"]
    assert spoiled({"O": ("hope",)}) == ["orders: 'hope' is no kind of evidence"]
    assert spoiled({"X": ("sdk",)}) == ["'X' is no group of the contract"]
    can = msgspec.structs.replace(KITE.capabilities, gtt=False)
    assert spoiled({}, capabilities=can) == ["good till triggered: evidence of what is not offered"]
    found = holdings(ROOT, KITE)
    few = found._replace(recorded=found.recorded - {"modify_order"})
    assert unproved(KITE, few) == ["orders: no recording of modify_order"]
    assert "sdk" in EVIDENCE and found.proved >= {"emulator", "vectors", "sdk"}


def test_families_stand_together() -> None:
    made = [
        msgspec.structs.replace(KITE, id=name, title=title, family=family)
        for name, title, family in (
            ("b", "Beta", "noren"), ("a", "Alpha", "noren"), ("x", "Xi", ""), ("c", "Chi", "xts"),
        )
    ]  # fmt: skip
    groups = grouped(made)
    assert {name: [s.title for s in specs] for name, specs in groups.items()} == {
        "": ["Xi"],
        "noren": ["Alpha", "Beta"],
        "xts": ["Chi"],
    }
    lines = page(made, ROOT).splitlines()
    starts = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    first = starts.index("Xi")
    assert starts[first : first + 6] == ["Xi", "*Noren*", "Alpha", "Beta", "*XTS*", "Chi"]
    assert (family_title("xts"), family_title("noren")) == ("XTS", "Noren")


def test_lines_are_counted(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.py").write_text("# one\n\nx = 1\n")
    (tmp_path / "b.py").write_text("y = 2")
    (tmp_path / "c.txt").write_text("no\nsource\n")
    assert lines_of(tmp_path) == 4
