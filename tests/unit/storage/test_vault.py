"""The vault: key file, passphrase, a real Secret Service, silence of a keyring."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from openalgo_desktop.core.errors import BadCredentials, ConfigError, StorageError
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.storage import vault as module
from openalgo_desktop.storage.vault import Vault


@pytest.fixture(autouse=True)
def no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "DBUS_SESSION_BUS_ADDRESS",
        "XDG_RUNTIME_DIR",
        module.PASSPHRASE_VARIABLE,
        module.CHOICE_VARIABLE,
    ):
        monkeypatch.delenv(name, raising=False)


async def opened(config: Path, **options: object) -> Vault:
    vault = Vault(config, **options)  # type: ignore[arg-type]
    await vault.open()
    return vault


async def revealed(vault: Vault, name: str) -> str | None:
    secret = await vault.get(name)
    return None if secret is None else secret.reveal()


async def test_key_file_vault_keeps_secrets_sealed_and_private(tmp_path: Path):
    vault = await opened(tmp_path)
    assert list(tmp_path.iterdir()) == []  # looking makes nothing
    await vault.set("broker.token", Secret("tok-123456"))
    await vault.set("gone", Secret("x" * 5000))
    await vault.delete("gone")
    again = await opened(tmp_path)
    assert await revealed(again, "broker.token") == "tok-123456"
    assert await again.get("gone") is None
    for name in ("vault.json", "vault.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert b"tok-123456" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert "vault.key" in vault.protection() and "passphrase" in vault.protection().lower()


async def test_given_key_file_is_used_and_needed(tmp_path: Path):
    key = tmp_path / "key"
    key.write_text("correct horse\n")
    vault = await opened(tmp_path / "config", key_file=key)
    await vault.set("a", Secret("1"))
    key.write_text("wrong horse")
    with pytest.raises(BadCredentials, match="does not open"):
        await opened(tmp_path / "config", key_file=key)
    key.unlink()
    with pytest.raises(StorageError, match="--vault-key-file"):
        await opened(tmp_path / "config", key_file=key)


async def test_passphrase_vault_opens_with_it_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(module.PASSPHRASE_VARIABLE, "open sesame")
    vault = await opened(tmp_path)
    await vault.set("a", Secret("one"))
    assert not (tmp_path / "vault.key").exists()
    assert "passphrase" in vault.protection()
    assert await revealed(await opened(tmp_path), "a") == "one"
    monkeypatch.setenv(module.PASSPHRASE_VARIABLE, "open barley")
    with pytest.raises(BadCredentials):
        await opened(tmp_path)
    monkeypatch.delenv(module.PASSPHRASE_VARIABLE)
    with pytest.raises(BadCredentials, match=module.PASSPHRASE_VARIABLE):
        await opened(tmp_path)


async def test_a_later_passphrase_protects_an_existing_vault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    await (await opened(tmp_path)).set("a", Secret("one"))
    monkeypatch.setenv(module.PASSPHRASE_VARIABLE, "open sesame")
    assert await revealed(await opened(tmp_path), "a") == "one"
    assert not (tmp_path / "vault.key").exists()
    monkeypatch.delenv(module.PASSPHRASE_VARIABLE)
    with pytest.raises(BadCredentials):
        await opened(tmp_path)


async def test_two_processes_do_not_lose_each_others_secrets(tmp_path: Path):
    first = await opened(tmp_path)
    await first.set("a", Secret("1"))
    second = await opened(tmp_path)
    await second.set("b", Secret("2"))
    await first.set("c", Secret("3"))
    last = await opened(tmp_path)
    assert [await revealed(last, name) for name in "abc"] == ["1", "2", "3"]


async def test_a_damaged_vault_is_an_error_not_an_empty_one(tmp_path: Path):
    await (await opened(tmp_path)).set("a", Secret("1"))
    path = tmp_path / "vault.json"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(StorageError, match=r"vault\.json"):
        await opened(tmp_path)


async def test_watchers_hear_every_secret(tmp_path: Path):
    await (await opened(tmp_path)).set("a", Secret("first-secret"))
    heard: list[str] = []
    vault = Vault(tmp_path)
    vault.watch(heard.append)
    await vault.open()
    await vault.set("b", Secret("second-secret"))
    assert heard == ["first-secret", "second-secret"]


async def test_a_silent_keyring_falls_back_for_a_new_vault_and_fails_for_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import keyring

    released, asked = threading.Event(), list[str]()

    class Silent(keyring.backend.KeyringBackend):
        name = "silent"
        priority = 1  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            asked.append(username)
            released.wait(60)
            return None

        def set_password(self, service: str, username: str, password: str) -> None:
            raise AssertionError("a keyring that does not answer is not written")

    monkeypatch.setattr(keyring, "get_keyring", Silent)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    vault = await opened(tmp_path, keyring_timeout=0.05)
    await vault.set("a", Secret("1"))
    assert len(asked) == 1
    assert "vault.key" in vault.protection()
    head = json.loads((tmp_path / "vault.json").read_text())
    (tmp_path / "vault.json").write_text(json.dumps({**head, "key": "keyring"}))
    with pytest.raises(StorageError, match="no answer within"):
        await opened(tmp_path, keyring_timeout=0.05)
    released.set()
    monkeypatch.setenv(module.CHOICE_VARIABLE, "sometimes")
    with pytest.raises(ConfigError, match="sometimes"):
        await opened(tmp_path / "new")


async def test_a_keyring_service_that_is_replaced_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import keyring.backend

    kept: dict[str, str] = {}
    gone = 1

    class Replaced(keyring.backend.KeyringBackend):
        name = "replaced"
        priority = 1  # type: ignore[assignment]

        def get_password(self, service: str, username: str) -> str | None:
            nonlocal gone
            if gone:
                gone -= 1
                raise RuntimeError("Message recipient disconnected from message bus without reply")
            return kept.get(username)

        def set_password(self, service: str, username: str, password: str) -> None:
            kept[username] = password

    monkeypatch.setattr(keyring, "get_keyring", Replaced)
    monkeypatch.setattr("openalgo_desktop.storage.vault._REPLACED_WAITS", (0.0, 0.0))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    await (await opened(tmp_path)).set("a", Secret("1"))
    assert list(kept) and not (tmp_path / "vault.key").exists()
    gone = 2
    await opened(tmp_path)
    gone = 3
    with pytest.raises(StorageError, match="disconnected"):
        await opened(tmp_path)


# -- a real Secret Service -----------------------------------------------------------------------

STEP = """
import asyncio, sys
from pathlib import Path
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.storage.vault import Vault
async def main(step, config):
    vault = Vault(Path(config))
    await vault.open()
    if step == "write":
        await vault.set("token", Secret("planted-4711"))
    secret = await vault.get("token")
    print(vault.protection().partition("OS keyring")[1:], secret.reveal() if secret else None)
