"""Makes the reference of the API from the program itself: example answers and ``docs/api.md``.

``python -m tests.api.reference`` starts the program on its simulated market at a fixed moment,
asks every endpoint its example, and writes ``resources/api/answers.json`` (shown by the page
``/docs`` and the OpenAPI document) and the page of the docs. A test asks again and compares forms.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.e2e.driver import ROOT, Program
from tests.e2e.made import plant
from tests.waiting import wait_for

ANSWERS = ROOT / "resources" / "api" / "answers.json"
PAGE = ROOT / "docs" / "api.md"
MOMENT = "2026-11-20T11:00:00+05:30"
#: Rows of a long list that are kept.
ROWS = 2
KEY = "YOUR_KEY"
#: Query of the GET endpoints, and the rest of paths that have one.
QUERIES: dict[str, dict[str, str]] = {
    "/api/v1/ticker/*": {
        "interval": "D",
        "from": "2026-11-19",
        "to": "2026-11-20",
        "format": "json",
    },
    "/api/v1/instruments": {"exchange": "MCX"},
    "/api/v1/chart": {},
    "/api/v1/telegram/preferences": {"telegram_id": "4711"},
    "/health/status": {},
    "/docs": {},
    "/openapi.json": {},
}
RESTS = {"/api/v1/ticker/*": "NSE:SBIN"}
#: Pages and documents: what they are is said, not shown; and what only tests open.
NOT_SHOWN = frozenset({"/docs", "/openapi.json", "/simulator/control"})
#: What needs a Telegram bot, and the answer of a program that has none.
NO_BOT = {
    "/api/v1/telegram/notify": 409,
    "/api/v1/telegram/broadcast": 409,
    "/api/v1/telegram/start": 400,
    "/api/v1/telegram/stop": 500,
    "/api/v1/telegram/preferences": 404,
}
#: Changes the market or ends what the examples before it made: asked last, in this order.
LAST = (
    "/api/v1/cancelorder",
    "/api/v1/cancelallorder",
    "/api/v1/closeposition",
    "/api/v1/cancelgttorder",
    "/api/v1/analyzer/toggle",
)
#: Asked of a strategy that runs, after the examples before them have stopped it.
RUNNING = ("/api/v1/strategy/close_all", "/api/v1/strategy/close_leg")
FIRST = ("/api/v1/expiry", "/api/v1/placeorder", "/api/v1/placegttorder", "/api/v1/chart")


class Asker:
    """Asks the examples of the program's own document; remembers ids for those that need them."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._http = program.http()
        _, text, _ = self._http.request("GET", "/openapi.json")
        self.document = json.loads(text)
        self._order_id = self._trigger_id = self._expiry = self._option = ""

    def answers(self) -> dict[str, Any]:
        """The answer of every endpoint by ``METHOD path``."""
        return {
            f"{method} {path}": self._ask(method, path, operation)
            for path, method, operation in self._in_order()
            if _shown(path)
        }

    def _in_order(self) -> Iterable[tuple[str, str, dict[str, Any]]]:
        rows = [
            (path.replace("{id}", "*"), method.upper(), operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        ]
        middle = [row for row in rows if row[0] not in (*FIRST, *LAST)]
        for names in (FIRST, LAST):
            found = [row for name in names for row in rows if row[0] == name]
            # what is stored must be there before it is read
            yield from sorted(found, key=lambda row: (names.index(row[0]), row[1] == "GET"))
            if names is FIRST:
                yield from middle

    def _ask(self, method: str, path: str, operation: dict[str, Any]) -> Any:
        self._prepare(path)
        where = path.replace("*", RESTS.get(path, "unknown-id"))
        if method == "GET":
            query = {"apikey": self._program.api_key} | QUERIES.get(path, {})
            status, text, _ = self._http.request("GET", f"{where}?{urlencode(query)}")
        else:
            media = operation["requestBody"]["content"]["application/json"]
            body = self._filled({"apikey": self._program.api_key} | media.get("example", {}))
            content = json.dumps(body).encode()
            kind = {"Content-Type": "application/json"}
            status, text, _ = self._http.request("POST", where, content, kind)
        try:
            answer = json.loads(text)
        except ValueError:
            raise AssertionError(f"{method} {path}: {status} {text!r:.200}") from None
        wanted = 200 if method == "GET" else NO_BOT.get(path, 200)
        assert status == wanted or operation.get("x-stub") or "*" in path, (path, text)
        assert status != 500 or operation.get("x-stub") or wanted == 500, (method, path, text)
        self._remember(path, answer)
        return _short(answer)

    def _prepare(self, path: str) -> None:
        if path == "/api/v1/modifyorder":
            order = {"symbol": "SBIN", "exchange": "NSE", "action": "BUY", "quantity": 1}
            price = {"pricetype": "LIMIT", "price": 700, "product": "MIS"}
            placed = self._program.call("placeorder", strategy="Python", **order, **price)
            self._order_id = placed["orderid"]
        elif path in RUNNING:
            wait_for(lambda: self._program.call("strategy/status", strategy_id=1)["run"] is None)
            self._program.call("strategy/start", strategy_id=1, mode="sandbox")

    def _remember(self, path: str, answer: Any) -> None:
        if path == "/api/v1/placeorder":
            self._order_id = answer["orderid"]
        elif path == "/api/v1/placegttorder":
            self._trigger_id = answer["trigger_id"]
        elif path == "/api/v1/expiry":
            self._expiry = answer["data"][0].replace("-", "")
            chain = self._program.call(
                "optionsymbol",
                underlying="NIFTY",
                exchange="NSE_INDEX",
                expiry_date=self._expiry,
                offset="ATM",
                option_type="CE",
            )
            self._option = chain["symbol"]

    def _filled(self, body: dict[str, Any]) -> dict[str, Any]:
        text = json.dumps(body)
        for sample, real in (
            ("ORDERID", self._order_id),
            ("TRIGGER_ID", self._trigger_id),
            ('"29DEC26"', f'"{self._expiry}"'),
            ("NIFTY29DEC2626000CE", self._option),
        ):
            text = text.replace(sample, real) if real else text
        filled: dict[str, Any] = json.loads(text)
        return filled


def _shown(path: str) -> bool:
    """Whether it is an endpoint for scripts; a broker's login page comes back to a callback."""
    return path not in NOT_SHOWN and not path.endswith("/callback")


def _short(value: Any) -> Any:
    """The answer with the first rows of each list only."""
    if isinstance(value, dict):
        return {name: _short(item) for name, item in value.items()}
    return [_short(item) for item in value[:ROWS]] if isinstance(value, list) else value


def form(value: Any) -> Any:
    """Names and kinds of an answer: what must stay the same from run to run."""
    if isinstance(value, dict):
        return {name: form(item) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return [form(value[0])] if value else []
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__
    return "number"


def program(folder: Path) -> Program:
    """The program as the reference is made with."""
    plant(folder / "data")
    return Program(folder / "data", "--clock", MOMENT, "--sim-control", "--sim-frozen")


def page(document: dict[str, Any], answers: dict[str, Any]) -> str:
    """``docs/api.md``."""
    lines = [
        "# Every endpoint, with an example",
        "",
        "Made by `python -m tests.api.reference` from the running program; do not edit. The same,",
        "with a form to try each request, is at `http://127.0.0.1:5000/docs` while the program",
        "runs, and as OpenAPI at `/openapi.json`. Bodies are JSON objects; every one carries",
        f'`"apikey": "{KEY}"` (GET: `?apikey=`). Lists are cut to {ROWS} rows. What differs',
        "from an OpenAlgo server: [api-differences.md](api-differences.md). Streams:",
        "[websocket.md](websocket.md), alerts: [webhooks.md](webhooks.md).",
        "",
    ]
    for tag in document["tags"]:
        lines += [f"## {tag['name']}", ""]
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if operation["tags"][0] == tag["name"] and _shown(path):
                    lines += _section(path, method, operation, answers)
    return "\n".join(lines)


def _section(
    path: str, method: str, operation: dict[str, Any], answers: dict[str, Any]
) -> list[str]:
    name = f"{method.upper()} {path.replace('{id}', '*')}"
    lines = [f"### {method.upper()} `{path}`", "", operation["summary"], ""]
    if operation.get("x-stub"):
        lines += ["**Stub:** this version only gives the answer that clients know.", ""]
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = media.get("schema", {})
    required = set(schema.get("required", ()))
    fields = schema.get("properties", {}) or {
        row["name"]: row["schema"]
        for row in operation.get("parameters", ())
        if row["in"] == "query"
    }
    required |= {row["name"] for row in operation.get("parameters", ()) if row.get("required")}
    rows = [field for field in fields if field != "apikey"]
    if rows and not operation.get("x-stub"):
        lines += ["| field | | values |", "|---|---|---|"]
        lines += [
            f"| `{field}` | {'required' if field in required else ''} | {_values(fields[field])} |"
            for field in rows
        ]
        lines.append("")
    example = media.get("example")
    if example and not operation.get("x-stub"):
        lines += ["```json", json.dumps(example), "```", ""]
    answer = answers.get(name)
    if answer is not None:
        lines += ["Answer:", "", "```json", json.dumps(answer, ensure_ascii=False), "```", ""]
    return lines


def _values(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"] if value is not None)
    kinds = schema.get("type", "any")
    words = [kinds if isinstance(kinds, str) else " or ".join(kinds)]
    words += [f"{text} {schema[name]}" for name, text in _LIMITS if name in schema]
    if "default" in schema:
        words.append(f"default `{json.dumps(schema['default'])}`")
    if "description" in schema:
        words.append(schema["description"])
    return "; ".join(words).replace("|", "\\|")


_LIMITS = (
    ("minimum", "from"),
    ("exclusiveMinimum", "above"),
    ("maximum", "to"),
    ("maxLength", "characters at most"),
    ("maxItems", "items at most"),
)


def main() -> int:
    """Write both files."""
    with tempfile.TemporaryDirectory() as folder, program(Path(folder)) as running:
        asker = Asker(running)
        answers = asker.answers()
    ANSWERS.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(asker.document, answers), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
