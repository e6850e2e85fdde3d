"""Fuzzing of the doors with ten thousand inputs; a million with ``run.py test --long``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import fuzz


async def test_bad_input_is_answered_not_survived_by_luck(tmp_path: Path):
    counts = await fuzz.fuzz(tmp_path, 20261124, 10_000)
    # The input must have been bad and good enough to get everywhere.
    assert counts["answer 200"] > 100 and counts["answer 400"] > 300
    assert counts["decoded tick"] > 1000 and counts["frame refused"] > 1000
    assert counts["master read"] > 100 and counts["master refused"] > 100


@pytest.mark.long
@pytest.mark.timeout(7200)
async def test_a_million_inputs(tmp_path: Path):
    await fuzz.fuzz(tmp_path, 1, 1_000_000)
