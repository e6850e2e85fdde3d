"""The headless program as a process of its own, and a plain HTTP client to talk to it.

Used by the end-to-end tests, the golden runner and benchmarks: nothing here imports the program.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT = 150.0  # a busy machine; a start takes about two seconds
STOP_TIMEOUT = 60.0

#: Limits out of the way, for tests that are not about limits.
NO_LIMITS = (
    "limits.api=100000 per second",
    "limits.order=100000 per second",
    "limits.smart=100000 per second",
    "limits.greeks=100000 per second",
    "limits.webhook=100000 per second",
)


#: Ports below those that a system gives to who asks for any: nobody takes one in the seconds until
#: its program listens. Each process of tests begins elsewhere.
_PORTS = (10_000 + number % 20_000 for number in itertools.count(os.getpid() * 101))


def free_port() -> int:
    """A port for a program that has to be found there again."""
    for port in _PORTS:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


def environment(home: Path) -> dict[str, str]:
    """An environment in which the program finds nothing of the tester's own."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("OPENALGO")}
    env.update(
        HOME=str(home),
        USERPROFILE=str(home),
        OPENALGO_VAULT="file",
        PYTHONUNBUFFERED="1",
        PYTHONPATH=str(ROOT),
        TZ="UTC",  # the program's times are IST wherever it runs
    )
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "DISPLAY"):
        env.pop(name, None)
    return env


class Program:
    """``openalgo-desktop headless`` (or ``gui``) in a data folder. A context manager: started
    inside, and stopped by SIGTERM with exit code 0 at the end."""

    def __init__(
        self,
        data_dir: Path,
        *options: str,
        settings: Sequence[str] = NO_LIMITS,
        env: Mapping[str, str] | None = None,
        command: str = "headless",
        module: Sequence[str] = ("openalgo_desktop",),
    ) -> None:
        self.command = command
        self._module = module
        self.data_dir = data_dir
        self.options = options
        self.settings = settings
        self.ready: dict[str, Any] = {}
        self._env = {**environment(data_dir), **(env or {})}
        self.started = 0.0  # by the monotonic clock
        self._process: subprocess.Popen[bytes] | None = None
        self._log = data_dir.parent / f"{data_dir.name}.out"

    # -- life -------------------------------------------------------------------------------
    def start(self) -> Self:
        """Start and wait until the program says that everything answers."""
        ready_file = self.data_dir.parent / f"{self.data_dir.name}.ready"
        ready_file.unlink(missing_ok=True)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        command = [
            *(sys.executable, "-m", *self._module, self.command),
            *("--broker", "simulator", "--data-dir", str(self.data_dir)),
            *("--rest-port", "0", "--ws-port", "0", "--ready-file", str(ready_file)),
            *("--set", "ui.first_run=false"),
            *(part for setting in self.settings for part in ("--set", setting)),
            *self.options,
        ]
        self.started = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.data_dir,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not ready_file.exists():
            if self._process.poll() is not None:
                raise AssertionError(
                    f"the program ended with {self._process.returncode}:\n{self.output}"
                )
            if time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"not ready after {START_TIMEOUT} s:\n{self.output}")
            time.sleep(0.02)
        self.ready = json.loads(ready_file.read_text())
        return self

    def stop(self) -> int:
        """Ask to end (SIGTERM) and give the exit code."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {STOP_TIMEOUT} s after SIGTERM") from None

    def ended(self, timeout: float = STOP_TIMEOUT) -> int:
        """Wait until it has ended by itself, and give the exit code."""
        assert self._process is not None
        return self._process.wait(timeout)

    def kill(self) -> None:
        """End without warning, as a crash does."""
        assert self._process is not None
        if os.name == "posix":
            self._process.send_signal(signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait(STOP_TIMEOUT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        if (code := self._process.poll()) is not None:
            if error is not None:  # it may have failed because the program was gone
                error.add_note(f"the program ended with {code}:\n{self.output[-4000:]}")
            return
        if error is not None:
            error.add_note(f"the program said:\n{self.output[-4000:]}")
        code = self.stop()
        if error is None:
            assert code == 0, f"exit code {code}:\n{self.output}"

    # -- what it says ---------------------------------------------------------------------
    @property
    def pid(self) -> int:
        """Process id."""
        return int(self.ready["pid"])

    @property
    def api_key(self) -> str:
        return str(self.ready["api_key"])

    @property
    def rest_url(self) -> str:
        return str(self.ready["rest_url"])

    @property
    def ws_url(self) -> str:
        return str(self.ready["ws_url"])

    @property
    def output(self) -> str:
        """Everything printed so far, over all starts in this data folder."""
        return self._log.read_text(errors="replace")

    # -- REST -----------------------------------------------------------------------------
    def http(self) -> Http:
        """A keep-alive connection to the REST server."""
        return Http(self.rest_url)

    def call(self, endpoint: str, **fields: Any) -> dict[str, Any]:
        """POST to ``/api/v1/<endpoint>`` with the key; the answer must be a success."""
        with self.http() as http:
            status, body = http.post(f"/api/v1/{endpoint}", {"apikey": self.api_key, **fields})
        assert status == 200, (endpoint, status, body)
        assert isinstance(body, dict)
        return body

    def control(self, **payload: Any) -> dict[str, Any]:
        """``POST /simulator/control`` (needs ``--sim-control``)."""
        with self.http() as http:
            status, body = http.post("/simulator/control", {"apikey": self.api_key, **payload})
        assert status == 200, (payload, status, body)
        assert isinstance(body, dict)
        return body


class Http:
    """One keep-alive connection that speaks JSON."""

    def __init__(self, url: str, timeout: float = 60.0) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=timeout
        )

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers (lower-case names) of one exchange."""
        self._connection.request(method, path, body, dict(headers or {}))
        response = self._connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        return response.status, text, {k.lower(): v for k, v in response.getheaders()}

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        """Status and decoded body of a JSON POST."""
        content = json.dumps(body).encode()
        status, text, _ = self.request("POST", path, content, {"Content-Type": "application/json"})
        return status, json.loads(text)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run(
    folder: Path, *arguments: str, text: str = "", env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Exit code and output of one command on a data folder; ``text`` is its input."""
    done = run_command(folder, *arguments, text=text, env=env)
    return done.returncode, done.stdout + done.stderr


def command_line(command: str) -> list[str]:
    """How to run a command of the program with this interpreter."""
    return [sys.executable, "-m", "openalgo_desktop", command]


def run_command(
    data_dir: Path,
    command: str,
    *options: str,
    text: str = "",
    env: Mapping[str, str] | None = None,
    timeout: float = START_TIMEOUT,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*command_line(command), *options, "--data-dir", str(data_dir)],
        env={**environment(data_dir), **(env or {})},
        input=text,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
