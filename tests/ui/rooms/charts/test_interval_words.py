"""What a typed interval means, and what is said of one that means nothing."""

from __future__ import annotations

from openalgo_desktop.ui.rooms.charts.interval_words import meant, trouble


def test_what_is_typed_too_long_is_said() -> None:
    assert meant("99Y") is None and trouble("99Y").startswith("99Y is too long. The longest are")
    assert trouble("9999") == "give 1 second to 15 hours, or days and longer."
    assert trouble("5X").startswith("no interval: 5, 45S")
