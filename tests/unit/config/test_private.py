"""Files and folders of this user alone."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from openalgo_desktop.config.private import narrow, open_private
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AuthError, ConfigError, StorageError
from openalgo_desktop.core.redact import Redactor
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.runtime.diagnostics import write_bundle
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.vault import Vault

posix = pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
QUIET = {"api.rest_port": 0, "api.ws_port": 0, "simulator.rate": 0}


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_no_file_of_ours_follows_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in ("lock", "openalgo.db", "bundle.zip"):
        (tmp_path / name).symlink_to(victim)
    with pytest.raises(OSError, match="symbolic link"):
        open_private(tmp_path / "lock", os.O_RDWR)
    with pytest.raises(ConfigError, match="symbolic link"):
        DataDirectory(tmp_path).acquire()
    with pytest.raises(StorageError, match="symbolic link"):
        write_bundle(tmp_path / "bundle.zip", tmp_path, {}, Redactor())
    assert victim.read_text() == "precious"


@posix
def test_an_open_file_is_narrowed_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    path.chmod(0o666)
    os.close(open_private(path, os.O_RDWR))
    assert rights(path) == 0o600


@posix
def test_an_open_data_folder_is_narrowed_and_told(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o777)
    (folder / "openalgo.db").touch()
    (folder / "openalgo.db").chmod(0o644)
    (folder / "other.txt").touch()
    (folder / "other.txt").chmod(0o644)
    directory = DataDirectory(folder)
    directory.create()
    assert (rights(folder), rights(folder / "openalgo.db")) == (0o700, 0o600)
    assert rights(folder / "other.txt") == 0o644  # not ours
    assert str(folder / "openalgo.db") in directory.warnings[0]
    again = DataDirectory(folder)
    again.create()
    assert again.warnings == []


@posix
def test_a_new_data_folder_is_narrowed_without_a_word(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    directory = DataDirectory(tmp_path)
    directory.create()
    assert (rights(tmp_path), directory.warnings) == (0o700, [])


@posix
def test_a_folder_of_everybody_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    assert narrow(tmp_path, ()) == ""
    assert rights(tmp_path) == 0o1777


async def lose_keyring(folder: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A vault whose key is in a keyring that is gone."""
    vault = Vault(folder / "config", key_file=folder / "key")
    await vault.open()
    await vault.set("session/zerodha", Secret("token"))
    path = folder / "config" / "vault.json"
    path.write_text(path.read_text().replace('"key":"file"', '"key":"keyring"'))

    async def nothing(self: Vault, call: object) -> None:
        return None

    monkeypatch.setattr(Vault, "_keyring", nothing)
    return path.read_bytes()


async def test_a_lost_keyring_locks_live_accounts_and_not_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("OPENALGO_DATABASE_URL", raising=False)
    first = Terminal(TerminalOptions(data_dir=tmp_path, overrides=QUIET))
    await first.start()
    rows = await first.keys.all()
    await first.stop()
    (tmp_path / "config" / "vault.json").unlink(missing_ok=True)
    sealed = await lose_keyring(tmp_path, monkeypatch)
    terminal = Terminal(TerminalOptions(data_dir=tmp_path, overrides=QUIET, mode=Mode.LIVE))
    await terminal.start()
    try:
        assert terminal.desk.mode is Mode.SANDBOX
        assert "Live accounts are locked" in caplog.text
        with pytest.raises(AuthError, match="Live accounts are locked"):
            await terminal.desk.set_mode(Mode.LIVE, "window")
        key = await terminal.keys.default()
        assert key is not None and await terminal.keys.verify(key.reveal()) is not None
        assert await terminal.vault.get("session/zerodha") is None
        await terminal.vault.set("new", Secret("kept for the run"))
        assert await terminal.vault.get("new") == Secret("kept for the run")
    finally:
        await terminal.stop()
    assert (tmp_path / "config" / "vault.json").read_bytes() == sealed
    # The keys of the data folder are as they were, for when the keyring is back.
    with contextlib.closing(sqlite3.connect(tmp_path / "openalgo.db")) as database:
        found = database.execute("SELECT name FROM api_keys WHERE revoked_at IS NULL").fetchall()
    assert found == [(row.name,) for row in rows]


@posix
def test_sighup_stops_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "openalgo_desktop", "headless", "--data-dir", str(tmp_path)]
    command += ["--rest-port", "0", "--ws-port", "0"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline().startswith("REST http://127.0.0.1:")
    child.send_signal(signal.SIGHUP)
    assert child.wait(60) == 0
    assert not (tmp_path / "running.json").exists()
