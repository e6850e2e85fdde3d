"""The wheel works elsewhere: built, installed into a fresh environment, run headless, stopped.

Nothing is downloaded: the fresh environment borrows the dependencies of the one that runs the
tests, but not the project itself.
"""

from __future__ import annotations

import configparser
import json
import os
import signal
import struct
import subprocess
import sys
import sysconfig
import time
import tomllib
import urllib.request
import zipfile
from email import message_from_string
from pathlib import Path
from xml.etree import ElementTree

import pytest

from openalgo_desktop import __version__
from openalgo_desktop.runtime import about

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
WINDOWS = os.name == "nt"
START_SECONDS = 150.0


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the programs of a fresh environment that has the wheel installed."""
    home = tmp_path_factory.mktemp("elsewhere") / "env"
    _run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home.parent)
    folder = home / ("Scripts" if WINDOWS else "bin")
    python = folder / ("python.exe" if WINDOWS else "python")
    _run(
        sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index",
        "--disable-pip-version-check", wheel, cwd=home.parent,
    )  # fmt: skip
    site = _run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home)
    # A path line adds the folder without running its .pth files: the checkout stays unknown.
    borrowed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(site.strip()) / "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    return folder


def test_wheel_carries_resources_licence_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {
        "openalgo_desktop/_resources/" + path.relative_to(ROOT / "resources").as_posix()
        for path in (ROOT / "resources").rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }
    assert shipped <= names
    assert not [name for name in names if name.endswith(".pyc")]
    assert {name.split("/")[0].split("-")[0] for name in names} == {"openalgo_desktop"}
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_wheel_metadata(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
    (scripts,) = (n for n in archive.namelist() if n.endswith("entry_points.txt"))
    text = archive.read(metadata).decode()
    head = message_from_string(text)
    assert (head["Name"], head["Version"]) == (about.DISTRIBUTION, __version__)
    assert head["License-Expression"] == about.LICENCE
    assert head["License-File"] == "LICENSE"
    assert head["Author"] == "The authors of OpenAlgo Desktop"
    assert "openalgo.in" not in str(head.items())  # that site is not ours
    assert (
        "openalgo-desktop = openalgo_desktop.shell.entrance:main" in archive.read(scripts).decode()
    )


def test_installed_program_runs_headless_and_stops(programs: Path, tmp_path: Path) -> None:
    python = programs / ("python.exe" if WINDOWS else "python")
    where = _run(
        python, "-P", "-c", "import openalgo_desktop as o; print(o.__file__)", cwd=tmp_path
    )
    assert programs.parent in Path(where.strip()).parents, "the checkout was imported"

    ready = tmp_path / "ready.json"
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "DISPLAY", "DBUS"))}
    env["HOME"] = str(tmp_path)
    log = tmp_path / "output.txt"
    with log.open("w") as output:
        program = subprocess.Popen(
            [
                programs / "openalgo-desktop", "headless", "--data-dir", tmp_path / "data",
                "--rest-port", "0", "--ws-port", "0", "--ready-file", ready,
            ],
            cwd=tmp_path, env=env, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready.exists():
            assert program.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        facts = json.loads(ready.read_text())
        assert facts["pid"] == program.pid
        assert _ping(facts["rest_url"], facts["api_key"])["status"] == "success"
        program.send_signal(signal.SIGTERM)
        assert program.wait(START_SECONDS) == 0, log.read_text()
    finally:
        if program.poll() is None:
            program.kill()
            program.wait()
    assert not ready.exists()


def _ping(rest_url: str, key: str) -> dict[str, str]:
    request = urllib.request.Request(
        f"{rest_url}/api/v1/ping",
        json.dumps({"apikey": key}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer))


def test_licence_is_the_one_declared() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in text[:200]
    assert "END OF TERMS AND CONDITIONS" in text


def test_desktop_entry_starts_the_installed_command() -> None:
    file = configparser.ConfigParser(interpolation=None, strict=True)
    file.optionxform = str  # type: ignore[assignment,method-assign]
    file.read(PACKAGING / "openalgo-desktop.desktop", encoding="utf-8")
    entry = file["Desktop Entry"]
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert entry["Type"] == "Application"
    assert entry["Name"] == "OpenAlgo Desktop"
    assert entry["Terminal"] == "false"
    assert entry["Exec"].split()[0] in scripts
    assert entry["TryExec"] in scripts
    assert (PACKAGING / f"{entry['Icon']}.svg").exists()
    for key in ("Categories", "Keywords"):
        assert entry[key].endswith(";")


def test_icon_is_a_picture_and_the_window_uses_the_same() -> None:
    png = (PACKAGING / "openalgo-desktop.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", png[16:24]) == (256, 256)
    svg = (PACKAGING / "openalgo-desktop.svg").read_bytes()
    assert ElementTree.fromstring(svg).tag.endswith("}svg")
    icons = ROOT / "resources" / "icons"
    assert (icons / "app.png").read_bytes() == png
    assert (icons / "app.svg").read_bytes() == svg
