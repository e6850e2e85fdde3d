"""Requests generated from the OpenAPI document: no 5xx, no hang, nothing in the log."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests import side_env
from tests.e2e.driver import Program

REQUIREMENTS = ("schemathesis==4.32.5",)
#: Its documented answer is 500: existing clients know it.
DOCUMENTED = "telegram/stop"
HERE = Path(__file__).resolve().parent


def campaign(folder: Path, seconds: int) -> None:
    python = side_env.python_of(REQUIREMENTS)
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        "PYTHONPATH": str(HERE),
    }
    with Program(folder / "data") as program:
        done = subprocess.run(
            [
                *(python, "-m", "schemathesis.cli", "run", f"{program.rest_url}/openapi.json"),
                *("--phases", "coverage,fuzzing", "--max-time", str(seconds)),
                *("--checks", "no_unexpected_5xx", "--max-response-time", "60"),
                *("--exclude-path-regex", DOCUMENTED, "--warnings", "off", "--no-color"),
                *("--workers", "2", "--continue-on-failure"),
            ],
            cwd=folder,
            env=environment | {"API_KEY": program.api_key},
            capture_output=True,
            text=True,
            timeout=seconds * 3 + 120,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        assert "Tested:" in done.stdout
        answer = program.call("ping")
        assert answer["data"]["message"] == "pong"
        assert "Traceback" not in program.output, program.output[-4000:]


def test_bounded(tmp_path: Path) -> None:
    campaign(tmp_path, 8)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_long(tmp_path: Path) -> None:
    campaign(tmp_path, 600)
