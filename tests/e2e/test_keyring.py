"""A real keyring (gnome-keyring) that loses the key of the vault: live accounts are locked, the
sandbox goes on, nothing on disk changes, and all is back when the keyring is."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.driver import NO_LIMITS, Program, run

TOOLS = ("dbus-run-session", "gnome-keyring-daemon")
pytestmark = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in TOOLS), reason=f"needs {' and '.join(TOOLS)}"
)

#: A session bus with an unlocked keyring; it lives until standard input ends.
SESSION = """
echo -n test-password | gnome-keyring-daemon --unlock --components=secrets >/dev/null
echo "$DBUS_SESSION_BUS_ADDRESS"
cat >/dev/null
"""


@contextmanager
def keyring(home: Path) -> Iterator[dict[str, str]]:
    """The environment of a session whose keyrings are below ``home``."""
    runtime = home / "run"
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    places = {"XDG_RUNTIME_DIR": str(runtime), "XDG_DATA_HOME": str(home / "share")}
    with subprocess.Popen(
        ["dbus-run-session", "--", "sh", "-c", SESSION],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), **places},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as session:
        assert session.stdout is not None and session.stdin is not None
        address = session.stdout.readline().strip()
        assert address.startswith("unix:")
        try:
            yield {**places, "DBUS_SESSION_BUS_ADDRESS": address, "OPENALGO_VAULT": ""}
        finally:
            session.stdin.close()


def order(program: Program, key: str) -> tuple[int, dict[str, Any]]:
    fields = {
        *(("apikey", key), ("strategy", "keyring"), ("symbol", "SBIN"), ("exchange", "NSE")),
        *(("action", "BUY"), ("quantity", 1), ("pricetype", "MARKET"), ("product", "MIS")),
    }
    with program.http() as http:
        status, body = http.post("/api/v1/placeorder", dict(fields))
    assert isinstance(body, dict)
    return status, body


def doctor(folder: Path, env: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
    code, text = run(folder, "doctor", "--json", env=env)
    return code, json.loads(text)


def test_a_lost_keyring_locks_live_accounts_and_leaves_the_sandbox(tmp_path: Path) -> None:
    folder = tmp_path / "data"

    def program(env: Mapping[str, str], *options: str) -> Program:
        return Program(folder, "--sim-frozen", *options, settings=NO_LIMITS, env=env)

    with keyring(tmp_path / "first") as env:
        with program(env) as running:
            key = running.api_key
            assert order(running, key)[0] == 200
            code, text = run(folder, "mode", "live", "--yes", env=env)
            assert code == 0, text
        code, found = doctor(folder, env)
        assert code == 0 and "its key in the OS keyring" in found["secrets"]
    vault = (folder / "config" / "vault.json").read_bytes()
    assert not (folder / "config" / "vault.key").exists()

    without_bus = {"OPENALGO_VAULT": "", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}
    with keyring(tmp_path / "second") as other:  # answers, and knows no such key
        for env, reason in ((other, "has no key for the vault"), (without_bus, "Unlock it")):
            with program(env, "--mode", "live") as running:
                assert running.ready["mode"] == "sandbox"
                assert "only the sandbox runs" in running.output and reason in running.output
                assert order(running, running.api_key)[0] == 200
                assert order(running, key)[0] == 403  # the keys of the folder are locked too
                code, text = run(folder, "mode", "live", "--yes", env=env)
                assert code == 2 and "Live accounts are locked" in text
                assert run(folder, "mode", "get", env=env)[1].strip() == "sandbox"
                code, text = run(folder, "accounts", "connect", "zerodha", env=env)
                assert code == 0 and "needs a login" in text
                code, found = doctor(folder, env)
                assert code == 1 and reason in found["problems"][0]
                assert found["running"]["secrets"].startswith("locked")
            assert (folder / "config" / "vault.json").read_bytes() == vault

    with keyring(tmp_path / "first") as env, program(env, "--mode", "live") as running:
        assert running.ready["mode"] == "live"
        assert running.api_key == key
        assert run(folder, "mode", "sandbox", env=env)[0] == 0
        assert order(running, key)[0] == 200
        assert len(running.call("orderbook")["data"]["orders"]) == 4  # of all four runs
        assert doctor(folder, env)[1]["problems"] == []
