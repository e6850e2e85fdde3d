"""Rate limits: texts and moving windows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openalgo_desktop.config.settings import SETTINGS, Settings
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.rates import parse_limit
from openalgo_desktop.local_api.limits import MAX_WINDOWS, RateLimiter


class Watch:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_stored_setting_that_does_not_hold_is_told(caplog: pytest.LogCaptureFixture) -> None:
    settings = Settings({})
    settings.load({"approvals.sources": "apy:*", "of.another.version": 1, "ui.frame_rate": 20})
    assert settings["ui.frame_rate"] == 20
    (line,) = [text for text in caplog.messages if "approvals.sources" in text]
    assert "approvals.sources" in line and "does not count" in line


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("50 per second", ((50, 1.0),)),
        ("30/minute", ((30, 60.0),)),
        ("10 per 2 seconds; 1000 per hour", ((10, 2.0), (1000, 3600.0))),
        ("5 Per Day", ((5, 86_400.0),)),
        ("", ()),
    ],
)
def test_texts(text: str, rules: tuple[tuple[int, float], ...]) -> None:
    assert parse_limit(text) == rules


@pytest.mark.parametrize(
    "text",
    [
        "fast",
        "0 per second",
        "per second",
        "10 per fortnight",
        "10 per 0 seconds",
        "１0 per second",
    ],
)
def test_bad_texts_say_how_to_write_them(text: str) -> None:
    with pytest.raises(ConfigError, match="50 per second"):
        parse_limit(text)
    for key in SETTINGS:
        if key.startswith("limits."):  # stored, it would refuse every call and the next start
            with pytest.raises(ConfigError, match=f"Setting {key}: .*50 per second"):
                Settings({key: text})


@pytest.mark.parametrize("text", ["bogus", "api:*, webhok:*", "apis", "API:*"])
def test_sources_that_would_hold_no_order_are_refused(text: str) -> None:
    """A wrong letter must not leave the action centre open."""
    with pytest.raises(ConfigError, match=r"Setting approvals\.sources: .*api:\*"):
        Settings({"approvals.sources": text})


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("api", "api:*"),
        ("mcp", "mcp:*"),
        (" webhook , api:a", "webhook:*, api:a"),
        ("*", "*"),
        ("", ""),
        ("a*", "a*"),
    ],
)
def test_sources_as_they_are_meant(text: str, meant: str) -> None:
    assert Settings({"approvals.sources": text})["approvals.sources"] == meant


@pytest.mark.parametrize("host", ["a b", "http://x", "1.2.3.4.", "[::1]", "a/b", "*", "x:5000"])
def test_a_host_that_cannot_be_bound_is_refused_as_a_setting(host: str) -> None:
    with pytest.raises(ConfigError, match=r"Setting api\.host"):
        Settings({"api.host": host})
    for good in ("::1", "fe80::1%eth0", "0.0.0.0", "trade.example.com", "localhost", ""):
        Settings({"api.host": good})


def test_the_window_moves_and_refused_requests_do_not_count() -> None:
    watch = Watch()
    limiter = RateLimiter(watch)
    for moment in (0.0, 0.4, 0.8):
        watch.now = 1000.0 + moment
        assert limiter.take(("a",), "3 per second") == 0.0
    assert limiter.take(("a",), "3 per second") == pytest.approx(0.2)
    assert limiter.take(("b",), "3 per second") == 0.0
    watch.now = 1001.001
    assert limiter.take(("a",), "3 per second") == 0.0
    assert limiter.take(("a",), "3 per second") > 0.0


def test_every_rule_of_a_limit_holds() -> None:
    watch = Watch()
    limiter = RateLimiter(watch)
    taken = 0
    for _ in range(100):
        watch.now += 0.5
        taken += limiter.take(("a",), "2 per second; 10 per minute") == 0.0
    assert taken == 10


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=200), st.integers(1, 5))
def test_never_more_than_the_count_in_any_window(steps: list[float], count: int) -> None:
    watch = Watch()
    limiter = RateLimiter(watch)
    passed: list[float] = []
    for step in steps:
        watch.now += step
        if limiter.take(("a",), f"{count} per second") == 0.0:
            passed.append(watch.now)
    for first, last in zip(passed, passed[count:], strict=False):
        assert last - first >= 1.0


def test_memory_is_bounded() -> None:
    limiter = RateLimiter(Watch())
    for number in range(MAX_WINDOWS * 2):
        limiter.take((number,), "50 per second")
    assert len(limiter._windows) == MAX_WINDOWS
