"""Logging: ring, daily files, redaction, levels."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.runtime.logs import LogLine, LogRing, setup_logging

log = logging.getLogger("openalgo_desktop.test")
KEY = "0123456789abcdef" * 4


@pytest.fixture
def settings() -> Settings:
    return Settings({"log.keep_days": 3})


@pytest.fixture
def ring(settings: Settings, tmp_path: Path) -> Iterator[LogRing]:
    made = setup_logging(settings, tmp_path)
    yield made
    made.close()


def stored(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("openalgo-*.log"))


def test_lines_go_to_ring_listeners_and_the_days_file(ring: LogRing, tmp_path: Path):
    heard: list[LogLine] = []
    stop = ring.subscribe(heard.append)
    log.info("hello %s", "world")
    stop()
    log.warning("bye")
    assert [line.level for line in ring.lines()] == [logging.INFO, logging.WARNING]
    assert len(heard) == 1 and heard[0].text.endswith("openalgo_desktop.test: hello world")
    ring.close()
    (path,) = tmp_path.glob("*.log")
    assert path.name == f"openalgo-{datetime.now(IST).date()}.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [line.rsplit(": ")[-1] for line in stored(tmp_path).splitlines()] == [
        "hello world",
        "bye",
    ]


def test_level_follows_the_setting(ring: LogRing, settings: Settings):
    log.debug("hidden")
    settings.set("log.level", "DEBUG")
    log.debug("shown")
    logging.getLogger("noisy.library").info("hidden")
    settings.set("log.level", "ERROR")
    log.warning("hidden")
    assert [line.text.rsplit(": ")[-1] for line in ring.lines()] == ["shown"]


def test_closed_ring_hears_nothing_and_leaves_logging_as_it_was(settings: Settings, tmp_path: Path):
    root, ours = logging.getLogger(), logging.getLogger("openalgo_desktop")

    def state() -> tuple[list[logging.Handler], int, int]:
        return list(root.handlers), root.level, ours.level

    before = state()
    ring = setup_logging(settings, tmp_path)
    settings.set("log.level", "ERROR")
    assert ours.level == logging.ERROR
    ring.close()
    ring.close()
    log.warning("late")
    settings.set("log.level", "DEBUG")
    assert ring.lines() == [] and state() == before


def test_old_files_are_deleted_others_stay(ring: LogRing, tmp_path: Path):
    today = datetime.now(IST).date()
    days = [today - timedelta(days=n) for n in (1, 2, 3, 30)]
    for day in days:
        (tmp_path / f"openalgo-{day}.log").write_text("old\n")
    (tmp_path / "openalgo-notes.log").write_text("mine\n")
    log.info("x")
    ring.close()
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {
        "openalgo-notes.log",
        *(f"openalgo-{day}.log" for day in (today, days[0], days[1])),
    }


def test_tracebacks_and_arguments_are_redacted_in_ring_and_file(ring: LogRing, tmp_path: Path):
    ring.redactor.add("correct horse")
    log.info("login %s", {"password": "hunter2!", "user": "AB1234"})
    try:
        raise ValueError(f"bad key {KEY} and correct horse")
    except ValueError:
        log.exception("failed")
    ring.close()
    for text in ("\n".join(line.text for line in ring.lines()), stored(tmp_path)):
        assert "AB1234" in text and "Traceback" in text
        assert not any(secret in text for secret in ("hunter2", KEY, "correct horse"))


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"GET /api/v1/funds?apikey={KEY}&x=1", KEY),
        ('{"apikey": "k-plain-text", "symbol": "SBIN"}', "k-plain-text"),
        ("{'access_token': 'abc.def', 'n': 1}", "abc.def"),
        ("api_secret=s3cr3t; path=/", "s3cr3t"),
        ("Authorization: token kitekey123:accesstoken456", "accesstoken456"),
        ("authorization: Bearer abcdefghijkl", "abcdefghijkl"),
        ("'X-Kite-Enctoken': 'QWERTY=='", "QWERTY"),
        ("totp = 123456", "123456"),
        ('"pin":"2468"', "2468"),
        ("feedToken: xyzzy-1", "xyzzy-1"),
        ("wss://ws.kite.trade?api_key=aa11&access_token=bb22cc", "bb22cc"),
        ("wss://ws.kite.trade?api_key=aa11&access_token=bb22cc", "aa11"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "eyJzdWIi"),
        ("https://api.telegram.org/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/send", "AAHdq"),
        ("postgresql://user:pa55@host/db", "pa55"),
    ],
)
def test_shapes_of_secrets_are_blanked(text: str, secret: str):
    cleaned = Redactor().clean(text)
    assert secret not in cleaned and "***" in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "place BUY 10 NSE:SBIN at 812.35 tag O1234567890abc order 250822000001",
        "token 408065 of NSE:INFY",
        "spinning up; opinion: fine",
        "mode is now live (by window)",
        "http://127.0.0.1:5000/api/v1/funds",
    ],
)
def test_harmless_lines_stay(text: str):
    assert Redactor().clean(text) == text
