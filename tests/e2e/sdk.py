"""The public `openalgo` client in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.driver import Program, environment

CHILD = Path(__file__).with_name("sdk_child.py")


class SdkError(AssertionError):
    """The client raised."""


class Sdk:
    """A client connected to ``program``; methods of the client are called by name."""

    def __init__(self, program: Program, python: str | Path = sys.executable) -> None:
        env = environment(program.data_dir)
        env.pop("PYTHONPATH")  # it sees the client's package and nothing of ours
        self._process = subprocess.Popen(
            [str(python), str(CHILD)],
            cwd=program.data_dir,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = self._ask(
            {
                "api_key": program.api_key,
                "rest_url": program.rest_url,
                "ws_url": program.ws_url,
            }
        )

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SdkError(f"the client's process ended ({self._process.wait(60)})")
        answer = json.loads(line)
        if "error" in answer:
            raise SdkError(f"{request.get('method')}: {answer['error']}")
        return answer["result"]

    def call(self, method: str, *args: Any, api_key: str | None = None, **kwargs: Any) -> Any:
        """The result of one method; a DataFrame comes described."""
        request: dict[str, Any] = {"method": method, "args": args, "kwargs": kwargs}
        if api_key is not None:
            request["api_key"] = api_key
        return self._ask(request)

    def good(self, method: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The result of one method, which must be a success."""
        result = self.call(method, *args, **kwargs)
        assert isinstance(result, dict), (method, result)
        assert result.get("status") == "success", (method, kwargs, result)
        return result

    def events(self, count: int, timeout: float = 60.0) -> list[dict[str, Any]]:
        """What the stream callbacks got since the last question, at least ``count`` of it."""
        got: list[dict[str, Any]] = self.call("@events", count=count, timeout=timeout)
        assert len(got) >= count, f"{len(got)} of {count} events in {timeout} s: {got}"
        return got

    def close(self) -> None:
        """End the client's process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(60)
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
