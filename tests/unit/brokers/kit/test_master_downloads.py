"""Lists of files and pages of a symbol master over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.download import Download, rest_download
from openalgo_desktop.brokers.kit.master.readers import parts_of, rows_of
from openalgo_desktop.brokers.kit.master.store import KitMaster
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec, Pages
from openalgo_desktop.brokers.zerodha.spec import SPEC
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import AppError, NetError, ProtocolError
from openalgo_desktop.core.model import Instrument

CLOCK = ManualClock(datetime(2026, 12, 1, 2, 0, tzinfo=IST))
HOST = SPEC.hosts["rest"]


class Server:
    """Answers by address (without the query); keeps what it was asked."""

    def __init__(self) -> None:
        self.seen: list[httpx.Request] = []
        self.answers: dict[str, Any] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.get(str(request.url.copy_with(query=None)))
        if callable(answer):
            answer = answer(request)
        if answer is None:
            return httpx.Response(404)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return httpx.Response(200, content=text.encode())


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def download(server: Server) -> AsyncIterator[Download]:
    session = Session({"api_key": "k3y", "access_token": "t0k"})
    rest = RestClient(SPEC, session, CLOCK, transport=httpx.MockTransport(server))
    yield rest_download(rest)
    await rest.close()


def read(file: MasterFile, path: Path) -> list[Mapping[str, Any]]:
    return list(rows_of(file, path))


# -- lists ---------------------------------------------------------------------------------------
LIST = MasterFile(path="/files", name="scrips", listed="data.paths", auth=True,
                  headers={"x-key": "{api_key}"})  # fmt: skip


async def test_each_file_of_a_list(server: Server, download: Download, tmp_path: Path) -> None:
    there = "https://files.example/2026-12-01/nse_cm-v1.csv?sign={x}"
    server.answers = {
        f"{HOST}/files": {"data": {"n": 2, "paths": [there, f"{HOST}/own.csv", "/more/b.csv"]}},
        "https://files.example/2026-12-01/nse_cm-v1.csv": "a\n1\n",
        f"{HOST}/own.csv": "a\n2\n",
        f"{HOST}/more/b.csv": "a\n3\n",
    }
    path = tmp_path / "00-scrips"
    await download(LIST, path)
    assert [row["a"] for row in read(LIST, path)] == ["1", "2", "3"]
    assert [p.name for p, _ in parts_of(LIST, path)] == ["nse_cm-v1.csv", "own.csv", "b.csv"]
    assert len(list(tmp_path.iterdir())) == 3
    listed, other, *ours = server.seen
    assert listed.headers["authorization"] and listed.headers["x-key"] == "k3y"
    # Neither the session nor a header with its values goes to another server.
    assert not {"authorization", "x-key"} & set(other.headers)
    assert str(other.url).endswith("?sign=%7Bx%7D")
    for request in ours:
        assert request.headers["authorization"] and request.headers["x-key"] == "k3y"


async def test_paths_made_of_the_items_of_a_list(
    server: Server, download: Download, tmp_path: Path
) -> None:
    file = MasterFile(
        path="/store",
        query={"version": 0},
        listed="d.symbolStore",
        listed_path="/store/{name}?version={version}",
    )
    groups = [{"name": "Index", "version": 1}, {"name": "NSE Options", "version": 2}]
    server.answers = {
        f"{HOST}/store": {"d": {"symbolStore": groups}},
        f"{HOST}/store/Index": lambda request: f"v\n{request.url.params['version']}\n",
        f"{HOST}/store/NSE%20Options": lambda request: f"v\n{request.url.params['version']}\n",
    }
    await download(file, tmp_path / "m")
    assert [row["v"] for row in read(file, tmp_path / "m")] == ["1", "2"]
    assert [part.name for part, _ in parts_of(file, tmp_path / "m")] == ["Index", "NSEOptions"]
    texts = msgspec.structs.replace(file, listed="d", listed_path="/store/{item}")
    server.answers[f"{HOST}/store"] = {"d": ["Index"]}
    server.answers[f"{HOST}/store/Index"] = "v\n9\n"
    await download(texts, tmp_path / "n")
    assert read(texts, tmp_path / "n") == [{"v": "9"}]


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        ([], "lists no files"),
        (None, "lists no files"),
        ("/one.csv", "lists no files"),
        ([7], "no address"),
        (["own.csv"], "no address"),
        (["http://files.example/x.csv"], "unsafe"),
        (["ftp://files.example/x.csv"], "unsafe"),
    ],
)
async def test_a_list_that_is_none(
    server: Server, download: Download, tmp_path: Path, paths: Any, text: str
) -> None:
    server.answers = {f"{HOST}/files": {"data": {"paths": paths}}}
    with pytest.raises(ProtocolError, match=text):
        await download(LIST, tmp_path / "m")
    assert len(server.seen) == 1


async def test_what_is_there_of_an_optional_list_is_not_taken(
    server: Server, download: Download, tmp_path: Path
) -> None:
    spec = MasterSpec(
        files=(
            MasterFile(path="/m", name="m"),
            msgspec.structs.replace(LIST, optional=True),
        ),
        reader=lambda row, file: Instrument(symbol=row["a"], exchange="NSE"),
    )
    server.answers = {
        f"{HOST}/m": "a\nS\n",
        f"{HOST}/files": {"data": {"paths": ["/x.csv", "/gone.csv"]}},
        f"{HOST}/x.csv": "a\nX\n",
    }
    rows = await KitMaster(spec, tmp_path, CLOCK, download, "Kite").instruments()
    assert [row.symbol for row in rows] == ["S"]
    server.answers[f"{HOST}/gone.csv"] = "a\nY\n"
    rows = await KitMaster(spec, tmp_path / "2", CLOCK, download, "Kite").instruments()
    assert [row.symbol for row in rows] == ["S", "X", "Y"]


# -- pages ---------------------------------------------------------------------------------------
def products(after: dict[str, Any]) -> Callable[[httpx.Request], Any]:
    def answer(request: httpx.Request) -> Any:
        at = request.url.params.get("after", "first")
        return {"result": [{"n": at}, {"n": "x"}], "meta": {"after": after[at], "before": {}}}

    return answer


CURSOR = MasterFile(
    path="/products",
    query={"page_size": 500, "after": "$after?"},
    pages=Pages(value="after", next="meta.next|meta.after"),
    form="json",
    rows="result",
)


async def test_pages_by_their_cursor(server: Server, download: Download, tmp_path: Path) -> None:
    server.answers = {f"{HOST}/products": products({"first": "p2", "p2": 3, "3": None})}
    await download(CURSOR, tmp_path / "m")
    assert [row["n"] for row in read(CURSOR, tmp_path / "m")] == ["first", "x", "p2", "x", "3", "x"]
    assert [str(r.url.query, "ascii") for r in server.seen] == [
        "page_size=500", "page_size=500&after=p2", "page_size=500&after=3",
    ]  # fmt: skip


async def test_pages_by_their_number(server: Server, download: Download, tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> Any:
        page = int(request.url.params["page"])
        return "n\n" + f"{page}\n" * (0, 2, 1, 2, 0)[page + first]  # a short one is not the last

    first = 0
    file = MasterFile(path="/m", query={"page": "$page"}, pages=Pages(value="page"))
    server.answers = {f"{HOST}/m": answer}
    await download(file, tmp_path / "m")
    assert [row["n"] for row in read(file, tmp_path / "m")] == ["1", "1", "2", "3", "3"]
    first = 1
    from_0 = msgspec.structs.replace(file, pages=Pages(value="page", first=0))
    await download(from_0, tmp_path / "n")
    assert [row["n"] for row in read(from_0, tmp_path / "n")][:2] == ["0", "0"]


async def test_pages_without_an_end_are_refused(
    server: Server, download: Download, tmp_path: Path
) -> None:
    server.answers = {f"{HOST}/products": products({"first": "a", "a": "b", "b": "a"})}
    with pytest.raises(ProtocolError, match="an earlier one"):
        await download(CURSOR, tmp_path / "m")
    short = msgspec.structs.replace(CURSOR, pages=Pages(value="after", next="meta.after", most=2))
    server.answers = {f"{HOST}/products": products({"first": "a", "a": "b", "b": "c"})}
    with pytest.raises(ProtocolError, match="more than 2 pages"):
        await download(short, tmp_path / "n")


# -- addresses -----------------------------------------------------------------------------------
async def test_the_date_of_today_in_an_address(
    server: Server, download: Download, tmp_path: Path
) -> None:
    server.answers = {f"{HOST}/refdata/2026-12-01": "a\n1\n"}
    await download(MasterFile(path="/refdata/{today}"), tmp_path / "m")
    assert (tmp_path / "m").read_text() == "a\n1\n"


async def test_an_error_of_a_listed_file_is_told(
    server: Server, download: Download, tmp_path: Path
) -> None:
    server.answers = {
        f"{HOST}/files": {"data": {"paths": ["/a.csv"]}},
        f"{HOST}/a.csv": '{"status": "error", "message": "not yet there", "error_type": "X"}',
    }
    with pytest.raises(AppError, match="not yet there"):
        await download(LIST, tmp_path / "m")
    server.answers[f"{HOST}/a.csv"] = "<html>"
    with pytest.raises(NetError):
        await download(LIST, tmp_path / "m")