asyncio.run(main(*sys.argv[1:]))
"""
SCRIPT = """
set -e
echo -n test-password | gnome-keyring-daemon --unlock --components=secrets >/dev/null
"$PY" -c "$STEP" write "$CONFIG"
"$PY" -c "$STEP" read "$CONFIG"
"$PY" -c "$STEP" read "$CONFIG-other"
"""


def test_real_secret_service_holds_the_key(tmp_path: Path):
    config = tmp_path / "config"
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_DATA_HOME": str(tmp_path / "share"),
        "PY": sys.executable,
        "STEP": STEP,
        "CONFIG": str(config),
    }
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", SCRIPT],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and all("OS keyring" in line for line in lines)
    assert lines[0].endswith("planted-4711") and lines[1].endswith("planted-4711")
    assert lines[2].endswith("None")  # another folder shares nothing
    assert [path.name for path in config.iterdir()] == ["vault.json"]  # no key beside it
    assert b"planted-4711" not in (config / "vault.json").read_bytes()
    # the keyring was really written, and outside of it the key is nowhere
    assert list((tmp_path / "share" / "keyrings").glob("*.keyring"))


async def test_the_vault_of_a_keyring_that_is_gone_stays_shut(tmp_path: Path):
    test_real_secret_service_holds_the_key(tmp_path)
    with pytest.raises(StorageError, match="OS keyring"):
        await opened(tmp_path / "config")


async def test_what_another_process_stores_is_seen(tmp_path: Path):
    """``openalgo-desktop login`` beside a running engine."""
    engine, login = Vault(tmp_path), Vault(tmp_path)
    await engine.open()
    await login.open()
    assert await engine.get("session") is None
    await login.set("session", Secret("first"))
    assert await engine.get("session") == Secret("first")
    await engine.set("mine", Secret("kept"))
    await login.set("session", Secret("second, longer"))
    assert await engine.get("session") == Secret("second, longer")
    assert await engine.get("mine") == Secret("kept")
