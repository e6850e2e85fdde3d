"""A request to the local API as the builder sends it and as text for a shell or a script."""

from __future__ import annotations

import asyncio
import json
import shlex
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

from openalgo_desktop.core.secret import Secret

TIMEOUT = 30.0
#: Stands for the key in copied texts, unless the user wants the key itself in them.
PLACEHOLDER = "YOUR_API_KEY"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """``body`` holds no key; it is added when the call is sent or copied. Of a GET it is what the
    address asks."""

    method: str
    url: str
    body: dict[str, Any]

    @property
    def address(self) -> str:
        """Where it goes, with the fields of a GET."""
        if self.method != "GET" or not self.body:
            return self.url
        return f"{self.url}?{urllib.parse.urlencode(self.body)}"

    def full_body(self, key: str) -> dict[str, Any]:
        """The body with the key in front."""
        return {"apikey": key, **self.body}

    def as_curl(self, key: str = PLACEHOLDER) -> str:
        """One command for a POSIX shell."""
        if self.method == "GET":
            return f"curl -s {shlex.quote(self.address)} -H {shlex.quote(f'X-API-KEY: {key}')}"
        data = json.dumps(self.full_body(key), ensure_ascii=False)
        return (
            f"curl -s -X {self.method} {shlex.quote(self.url)} "
            f"-H 'Content-Type: application/json' -d {shlex.quote(data)}"
        )

    def as_python(self, key: str = PLACEHOLDER) -> str:
        """A script that needs the ``requests`` package."""
        lines = ["import requests", ""]
        if self.method == "GET":
            lines += [
                f"headers = {{'X-API-KEY': {key!r}}}",
                f"answer = requests.get({self.address!r}, headers=headers, timeout=30)",
            ]
        else:
            lines += [
                f"body = {_literal(self.full_body(key))}",
                f"answer = requests.request({self.method!r}, {self.url!r}, json=body, timeout=30)",
            ]
        lines.append("print(answer.status_code, answer.json())")
        return "\n".join(lines) + "\n"


def _literal(value: dict[str, Any]) -> str:
    rows = "".join(f"    {name!r}: {part!r},\n" for name, part in value.items())
    return "{\n" + rows + "}"


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` 0 means that no answer came; ``text`` is readable JSON or the reason."""

    status: int
    milliseconds: float
    text: str


async def send(call: ApiCall, key: Secret) -> Answer:
    """Send over the wire like any other client; never raises for what the server says."""
    return await asyncio.to_thread(_send, call, key)


def _send(call: ApiCall, key: Secret) -> Answer:
    headers = {"Content-Type": "application/json", "X-API-KEY": key.reveal()}
    data = None
    if call.method != "GET":
        data = json.dumps(call.full_body(key.reveal())).encode()
    request = urllib.request.Request(call.address, data, headers, method=call.method)
    started = time.perf_counter()
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            status, raw = response.status, response.read()
    except urllib.error.HTTPError as error:
        status, raw = error.code, error.read()
    except OSError as error:
        return Answer(0, (time.perf_counter() - started) * 1000.0, f"No answer: {error}")
    spent = (time.perf_counter() - started) * 1000.0
    return Answer(status, spent, pretty(raw.decode("utf-8", "replace")))


def pretty(text: str) -> str:
    """JSON indented; other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
