"""Recorded cases of the reference sandbox, run against ours.

``SANDBOX_VECTORS=<dir>`` runs the files of that directory instead of the project's copy; no case
is known by name. A case with a recorded defect is checked by its rule, every other one must match.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sandbox.vector_rules import RULES, rule_of
from tests.unit.sandbox.vector_runner import Run

GIVEN = os.environ.get("SANDBOX_VECTORS")
OWN = Path(__file__).parents[2] / "data" / "vectors" / "sandbox.json"


def _cases() -> list[Any]:
    cases = []
    for path in sorted(Path(GIVEN).glob("*.json")) if GIVEN else [OWN]:
        content = json.loads(path.read_text())
        for case in content.get("vectors", ()) if isinstance(content, dict) else ():
            cases.append(pytest.param(case, content["_instruments"], id=case["id"]))
    assert cases, f"no sandbox vectors in {GIVEN}"
    return cases


async def _play(case: dict[str, Any], instruments: dict[str, Any]) -> None:
    run = Run(case, instruments, rule_of(case))
    await run.start()
    try:
        await run.run()
    finally:
        await run.stop()


@pytest.mark.parametrize(("case", "instruments"), _cases())
async def test_sandbox_vector(case: dict[str, Any], instruments: dict[str, Any]) -> None:
    await _play(case, instruments)


def test_every_sandbox_vector_rule_has_a_reason() -> None:
    assert all(rule.reason.endswith(".") for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("figure", ["used_margin", "available"])
async def test_a_wrong_reserve_is_no_defect(figure: str) -> None:
    """A rule for unmarked defects excuses their own figures only, not any that do not add up."""
    content = json.loads(OWN.read_text())
    for case in content["vectors"]:
        if "reference_defect" in case or case["expect"]["funds"]["used_margin"] == 0:
            continue
        case["expect"]["funds"][figure] += 3
        assert rule_of(case) is None, case["id"]
        with pytest.raises(AssertionError):
            await _play(case, content["_instruments"])


@pytest.mark.parametrize("spoil", ["orders", "trades", "positions", "funds"])
async def test_a_wrong_sandbox_vector_fails(spoil: str) -> None:
    """The comparison itself can fail: a changed record is noticed."""
    content = json.loads(OWN.read_text())
    case = copy.deepcopy(
        next(c for c in content["vectors"] if c["expect"]["trades"] and rule_of(c) is None)
    )
    row = case["expect"][spoil]
    row = row[0] if isinstance(row, list) else row
    field = next(name for name, value in row.items() if isinstance(value, float) and value)
    row[field] += 0.05
    with pytest.raises(AssertionError):
        await _play(case, content["_instruments"])
