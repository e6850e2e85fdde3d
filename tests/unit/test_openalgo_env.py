"""Settings under the names of an OpenAlgo server."""

from __future__ import annotations

from pathlib import Path

import pytest

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.openalgo_env import (
    NAMES,
    database_url,
    find_env_file,
    overrides,
    read_env_file,
)
from openalgo_desktop.settings import Settings, setting_row
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


def test_every_name_means_a_setting_that_exists() -> None:
    for row in NAMES:
        assert setting_row(row.setting).key == row.setting


def test_file(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(ENV)
    found = overrides({}, read_env_file(path))
    assert found == {
        "api.host": "127.0.0.1",
        "api.rest_port": "5055",
        "api.ws_port": "8799",
        "limits.order": "20 per second",
        "api.allowed_hosts": "trade.example.com",
    }
    assert Settings(found)["api.rest_port"] == 5055


def test_environment_wins_over_the_file_and_loopback_is_no_public_name() -> None:
    file = {"FLASK_PORT": "5055", "HOST_SERVER": "http://127.0.0.1:5000"}
    assert overrides({"FLASK_PORT": "6000"}, file) == {"api.rest_port": "6000"}


def test_bad_value_names_the_variable() -> None:
    with pytest.raises(ConfigError, match=r"^FLASK_PORT: .*api\.rest_port"):
        overrides({"FLASK_PORT": "none"}, {})


def test_sqlite_of_the_server_is_left_alone() -> None:
    assert database_url({"DATABASE_URL": "sqlite:///db/openalgo.db"}) == ""
    assert database_url({"DATABASE_URL": "postgresql://db/x"}) == "postgresql://db/x"


def test_another_program_s_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DJANGO_SECRET=1\n")
    assert find_env_file(None, tmp_path) is None


def test_set_option_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(ENV)
    parser = build_parser()
    args = parser.parse_args(["headless", "--set", "api.rest_port=7000"])
    options = terminal_options(args)
    assert options.overrides["api.rest_port"] == "7000"
    assert options.overrides["limits.order"] == "20 per second"


def test_every_name_is_in_the_docs() -> None:
    root = Path(__file__).resolve().parents[2]
    text = (root / "docs" / "from-openalgo.md").read_text(encoding="utf-8")
    for row in NAMES:
        assert f"| `{row.name}` | `{row.setting}` |" in text
