"""The fault campaign, bounded; 10,000 orders with ``run.py test --long``."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import campaign


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    ours = logging.getLogger("openalgo_desktop")
    before = ours.level
    ours.setLevel(logging.CRITICAL)
    with campaign.quick():
        yield
    ours.setLevel(before)


@pytest.mark.parametrize(("seed", "tags"), [(101, True), (102, False)])
async def test_nothing_is_lost_or_doubled(tmp_path: Path, seed: int, tags: bool):
    counts = await campaign.run(tmp_path, seed, 250, tags=tags)
    assert counts["orders"] == 250 and counts["rounds"] == 5
    # The campaign must have bitten, or it proves nothing.
    assert counts["answered unknown"] > 20 and counts["acknowledgement lost"] > 0
    assert counts["answered placed"] > 10


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_ten_thousand_orders(tmp_path: Path):
    total: Counter[str] = Counter()
    for seed in range(1, 11):
        total += await campaign.run(tmp_path, seed, 1000, tags=seed % 3 != 0)
    assert total["orders"] == 10_000
