"""The files of docs/broker-walkthrough.md, written down in a copy of the project, make a broker
that passes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "broker-walkthrough.md"
_FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.M | re.S)
_SHOWN = {"__init__.py", "spec.py", "master.py", "feed.py", "meridian.json"}
_COPIED = ("openalgo_desktop", "tests", "resources", "docs", "pyproject.toml")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with what a reader of the page has added."""
    place = tmp_path_factory.mktemp("reader")
    ignored = shutil.ignore_patterns("__pycache__", "*.png")
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=ignored)
        else:
            shutil.copy(source, place / name)
    files = dict(_FILE.findall(PAGE.read_text(encoding="utf-8")))
    assert {Path(name).name for name in files} == _SHOWN
    for name, text in files.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return place


@pytest.mark.parametrize(
    ("tests", "least"),
    [
        (["tests/wire"], 20),
        (["tests/contract"], 10),
    ],
    ids=["wire", "contract"],
)
def test_the_page_makes_a_broker_that_passes(project: Path, tests: list[str], least: int) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "WIRE_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "meridian", *tests],
        check=False,
        cwd=project,
        env={**env, "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert (passed := re.search(r"(\d+) passed", done.stdout)) and int(passed[1]) >= least
