"""One recorded exchange, as rules and the runner see it."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

API = "/api/v1"
#: Letters of an answer that is no JSON which the recordings keep.
TEXT_KEPT = 1500
_DATA = Path(__file__).resolve().parents[1] / "data"
#: The transcripts that are replayed, and the symbols that they were recorded with.
FOLDER = Path(os.environ.get("GOLDEN") or _DATA / "golden").absolute()
_OWN_FIXTURE = FOLDER / "fixture_symbols.json"
FIXTURE = _OWN_FIXTURE if _OWN_FIXTURE.exists() else _DATA / "fixture_symbols.json"


def transcripts(kind: str) -> list[str]:
    """Names of the transcripts of a kind: ``rest``, ``stream`` or ``sdk``, by their content."""
    return [path.stem for path in sorted(FOLDER.glob("*.json")) if _kind(path) == kind]


def _kind(path: Path) -> str:
    content = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(content, dict):
        return "sdk" if "calls" in content else ""
    first = content[0] if content and isinstance(content[0], dict) else {}
    if "frames" in first:
        return "stream"
    return "rest" if "case" in first else ""


@functools.cache
def fixture_rows() -> list[dict[str, Any]]:
    """The symbols of the recording."""
    rows: list[dict[str, Any]] = json.loads(FIXTURE.read_text(encoding="utf-8"))
    return rows


@functools.cache
def tick_sizes() -> dict[str, float]:
    """Tick size of ``EXCHANGE:SYMBOL``."""
    return {f"{row['exchange']}:{row['symbol']}": row["tick_size"] for row in fixture_rows()}


@dataclass
class Case:
    """A request with the recorded answer. ``live`` tells the mode it was recorded in.

    A WebSocket frame is a case of the endpoint ``ws``: the request is what the client sent last,
    the answer is the frame.
    """

    endpoint: str
    name: str = ""
    method: str = "POST"
    path: str = ""
    headers: dict[str, str | None] = field(default_factory=dict)
    raw_body: str | None = None
    request: Any = None  # decoded body; None when there is none or it is not JSON
    query: dict[str, str] = field(default_factory=dict)
    status: int = 200
    body: Any = None
    answer_headers: dict[str, str | None] = field(default_factory=dict)
    live: bool = False
    save: dict[str, str] = field(default_factory=dict)
    before: list[Case] = field(default_factory=list)  # the same transcript up to here

    @property
    def fields(self) -> dict[str, Any]:
        """The request body when it is an object, else nothing."""
        return self.request if isinstance(self.request, dict) else {}

    @property
    def message(self) -> Any:
        """The recorded ``message``."""
        return self.body.get("message") if isinstance(self.body, dict) else None

    @property
    def ok(self) -> bool:
        """Recorded as a success."""
        return self.status == 200 and not (
            isinstance(self.body, dict) and self.body.get("status") == "error"
        )


def read_case(row: dict[str, Any], live: bool) -> Case:
    """A row of a transcript that has a request."""
    request, response = row["request"], row["response"]
    parts = urlsplit(request["path"])
    endpoint = parts.path.removeprefix(API).strip("/")
    raw = request.get("raw_body")
    body = request.get("body")
    if raw is not None:
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
    return Case(
        endpoint=endpoint.split("/")[0] if endpoint.startswith("ticker/") else endpoint,
        name=row["case"],
        method=request["method"],
        path=request["path"],
        headers=request.get("headers") or {},
        raw_body=raw,
        request=body,
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        status=response["status"],
        body=response["body"],
        answer_headers=response.get("headers") or {},
        live=live,
        save=row.get("save") or {},
    )


def switches_mode(case: Case) -> bool | None:
    """True or False when the recorded answer says that the mode is live or analyze from now on."""
    if case.endpoint != "analyzer/toggle" or case.status != 200:
        return None
    return not case.body["data"]["analyze_mode"]


def read_rows(path: Path) -> Iterator[dict[str, Any] | Case]:
    """The steps of a REST transcript: cases, and control steps (``ctl``, ``wait``) as they are."""
    live = False
    before: list[Case] = []
    for row in json.loads(path.read_text(encoding="utf-8")):
        if "request" not in row:
            yield row
            continue
        case = read_case(row, live)
        case.before = list(before)
        before.append(case)
        yield case
        switched = switches_mode(case)
        live = live if switched is None else switched


def stream_cases(path: Path) -> Iterator[Case]:
    """The frames of WebSocket conversations as cases, for rules."""
    for row in json.loads(path.read_text(encoding="utf-8")):
        sent: Any = None
        for frame in row["frames"]:
            if "send" in frame:
                sent = frame["send"]
            elif "recv" in frame:
                yield Case("ws", row["case"], "WS", request=sent, body=frame["recv"])
