"""Points of typed letters."""

from __future__ import annotations

from openalgo_desktop.core.fuzzy import score


def best(query: str, *texts: str) -> str:
    return max(texts, key=lambda text: score(query, text))


def test_better_finds_have_more_points() -> None:
    texts = ("Flatten all", "Reset layout", "Cancel all", "Risk limits")
    assert best("fl", *texts) == "Flatten all"
    assert best("all cancel", *texts) == "Cancel all"
    assert best("rlm", *texts) == "Risk limits"
    assert best("lay", "Player", "Reset layout") == "Reset layout"  # the start of a word
    assert best("log", "Log in to Zerodha", "Log") == "Log"


def test_every_word_must_be_found() -> None:
    assert score("cancel some", "Cancel all") == 0.0
    assert score("zx", "Cancel all") == 0.0
    assert score("", "anything") > 0
    assert score("ca", "Cancel all") > score("nc", "Cancel all") > 0
    assert score("ml", "Risk limits") == 0.0  # letters begin at a word
