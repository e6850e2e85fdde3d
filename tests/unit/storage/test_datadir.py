"""Folders and the lock of the data folder."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.storage.datadir import DataDirectory

HOLDER = """
import sys, time
from pathlib import Path
from openalgo_desktop.storage.datadir import DataDirectory
held = DataDirectory(Path(sys.argv[1]))
held.acquire()
print("locked", flush=True)
time.sleep(60)
"""


def test_everything_is_below_the_given_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENALGO_DATABASE_URL", raising=False)
    directory = DataDirectory(tmp_path / "data")
    directory.acquire()
    for folder in (directory.config, directory.logs):
        assert folder.is_relative_to(tmp_path / "data") and folder.is_dir()
    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
    assert directory.database_url == f"sqlite:///{tmp_path / 'data' / 'openalgo.db'}"
    directory.release()


def test_platform_folders_without_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    if not sys.platform.startswith("linux"):
        monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    directory = DataDirectory()
    assert directory.path != directory.config
    assert directory.path.is_relative_to(tmp_path)


def test_the_database_may_be_elsewhere_and_its_password_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("OPENALGO_DATABASE_URL", "postgresql://u:hunter2@db/x")
    directory = DataDirectory(tmp_path)
    assert directory.database_url == "postgresql://u:hunter2@db/x"
    assert directory.shown_database_url == "postgresql://u:***@db/x"


def test_second_start_is_refused_and_a_start_after_kill_9_works(tmp_path: Path):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline() == "locked\n"
    with pytest.raises(ConfigError, match=rf"already running \(process {holder.pid}\).*--data-dir"):
        DataDirectory(tmp_path).acquire()
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    directory = DataDirectory(tmp_path)
    directory.acquire()
    directory.release()


def test_release_lets_the_next_one_in(tmp_path: Path):
    for _ in range(2):
        directory = DataDirectory(tmp_path)
        directory.acquire()
        directory.release()
    directory.acquire()
    with pytest.raises(ConfigError, match="already running"):
        DataDirectory(tmp_path).acquire()
    directory.release()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file/data cannot be used"):
        DataDirectory(tmp_path / "file" / "data").acquire()
