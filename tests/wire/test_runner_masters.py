"""The runner's eyes for symbol masters: addresses, requests by POST, lists of files, readers."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec
from openalgo_desktop.brokers.registry import Registry
from openalgo_desktop.core.model import Instrument
from tests.wire.test_streams import master_problems
from tests.wire.vectors import Prepared, VectorFile, pointer, put

KITE = Registry(()).get("zerodha")
FILE = VectorFile(Path("made up"), {"broker": "made up", "session": {"api_key": "KEY"}})


def row_of(row: Mapping[str, Any], file: MasterFile, name: str = "name") -> Instrument:
    return Instrument(row[name], file.exchange, row[name], "EQ", token=row["token"])


def other_row(row: Mapping[str, Any], file: MasterFile) -> Instrument:
    return row_of(row, file, "title")


def adapter(*files: MasterFile) -> Broker:
    master = MasterSpec(files=files, reader=row_of)
    return msgspec.structs.replace(KITE, spec=msgspec.structs.replace(KITE.spec, master=master))


def instrument(symbol: str, exchange: str, token: str) -> dict[str, Any]:
    return {"symbol": symbol, "exchange": exchange, "token": token, "instrumenttype": "EQ"}


POSTED = MasterFile(
    path="/master", method="POST", body={"segment": "NSE"}, exchange="NSE", form="csv"
)
READ = MasterFile(path="/bse.csv", exchange="BSE", reader=other_row)
LISTED = MasterFile(path="/list", listed="files", exchange="NSE")
CONTENT = {"name": "result", "text": "name,token\nSBIN,3045\n"}
POST = {
    "method": "POST", "url": "https://api.kite.trade/master", "query": {}, "headers": {},
    "encoding": "json", "body": {"segment": "NSE"},
}  # fmt: skip


def get(url: str) -> dict[str, Any]:
    return {"method": "GET", "url": url, "query": {}, "headers": {}, "encoding": "none"}


LIST = ["https://api.kite.trade/list", "https://api.kite.trade/a.csv"]
CASES: dict[str, dict[str, Any]] = {
    "posted": {
        "http": [POST],
        "content": [CONTENT],
        "expect": [instrument("SBIN", "NSE", "3045")],
    },
    "read": {
        "file": "bse.csv",
        "content": [{"name": "bse.csv", "text": "title,token\nTCS,532540\n"}],
        "expect": [instrument("TCS", "BSE", "532540")],
    },
    "addresses": {
        "urls": ["https://api.kite.trade/master", "https://api.kite.trade/bse.csv"],
        "content": [],
        "expect": None,
    },
    "listed": {
        "http": [get(url) for url in LIST],
        "http_response": [
            {"status": 200, "body": {"files": LIST[1:]}},
            {"status": 200, "body": CONTENT["text"]},
        ],
        "content": [],
        "expect": [instrument("SBIN", "NSE", "3045")],
    },
}


async def problems_of(case: dict[str, Any], name: str, place: Path) -> list[str]:
    broker = adapter(LISTED) if name == "listed" else adapter(POSTED, READ)
    return await master_problems(broker, FILE, Prepared({"id": name, **case}), place)


@pytest.mark.parametrize("name", CASES)
async def test_what_is_right_passes(name: str, tmp_path: Path) -> None:
    assert await problems_of(copy.deepcopy(CASES[name]), name, tmp_path) == []


@pytest.mark.parametrize(
    ("name", "where", "value", "said"),
    [
        ("posted", "/http/0/method", "PUT", "POST instead of PUT"),
        ("posted", "/http/0/url", "https://api.kite.trade/masters", "/url"),
        ("posted", "/http/0/body/segment", "NFO", "/body/segment"),
        ("posted", "/http/0/headers/x-more", "1", "header missing"),
        ("posted", "/http/1", get("https://api.kite.trade/more"), "/http/1"),
        ("posted", "/expect/0/token", "3046", "token"),
        ("posted", "/expect/0/exchange", "BSE", "exchange"),
        ("posted", "/expect", [], "1 rows instead of 0"),
        ("read", "/expect/0/symbol", "INFY", "symbol"),
        ("addresses", "/urls/2", "https://api.kite.trade/more", "is not fetched"),
        ("addresses", "/urls/1", "$absent", "is not wanted"),
        ("listed", "/http/0/url", "https://api.kite.trade/lists", "/url"),
        ("listed", "/http/1/url", "https://api.kite.trade/b.csv", "/url"),
        ("listed", "/http/2", get("https://api.kite.trade/c.csv"), "2 requests instead of 3"),
        ("listed", "/expect/0/symbol", "INFY", "symbol"),
        ("listed", "/http_response/1/status", 500, "0 rows instead of 1"),
    ],
)
async def test_it_notices(name: str, where: str, value: Any, said: str, tmp_path: Path) -> None:
    case = copy.deepcopy(CASES[name])
    put(case, pointer(where), value)
    problems = await problems_of(case, name, tmp_path)
    assert any(said in problem for problem in problems), problems
