"""Requests that no client of good will sends: never a 5xx, never long, nothing in the log."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.driver import Http, Program

ORDER: dict[str, Any] = {
    "strategy": "s",
    "symbol": "SBIN",
    "exchange": "NSE",
    "action": "BUY",
    "product": "MIS",
    "quantity": 1,
}
GTT = ORDER | {"product": "CNC", "trigger_type": "SINGLE", "price": 700, "triggerprice_sl": 700}
HISTORY = {"symbol": "SBIN", "exchange": "NSE"}
#: Nothing takes so long that is not held up; a busy machine takes seconds, seconds.
QUICK = 20.0
LONG_NUMBER = "9" * 5000
#: Path below /api/v1, fields; texts go out as they are, after the key.
BODIES: tuple[tuple[str, dict[str, Any] | str], ...] = (
    ("placeorder", ORDER | {"pricetype": "LIMIT", "price": 1e308}),
    ("placeorder", ORDER | {"quantity": 1e308}),
    ("placeorder", ORDER | {"quantity": LONG_NUMBER}),
    ("placeorder", ORDER | {"disclosed_quantity": LONG_NUMBER}),
    ("placeorder", ORDER | {"symbol": "\x00" * 100}),
    ("placesmartorder", ORDER | {"position_size": 1e308}),
    ("splitorder", ORDER | {"quantity": 1e300, "splitsize": 1}),
    ("basketorder", {"strategy": "s", "orders": [ORDER] * 3}),
    ("placegttorder", GTT | {"quantity": 1e300}),
    ("placegttorder", GTT | {"expires_at": "0001-01-01"}),
    (
        "margin",
        {"positions": [ORDER | {"pricetype": "MARKET", "quantity": "1e300"}]},
    ),
    (
        "history",
        HISTORY | {"interval": "1s", "start_date": "0001-01-01", "end_date": "9999-12-31"},
    ),
    ("history", HISTORY | {"interval": "D", "start_date": "0001-01-01", "end_date": "9999-12-31"}),
    ("search", {"query": "a " * 100_000}),
    ("chart", {"deep": "["}),
    ("optiongreeks", {"symbol": f"NIFTY29DEC26{LONG_NUMBER}CE", "exchange": "NFO"}),
    (
        "optionsymbol",
        {
            "underlying": "NIFTY",
            "exchange": "NFO",
            "expiry_date": "29DEC26",
            "strike_int": 10**30,
            "offset": "ATM",
            "option_type": "CE",
        },
    ),
    ("strategy/list", {"q": "x" * 200_000}),
    ("strategy/status", {"strategy_id": 10**19}),
    ("strategy/status", {"strategy_id": LONG_NUMBER}),
    ("strategy/start", {"strategy_id": 1, "mode": ["live"], "\x00": {}}),
    ("strategy/close_leg", {"strategy_id": 1e308, "leg_id": -1}),
    ("strategy/runs", {"strategy_id": 2**63, "limit": 2**63}),
    ("strategy/orders", {"strategy_id": 1, "run_id": 2**64}),
    ("strategy/events", {"strategy_id": [], "kind": {}, "severity": 1, "limit": "9" * 400}),
    ("ping", '"a": 1e400'),
    ("ping", '"\\ud800": 1'),
    ("chart", '"a": ' + "[" * 900 + "]" * 900),
    ("chart", '"a": ' + "[" * 200_000),
)
PATHS = (
    "ticker/%00:%00?from=2026-11-01&to=2026-11-20",
    "ticker/NSE:%ED%A0%80?from=2026-11-01&to=2026-11-20",
    "ticker/NSE:SBIN?from=0001-01-01&to=0001-01-02",
    "instruments?exchange=%FF",
    "%ED%A0%80",
    "/ping",
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("hostile") / "data") as running:
        yield running
        assert "Traceback" not in running.output, running.output[-4000:]


@pytest.fixture
def http(program: Program) -> Iterator[Http]:
    client = program.http()
    yield client
    client.close()


def judged(http: Http, method: str, path: str, body: bytes | None) -> None:
    began = time.monotonic()
    headers = {"Content-Type": "application/json"} if body is not None else {}
    status, answer, _ = http.request(method, path, body, headers)
    assert status < 500, answer[:500]
    assert time.monotonic() - began < QUICK
    assert isinstance(json.loads(answer), dict)


@pytest.mark.parametrize("number", range(len(BODIES)))
def test_bodies(program: Program, http: Http, number: int) -> None:
    path, fields = BODIES[number]
    key = json.dumps(program.api_key)
    inner = fields if isinstance(fields, str) else json.dumps(fields)[1:-1]
    judged(http, "POST", f"/api/v1/{path}", f'{{"apikey": {key}, {inner}}}'.encode())


@pytest.mark.parametrize("path", PATHS)
def test_paths(program: Program, http: Http, path: str) -> None:
    join = "&" if "?" in path else "?"
    judged(http, "GET", f"/api/v1/{path}{join}apikey={program.api_key}", None)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe{}", b'{"apikey": "\xed\xa0\x80"}', b"0" * 100])
def test_no_json(http: Http, body: bytes) -> None:
    judged(http, "POST", "/api/v1/ping", body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"\xff\xfe{}",
        b'{"action": "start", "mode": ' + b"[" * 100_000,
        b'{"action": "' + b"x" * 200_000 + b'"}',
        b"a=" * 3000,
        b"--x\r\n\r\n",
    ],
)
def test_alerts(http: Http, body: bytes) -> None:
    kinds = ("application/json", "text/plain; charset=none", "multipart/form-data; boundary=x")
    names = (f"strategy/webhook/oaws_{'x' * 43}", "strategy/webhook/x", "chartink/webhook/x")
    for kind in kinds:
        for path in (f"/{name}" for name in names):
            status, answer, _ = http.request("POST", path, body, {"Content-Type": kind})
            assert status in (400, 404, 413), answer[:500]
            assert isinstance(json.loads(answer), dict)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "nonsense"])
@pytest.mark.parametrize("path", ["/api/v1/ping", "/strategy/webhook/x"])
def test_a_body_that_is_not_encoded_as_it_says(http: Http, encoding: str, path: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    status, answer, _ = http.request("POST", path, b'{"apikey": "x"}', headers)
    assert status < 500, answer[:500]


def test_wrong_keys_do_not_slow_a_good_client(program: Program, http: Http) -> None:
    good = json.dumps({"apikey": program.api_key}).encode()
    headers = {"Content-Type": "application/json"}
    for number in range(300):
        bad = json.dumps({"apikey": f"wrong-{number}"}).encode()
        assert http.request("POST", "/api/v1/orderbook", bad, headers)[0] in (403, 429)
    began = time.monotonic()
    assert http.request("POST", "/api/v1/orderbook", good, headers)[0] == 200
    assert time.monotonic() - began < QUICK
    assert program.output.count("wrong API key") <= 2
