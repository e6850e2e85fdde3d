"""Settings under the names of an OpenAlgo server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openalgo_desktop.config.openalgo_env import (
    NAMES,
    database_url,
    env_settings,
    find_env_file,
    read_env_file,
)
from openalgo_desktop.config.settings import Settings, setting_row
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.shell.options import terminal_options
from openalgo_desktop.shell.parser import build_parser

ENV = """
# OpenAlgo
FLASK_HOST_IP='127.0.0.1'
FLASK_PORT = '5055'   # the port
export WEBSOCKET_PORT="8799"
ORDER_RATE_LIMIT=20 per second  # more
HOST_SERVER = 'https://trade.example.com'
CORS_ENABLED = 'FALSE'
CORS_ALLOWED_ORIGINS = 'http://elsewhere.example'
DATABASE_URL = 'sqlite:///db/openalgo.db'
BROKER_API_KEY = 'not ours'
not a line
"""


@pytest.fixture(autouse=True)
def _no_database_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A named file's database goes into the environment: never into that of other tests."""
    monkeypatch.setenv("OPENALGO_DATABASE_URL", "")
    monkeypatch.delenv("OPENALGO_DATABASE_URL")


def test_every_name_means_a_setting_that_exists() -> None:
    for row in NAMES:
        assert setting_row(row.setting).key == row.setting


def test_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(ENV)
    found = env_settings({}, read_env_file(path))
    assert found.values == {
        "api.host": "127.0.0.1",
        "api.rest_port": "5055",
        "api.ws_port": "8799",
        "limits.order": "20 per second",
        "api.allowed_hosts": "trade.example.com",
    }
    assert Settings(found.values)["api.rest_port"] == 5055


def test_environment_wins_over_the_file_and_loopback_is_no_public_name() -> None:
    file = {"FLASK_PORT": "5055", "HOST_SERVER": "http://127.0.0.1:5000"}
    assert env_settings({"FLASK_PORT": "6000"}, file).values == {"api.rest_port": "6000"}


def test_bad_value_names_the_variable() -> None:
    with pytest.raises(ConfigError, match=r"^FLASK_PORT: .*api\.rest_port"):
        env_settings({"FLASK_PORT": "none"}, {})


def test_sqlite_of_the_server_is_left_alone() -> None:
    assert database_url({"DATABASE_URL": "sqlite:///db/openalgo.db"}) == ""
    assert database_url({"DATABASE_URL": "postgresql://db/x"}) == "postgresql://db/x"


def test_another_program_s_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DJANGO_SECRET=1\n")
    assert find_env_file(tmp_path) is None


def parsed(*words: str) -> TerminalOptions:
    return terminal_options(build_parser().parse_args(["headless", *words]))


def test_set_option_wins_and_each_setting_knows_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / ".env").write_text(ENV)
    options = parsed("--data-dir", str(tmp_path), "--set", "api.rest_port=7000")
    assert options.overrides["api.rest_port"] == "7000"
    assert options.overrides["limits.order"] == "20 per second"
    assert options.origins["api.rest_port"] == "--set"
    path = tmp_path / "config" / ".env"
    assert options.origins["limits.order"] == f"ORDER_RATE_LIMIT of {path}"
    assert f"{path} gives api.host, api.rest_port, api.ws_port" in options.notes[0]


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.7", "example.com", "127.0.0.1.nip.io"]
)
@pytest.mark.parametrize("name", ["FLASK_HOST_IP", "WEBSOCKET_HOST"])
def test_no_variable_opens_the_machine(name: str, host: str) -> None:
    for found in (env_settings({name: host}, {}), env_settings({}, {name: host})):
        assert "api.host" not in found.values
        assert f"{name} of" in found.warnings[0]
        assert f"--set api.host={host}" in found.warnings[0]


def test_loopback_of_either_family_is_taken() -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        found = env_settings({"FLASK_HOST_IP": host, "WEBSOCKET_HOST": host}, {})
        assert (found.values, found.warnings) == ({"api.host": host}, ())


def test_every_web_page_is_never_let_in() -> None:
    file = {"CORS_ENABLED": "TRUE", "CORS_ALLOWED_ORIGINS": "https://a.example, *"}
    found = env_settings({}, file)
    assert found.values == {}
    assert "api.cors_origins" in found.warnings[0]


def test_a_file_in_the_current_folder_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENALGO_DATABASE_URL", raising=False)
    here, data = tmp_path / "here", tmp_path / "data"
    here.mkdir()
    (here / ".env").write_text("FLASK_PORT=1234\nDATABASE_URL=postgresql://elsewhere/db\n")
    monkeypatch.chdir(here)
    options = parsed("--data-dir", str(data))
    assert "api.rest_port" not in options.overrides
    assert "OPENALGO_DATABASE_URL" not in os.environ
    assert (
        parsed("--data-dir", str(data), "--env-file", ".env").overrides["api.rest_port"] == "1234"
    )


def test_the_database_counts_only_where_the_file_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENALGO_DATABASE_URL", "")
    monkeypatch.delenv("OPENALGO_DATABASE_URL")
    path = tmp_path / ".env"
    path.write_text("FLASK_PORT=5055\nDATABASE_URL=postgresql://db/x\n")
    options = parsed("--data-dir", str(tmp_path))
    assert options.overrides["api.rest_port"] == "5055"
    assert "OPENALGO_DATABASE_URL" not in os.environ
    assert any("only when the file is named" in note for note in options.notes)
    parsed("--data-dir", str(tmp_path), "--env-file", str(path))
    assert os.environ["OPENALGO_DATABASE_URL"] == "postgresql://db/x"


def test_public_names_of_both_servers_are_accepted() -> None:
    file = {"HOST_SERVER": "https://trade.example.com", "WEBSOCKET_URL": "wss://ws.example.com/ws"}
    assert env_settings({}, file).values == {
        "api.allowed_hosts": "trade.example.com,ws.example.com"
    }
    file = {"HOST_SERVER": "http://127.0.0.1:5000", "WEBSOCKET_URL": "ws://127.0.0.1:8765"}
    assert env_settings({}, file).values == {}


def test_what_means_nothing_here_is_named() -> None:
    file = {"SANDBOX_DATABASE_URL": "sqlite:///db/sandbox.db", "APP_KEY": "secret-of-theirs"}
    notes = env_settings({"LATENCY_DATABASE_URL": "x"}, file).notes
    assert any(note.startswith("LATENCY_DATABASE_URL of the environment is") for note in notes)
    assert any(note.startswith("SANDBOX_DATABASE_URL of .env is ignored") for note in notes)
    assert any("APP_KEY" in note for note in notes)
    assert "secret-of-theirs" not in str(notes)


def test_names_that_others_use_too_count_in_a_file_only() -> None:
    assert env_settings({"LOG_LEVEL": "DEBUG"}, {}).values == {}
    assert env_settings({}, {"LOG_LEVEL": "DEBUG"}).values == {"log.level": "DEBUG"}


def test_every_name_is_in_the_docs() -> None:
    root = Path(__file__).resolve().parents[3]
    text = (root / "docs" / "from-openalgo.md").read_text(encoding="utf-8")
    for row in NAMES:
        assert f"| `{row.name}` | `{row.setting}` |" in text
