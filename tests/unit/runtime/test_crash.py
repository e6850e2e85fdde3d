"""Reports of runs that did not end properly, and the diagnostics bundle: nothing secret in them."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.runtime import crash, diagnostics
from openalgo_desktop.runtime.crash import look_back, reports
from openalgo_desktop.runtime.diagnostics import write_bundle

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=IST)
RUN = {"pid": "4711", "since": "2026-11-24 09:00:00", "control_token": "tell-nobody-this"}
SECRET = "SuperSecretPin99"
KEY = "0123456789abcdef" * 4


@pytest.fixture
def redactor() -> Redactor:
    made = Redactor()
    made.add(SECRET)
    return made


def fill(folder: Path) -> None:
    lines = [f"10:00 INFO line {number}" for number in range(500)]
    lines += [f"INFO login with {SECRET}", f'INFO {{"apikey": "{KEY}"}}', "ERROR the end"]
    (folder / "openalgo-2026-11-24.log").write_text("\n".join(lines), encoding="utf-8")
    (folder / "openalgo-2026-11-23.log").write_text("yesterday\n", encoding="utf-8")


def test_a_proper_end_leaves_no_report(tmp_path: Path, redactor: Redactor) -> None:
    fill(tmp_path)
    (tmp_path / "crash.log").touch()
    assert look_back(tmp_path, {}, NOW, redactor) is None
    assert reports(tmp_path) == []


def test_a_run_that_died_is_reported_without_secrets(tmp_path: Path, redactor: Redactor) -> None:
    fill(tmp_path)
    stacks = f"Fatal Python error: Segmentation fault\n  File x.py {SECRET}\n"
    (tmp_path / "crash.log").write_text(stacks, encoding="utf-8")
    path = look_back(tmp_path, RUN, NOW, redactor)
    assert path is not None and path.stat().st_mode & 0o077 == 0
    text = path.read_text(encoding="utf-8")
    assert "4711" in text and "2026-11-24 09:00:00" in text and "Segmentation fault" in text
    assert "ERROR the end" in text and "line 499" in text and "line 100\n" not in text
    for secret in (SECRET, KEY, RUN["control_token"]):
        assert secret not in text
    assert (tmp_path / "crash.log").read_text() == ""
    assert look_back(tmp_path, {}, NOW, redactor) is None  # it is told once


def test_a_run_that_was_killed_is_reported_too(tmp_path: Path, redactor: Redactor) -> None:
    path = look_back(tmp_path, RUN, NOW, redactor)
    assert path is not None
    assert "left no stacks" in path.read_text(encoding="utf-8")


def test_only_the_newest_reports_stay(tmp_path: Path, redactor: Redactor) -> None:
    made = [
        look_back(tmp_path, RUN, NOW + timedelta(minutes=minute), redactor) for minute in range(8)
    ]
    assert reports(tmp_path) == made[::-1][: crash.KEEP]


def test_a_folder_that_cannot_be_written_does_not_stop_the_start(redactor: Redactor) -> None:
    assert look_back(Path("/proc/nowhere"), RUN, NOW, redactor) is None


def read(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as bundle:
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def test_the_bundle_has_todays_log_and_nothing_secret(tmp_path: Path, redactor: Redactor) -> None:
    fill(tmp_path)
    look_back(tmp_path, RUN, NOW, redactor)
    target = tmp_path / "diagnostics.zip"
    texts = {"summary.txt": f"api_key={KEY}\nversion 1", "performance.txt": "p99 9 ms"}
    names = write_bundle(target, tmp_path, texts, redactor, date(2026, 11, 24))
    found = read(target)
    assert list(found) == names
    assert set(found) == {
        "summary.txt",
        "performance.txt",
        "logs/openalgo-2026-11-24.log",
        "logs/crash-report-2026-11-24-100000.txt",
    }
    assert "version 1" in found["summary.txt"] and "line 0" in found[names[2]]
    for text in found.values():
        assert SECRET not in text and KEY not in text
    everything = write_bundle(target, tmp_path, texts, redactor)
    assert "logs/openalgo-2026-11-23.log" in everything


def test_of_a_long_log_the_end_is_taken(
    tmp_path: Path, redactor: Redactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path)
    monkeypatch.setattr(diagnostics, "LOG_TAIL", 100)
    target = tmp_path / "diagnostics.zip"
    write_bundle(target, tmp_path, {}, redactor, date(2026, 11, 24))
    (text,) = read(target).values()
    assert text.splitlines()[-1] == "ERROR the end" and len(text) <= 120
    assert KEY not in text and KEY[-40:] not in text
