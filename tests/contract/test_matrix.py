"""The page of capabilities is current, and the evidence that it names exists."""

from __future__ import annotations

from pathlib import Path

import pytest

from openalgo_desktop.brokers.kit.spec import BrokerSpec
from openalgo_desktop.brokers.matrix import EVIDENCE, GROUPS, page
from openalgo_desktop.brokers.registry import Registry
from tests.faces.face import face_names
from tests.wire.vectors import ROOT as OWN
from tests.wire.vectors import load_files

ROOT = Path(__file__).parents[2]
REGISTRY = Registry(())
SPECS = [REGISTRY.get(name).spec for name in REGISTRY.ids()]
BY_ID = [pytest.param(spec, id=spec.id) for spec in SPECS]

#: Operations and sections of the recordings behind each group of the contract.
RECORDED = {
    "L": {"login"},
    "M": {"symbol_master"},
    "O": {"place_order", "modify_order", "cancel_order"},
    "G": {"gtt_place", "gtt_modify", "gtt_cancel", "gtt_book"},
    "B": {"order_book", "trade_book", "positions", "holdings", "funds"},
    "Q": {"quotes", "history"},
    "F": {"stream"},
    "P": {"order_stream"},
    "E": {"error"},
}


def test_the_page_is_current() -> None:
    text = (ROOT / "docs" / "brokers.md").read_text(encoding="utf-8")
    assert text == page(SPECS), "run: python -m openalgo_desktop.brokers.matrix"


@pytest.mark.parametrize("spec", BY_ID)
def test_every_group_says_what_it_rests_on(spec: BrokerSpec) -> None:
    assert set(spec.evidence) == set(GROUPS)
    for kinds in spec.evidence.values():
        assert kinds and set(kinds) <= set(EVIDENCE)


def recorded(broker: str) -> set[str]:
    """What the project's own recordings of a broker hold."""
    found: set[str] = set()
    for file in load_files(OWN):
        if file.broker != broker:
            continue
        found |= {case["op"] for case in file.section("cases")}
        found |= {
            name for name in ("symbol_master", "stream", "order_stream") if file.section(name)
        }
        if any("error" in (case["expect"] or {}) for case in file.section("cases")):
            found.add("error")
    return found


@pytest.mark.parametrize("spec", BY_ID)
def test_the_evidence_exists(spec: BrokerSpec) -> None:
    have = recorded(spec.id)
    for group, kinds in spec.evidence.items():
        if "vectors" in kinds:
            assert RECORDED[group] <= have, (group, RECORDED[group] - have)
        if "emulator" in kinds:
            assert spec.id in face_names()
        if "family" in kinds:
            assert spec.family and spec.id in face_names(whole=False)
            assert any(
                other.family == spec.family and "emulator" in other.evidence[group]
                for other in SPECS
            )
        if "sdk" in kinds:
            assert list((ROOT / "tests/unit/brokers" / spec.id).glob("test_against_*.py"))
        if "server" in kinds:
            assert (ROOT / "tests/e2e" / f"test_{spec.id}_broker.py").exists()
        assert "live" not in kinds, "a live check needs a report in docs/"
