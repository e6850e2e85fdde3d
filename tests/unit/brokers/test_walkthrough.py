"""The files of docs/broker-walkthrough.md, written down, make a broker that passes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "broker-walkthrough.md"
_FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.M | re.S)
_SHOWN = {"__init__.py", "spec.py", "master.py", "feed.py", "meridian.json"}
#: Puts the reader's folder beside our brokers.
_PLUGIN = """
import openalgo_desktop.brokers as home
home.__path__.append({place!r})
"""


def test_the_page_makes_a_broker_that_passes(tmp_path: Path) -> None:
    files = dict(_FILE.findall(PAGE.read_text(encoding="utf-8")))
    assert {Path(name).name for name in files} == _SHOWN
    for name, text in files.items():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    brokers = tmp_path / "openalgo_desktop" / "brokers"
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "reader.py").write_text(_PLUGIN.format(place=str(brokers)), encoding="utf-8")
    vectors = tmp_path / "tests" / "data" / "vectors" / "wire"
    tests = ["tests/wire/test_recorded.py", "tests/wire/test_streams.py"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "reader", "-p", "no:cacheprovider", *tests],
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(plugins), "WIRE_VECTORS": str(vectors)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert (passed := re.search(r"(\d+) passed", done.stdout)) and int(passed[1]) >= 20
