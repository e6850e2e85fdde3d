"""The environment of a hosted script, as tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from openalgo_desktop.automation.host.environment import for_script, for_tools
from openalgo_desktop.automation.host.ports import Grant, Program
from openalgo_desktop.core.secret import Secret

OURS = {
    "PATH": "/usr/bin",
    "LANG": "en_IN.UTF-8",
    "LC_TIME": "hi_IN",
    "TZ": "Asia/Kolkata",
    "HOME": "/home/trader",
    "OPENALGO_VAULT_PASSPHRASE": "horse",
    "OPENALGO_DATABASE_URL": "postgresql://u:p@db/x",
    "BROKER_API_SECRET": "staple",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1000/bus",
    "SSH_AUTH_SOCK": "/tmp/agent",
    "HTTPS_PROXY": "http://user:pass@proxy:1",
    "PYTHONPATH": "/ours",
    "LD_PRELOAD": "/x.so",
    "PIP_INDEX_URL": "https://index/simple",
    "SYSTEMROOT": "C:\\Windows",
    "COMSPEC": "C:\\Windows\\cmd.exe",
    "APPDATA": "C:\\Users\\t\\AppData",
}
PROGRAM = Program(
    strategy_id="s1",
    name="Straddle",
    folder=Path("/p"),
    entry=Path("main.py"),
    exchange="NFO",
    variables={"LOTS": "2", "OPENALGO_API_KEY": "mine"},
)
GRANT = Grant(api_key=Secret("key-of-the-run"), host="http://127.0.0.1:5123", ws_url="ws://h:1")
OWN = {
    "OPENALGO_API_KEY": "key-of-the-run",
    "OPENALGO_HOST": "http://127.0.0.1:5123",
    "OPENALGO_WS_URL": "ws://h:1",
    "STRATEGY_ID": "s1",
    "STRATEGY_NAME": "Straddle",
    "OPENALGO_STRATEGY_EXCHANGE": "NFO",
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8",
    "LOTS": "2",
}
HOME, TEMPORARY = Path("/h"), Path("/t")


@pytest.mark.parametrize(
    ("windows", "venv", "expected"),
    [
        (
            False,
            None,
            {
                "PATH": "/usr/bin",
                "LANG": "en_IN.UTF-8",
                "LC_TIME": "hi_IN",
                "TZ": "Asia/Kolkata",
                "HOME": "/h",
                "TMPDIR": "/t",
            },
        ),
        (
            False,
            Path("/v"),
            {
                "PATH": "/v/bin:/usr/bin",
                "LANG": "en_IN.UTF-8",
                "LC_TIME": "hi_IN",
                "TZ": "Asia/Kolkata",
                "HOME": "/h",
                "TMPDIR": "/t",
                "VIRTUAL_ENV": "/v",
            },
        ),
        (
            True,
            None,
            {
                "PATH": "/usr/bin",
                "LC_TIME": "hi_IN",
                "TZ": "Asia/Kolkata",
                "SYSTEMROOT": "C:\\Windows",
                "COMSPEC": "C:\\Windows\\cmd.exe",
                "USERPROFILE": "/h",
                "TEMP": "/t",
                "TMP": "/t",
            },
        ),
    ],
)
def test_a_script_gets_this_and_nothing_else(
    windows: bool, venv: Path | None, expected: dict[str, str]
):
    found = for_script(
        PROGRAM, GRANT, home=HOME, temporary=TEMPORARY, venv=venv, ours=OURS, windows=windows
    )
    assert found == OWN | expected


def test_a_script_has_a_path_even_where_we_have_none():
    found = for_script(PROGRAM, GRANT, home=HOME, temporary=TEMPORARY, venv=None, ours={})
    assert "/usr/bin" in found["PATH"].split(":")


def test_pip_gets_the_way_to_its_index_and_no_secret_of_ours():
    found = for_tools(OURS)
    assert found["HTTPS_PROXY"] == OURS["HTTPS_PROXY"]
    assert found["PIP_INDEX_URL"] == OURS["PIP_INDEX_URL"]
    assert found["HOME"] == "/home/trader"
    for name in ("OPENALGO_VAULT_PASSPHRASE", "OPENALGO_DATABASE_URL", "BROKER_API_SECRET"):
        assert name not in found
    assert "PYTHONPATH" not in found and "LD_PRELOAD" not in found
