"""Side environments: other makers' packages, kept out of the project's own environment.

``run`` makes a virtual environment under ``.side-env/`` the first time it is asked for a list of
requirements, and runs a script in it as a subprocess that cannot open network connections. Data
goes in and out as JSON over standard input and output.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".side-env"
INSTALL_TIMEOUT = 300.0

#: Runs before the script. An audit hook cannot be taken off again by the code that it watches.
_NO_NETWORK = """
import runpy, sys
def deny(event, args):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        raise PermissionError(f"{event}: no network in a side environment")
sys.addaudithook(deny)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@functools.cache
def newer_python(minimum: tuple[int, int]) -> Path | None:
    """An interpreter of at least that version on this machine: the oldest that will do."""
    if sys.version_info[:2] >= minimum:
        return Path(sys.executable)
    places = [Path.home() / ".pyenv" / "versions", Path(os.environ.get("PYENV_ROOT", "/none"))]
    for minor in range(minimum[1], minimum[1] + 6):
        name = f"python{minimum[0]}.{minor}"
        found = shutil.which(name)
        candidates = [Path(found)] if found else []
        for place in places:
            candidates += sorted(place.glob(f"{minimum[0]}.{minor}.*/bin/python"))
        for candidate in candidates:
            if _works(candidate, (minimum[0], minor)):
                return candidate
    return None


def _works(python: Path, version: tuple[int, int]) -> bool:
    """Whether it runs and is what its name says (a version manager's shim may be neither)."""
    code = "import sys, venv, ensurepip; print(*sys.version_info[:2])"
    try:
        done = subprocess.run(
            [python, "-c", code], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.split() == [str(part) for part in version]


def python_of(requirements: Sequence[str], base: Path | None = None, *, deps: bool = True) -> Path:
    """The interpreter of an environment that has exactly these requirements installed, made
    from ``base`` (default: the interpreter that runs this); without ``deps`` nothing that they
    require comes with them."""
    text = "\n".join((str(base or sys.version), *requirements, *(() if deps else ("bare",))))
    place = (
        HOME / f"{requirements[0].split('=')[0]}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    )
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists():
        return python
    HOME.mkdir(exist_ok=True)
    # Built beside its place and moved there whole, so that a run beside this one never sees half
    # of it; interpreters start from their own path, so a moved environment works.
    building = Path(tempfile.mkdtemp(prefix="building-", dir=HOME))
    try:
        made = building / python.relative_to(place)
        maker = [base or sys.executable, "-m", "venv", "--without-pip", building]
        # our own pip puts them there: one more would be most of the work
        pip = [sys.executable, "-m", "pip", "--python", made, "install", "--no-compile"]
        pip += [] if deps else ["--no-deps"]
        quiet = ["--quiet", "--disable-pip-version-check"]
        for command in (maker, [*pip, *quiet, *requirements]):
            subprocess.run(command, check=True, timeout=INSTALL_TIMEOUT)
        try:
            building.rename(place)
        except OSError:
            if not python.exists():
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return python


def run(
    requirements: Sequence[str],
    script: Path,
    data: Any,
    timeout: float = 300.0,
    *,
    deps: bool = True,
) -> Any:
    """The JSON that ``script`` writes, given ``data`` as JSON; its errors fail the caller."""
    done = subprocess.run(
        [python_of(requirements, deps=deps), "-c", _NO_NETWORK, str(script)],
        input=json.dumps(data).encode(),
        capture_output=True,
        timeout=timeout,
        env={"TZ": "Asia/Kolkata", "PATH": os.environ.get("PATH", "")},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{script.name} failed:\n{done.stderr.decode(errors='replace')}")
    return json.loads(done.stdout)
