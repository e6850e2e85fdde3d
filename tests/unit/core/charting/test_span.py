"""How long a bar may be."""

from __future__ import annotations

import pytest

from openalgo_desktop.core.charting.span import Span
from openalgo_desktop.core.errors import DataError


@pytest.mark.parametrize("text", ["2500D", "520W", "120M", "40Q", "10Y"])
def test_ten_years_are_the_longest(text: str) -> None:
    count, unit = int(text[:-1]), text[-1]
    assert Span.parse(text).count == count
    for longer in (f"{count + 1}{unit}", f"9999{unit}"):
        with pytest.raises(
            DataError, match=r"too long\. The longest are 2500D, 520W, 120M, 40Q, 10Y"
        ):
            Span.parse(longer)
