"""The page of studies."""

from __future__ import annotations

from pathlib import Path

from openalgo_desktop.analytics.indicators import registry
from openalgo_desktop.analytics.indicators.page import page

ROOT = Path(__file__).resolve().parents[4]


def test_the_page_of_studies_is_current() -> None:
    told = (ROOT / "docs" / "studies.md").read_text(encoding="utf-8")
    wanted = "run: python -m openalgo_desktop.analytics.indicators.page"
    assert told == page(registry.specs()), wanted
