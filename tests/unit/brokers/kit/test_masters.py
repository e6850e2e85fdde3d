"""Symbol masters: readers, the last good copy, speed, and real samples of two brokers."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import shutil
import threading
import time
import zipfile
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.master.download import rest_download
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.readers import rows_of
from openalgo_desktop.brokers.kit.master.reading import read_file
from openalgo_desktop.brokers.kit.master.store import KitMaster, MasterStatus
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec
from openalgo_desktop.brokers.upstox.spec import SPEC as UPSTOX
from openalgo_desktop.brokers.zerodha.spec import SPEC
from openalgo_desktop.core import gently, symbols
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import (
    AppError,
    ConfigError,
    NetError,
    ProtocolError,
    SessionExpired,
)
from openalgo_desktop.core.freeze import FreezeTable
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.model import Instrument

SAMPLES = Path("tests/data/masters")
KITE = SPEC.master
KITE_SAMPLE = (SAMPLES / "zerodha_instruments.csv").read_bytes()


# -- readers -------------------------------------------------------------------------------------
ROWS = [{"a": "1", "b": "x,y"}, {"a": "2", "b": 'quo"te'}, {"a": "3", "b": "मुंबई"}]


def as_csv(rows: list[dict[str, str]], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["a", "b"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("file", "data"),
    [
        (MasterFile(path="/m"), as_csv(ROWS)),
        (MasterFile(path="/m"), b"\xef\xbb\xbf" + as_csv(ROWS)),
        (MasterFile(path="/m", delimiter="|"), as_csv(ROWS, "|")),
        (MasterFile(path="/m", header=("a", "b")), as_csv(ROWS).split(b"\r\n", 1)[1]),
        (MasterFile(path="/m", pack="gz"), gzip.compress(as_csv(ROWS), mtime=0)),
        (MasterFile(path="/m", pack="gz"), as_csv(ROWS)),  # already unpacked on the way
        (MasterFile(path="/m", pack="zip", member="*.csv"), zipped(r=b"", m=b"") and
         zipped(**{"read.me": b"no", "rows.csv": as_csv(ROWS)})),
        (MasterFile(path="/m", form="jsonl"), b"\n\n".join(json.dumps(r).encode() for r in ROWS)),
        (MasterFile(path="/m", form="json"), json.dumps(ROWS).encode()),
        (MasterFile(path="/m", form="json", pack="gz"),
         gzip.compress(json.dumps(ROWS, ensure_ascii=False, indent=2).encode(), mtime=0)),
        (MasterFile(path="/m", form="json", rows="result.data"),
         json.dumps({"x": [1], "result": {"n": 3, "data": ROWS}}).encode()),
    ],
)  # fmt: skip
def test_each_form_and_pack(tmp_path: Path, file: MasterFile, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert list(rows_of(file, path)) == ROWS


@pytest.mark.parametrize("size", [1, 100, 65_530, 65_536, 200_000])
def test_json_rows_across_blocks(tmp_path: Path, size: int) -> None:
    rows = [{"text": "},{[]" + "é" * (size % 977), "n": n, "deep": {"x": [1, 2]}} for n in range(9)]
    rows += [{"text": "z" * size, "n": -1.5}]
    path = tmp_path / "file"
    path.write_text(json.dumps(rows * 3, ensure_ascii=False), "utf-8")
    assert list(rows_of(MasterFile(path="/m", form="json"), path)) == rows * 3


@pytest.mark.parametrize(
    ("file", "data"),
    [
        (MasterFile(path="/m", form="json"), json.dumps(ROWS).encode()[:-9]),
        (MasterFile(path="/m", form="json"), b'{"status":"error"}'),
        (MasterFile(path="/m", form="jsonl"), b'{"a":1}\n{"a":'),
        (MasterFile(path="/m", pack="gz"), gzip.compress(as_csv(ROWS), mtime=0)[:-12]),
        (MasterFile(path="/m", pack="zip"), b"PK\x03\x04 broken"),
        (MasterFile(path="/m", pack="zip", member="*.txt"), zipped(**{"rows.csv": b"a"})),
    ],
)
def test_damaged_files_are_protocol_errors(tmp_path: Path, file: MasterFile, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(ProtocolError):
        list(rows_of(file, path))


def test_wrong_form_in_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    with pytest.raises(ConfigError, match="xml"):
        list(rows_of(MasterFile(path="/m", form="xml"), path))
    with pytest.raises(ConfigError, match="rar"):
        list(rows_of(MasterFile(path="/m", pack="rar"), path))


# -- rows ----------------------------------------------------------------------------------------
def named(row: dict[str, str], file: MasterFile) -> Instrument | None:
    return None if row["a"] == "skip" else Instrument(symbol=row["a"], exchange=row["b"])


NAMED = MasterSpec(files=(MasterFile(path="/m", name="m.csv"),), reader=named)


def test_a_few_bad_rows_are_skipped_many_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    good = "a,b\n" + "S,NSE\n" * 199
    path.write_text(good + "skip,NSE\n" + "short\n")
    assert len(read_file(NAMED, NAMED.files[0], path)) == 199
    path.write_text(good + "short\n" * 10)
    with pytest.raises(ProtocolError, match="10 of 209 rows cannot be read"):
        read_file(NAMED, NAMED.files[0], path)


@pytest.mark.parametrize(
    ("spec", "sample", "least"),
    [
        (KITE, "zerodha_instruments.csv", 350),
        (UPSTOX.master, "upstox_complete.json.gz", 300),
    ],
)
def test_real_sample_parses_and_formats_back(spec: MasterSpec, sample: str, least: int) -> None:
    rows = read_file(spec, spec.files[0], SAMPLES / sample)
    assert len(rows) > least
    assert len({row.key for row in rows}) == len(rows)
    derivatives = [row for row in rows if row.instrument_type in ("FUT", "CE", "PE")]
    assert len(derivatives) > 100
    for row in derivatives:
        parts = symbols.parse(row.symbol)
        assert parts == (row.name, row.instrument_type, row.expiry, row.strike)
        assert symbols.format_symbol(parts) == row.symbol
    assert any(row.strike % 1 for row in derivatives)
    assert all(row.tick_size > 0 and row.lot_size > 0 and row.token for row in rows)


def corrected(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Expected rows with their deviations; unchecked fields removed."""
    rows: list[dict[str, Any]] = json.loads(json.dumps(case["expect"]))
    for deviation in case["deviation"] or ():
        _, _, index, name = deviation["field"].split("/")
        if deviation["checkable"]:
            rows[int(index)][name] = deviation["should_be"]
        else:
            del rows[int(index)][name]
    return rows


@pytest.mark.parametrize(
    "case",
    json.loads((SAMPLES / "upstox_rows.json").read_text("utf-8"))["symbol_master"],
    ids=lambda case: case["id"],
)
def test_recorded_upstox_rows(case: dict[str, Any]) -> None:
    file = UPSTOX.master.files[0]
    found = [
        row for c in case["content"] if (row := UPSTOX.master.reader(c["json"], file)) is not None
    ]
    wanted = corrected(case)
    assert len(found) == len(wanted)
    names = {"lotsize": "lot_size", "instrumenttype": "instrument_type"}
    for row, want in zip(found, wanted, strict=True):
        assert symbols.format_expiry_dashed(row.expiry) == want.pop("expiry")
        for name, value in want.items():
            assert getattr(row, names.get(name, name)) == value, name


def test_a_bond_does_not_take_the_symbol_of_a_share() -> None:
    rows = read_file(UPSTOX.master, UPSTOX.master.files[0], SAMPLES / "upstox_complete.json.gz")
    table = InstrumentTable()
    table.load(rows)
    assert table.require("MOTHERSON", "NSE").token.endswith("INE775A01035")
    assert table.require("MOTHERSON-D1", "NSE").brsymbol == "MOTHERSON"


# -- speed ---------------------------------------------------------------------------------------
#: A part of what a broker lists, and how many rows a plain reading reads at most while a step
#: holds the loop: a few milliseconds.
BIG, LONGEST = 40_000, 800
#: Plain readings that all of it may cost: about 4, and 6.5 on machines where new memory is dear.
DEAR = 8


def big_kite_file(path: Path, rows: int) -> None:
    """The sample's rows again and again with other tokens and names."""
    lines = KITE_SAMPLE.decode().splitlines()
    body = [line.split(",") for line in lines[1:]]
    with path.open("w") as out:
        out.write(lines[0] + "\n")
        for number in range(rows):
            row = list(body[number % len(body)])
            row[0] = row[1] = str(number)
            row[3] = f"X{number}"
            out.write(",".join(row) + "\n")


def plain_reading(path: Path) -> float:
    """Seconds of CPU that the standard library and the row reader need for it."""
    began = time.process_time()
    with path.open(newline="") as file:
        rows = [KITE.reader(row, KITE.files[0]) for row in csv.DictReader(file)]
    assert len(rows) == BIG
    return time.process_time() - began


def table_of(rows: list[Instrument]) -> InstrumentTable:
    return InstrumentTable.of(FreezeTable({}).applied(rows))


async def load(source: Path, folder: Path) -> int:
    """Reads, serves and replaces a master; how often the loop ran meanwhile."""

    async def download(file: MasterFile, path: Path) -> None:
        await asyncio.to_thread(shutil.copy, source, path)

    clock = ManualClock(datetime(2026, 12, 1, 9, tzinfo=IST))
    master = KitMaster(KITE, folder, clock, download, "Kite")
    turns = 0

    async def pulse() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    task = asyncio.create_task(pulse())
    served, index = InstrumentTable(), BrokerIndex()
    rows = await master.instruments()
    await asyncio.to_thread(index.load, rows)
    served.adopt(await asyncio.to_thread(table_of, rows))
    assert len(served) == len(index) == BIG
    table = await asyncio.to_thread(table_of, rows[:100])
    served.adopt(table)
    await asyncio.to_thread(index.load, rows[:100])
    await asyncio.to_thread(table.let_go)
    assert len(served) == len(index) == 100
    task.cancel()
    return turns


async def test_a_master_costs_a_few_plain_readings_and_never_holds_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processor time between two moments in which the thread that works may let others run, each
    taken by itself: the least of some runs, since what else the machine does falls on another
    place each time, and what is too long by itself is so in every run. All is compared with
    plain readings of the file in the same run: a slow machine is slow with both."""
    source = tmp_path / "source.csv"
    big_kite_file(source, BIG)
    plain = min(plain_reading(source) for _ in range(2))
    steps: list[float] = []
    last: dict[int, float] = {}
    main = threading.get_ident()

    def pause() -> None:
        assert threading.get_ident() != main
        now = time.thread_time()
        steps.append(now - last.get(threading.get_ident(), 0.0))
        last[threading.get_ident()] = time.thread_time()

    monkeypatch.setattr(gently, "pause", pause)
    monkeypatch.setattr(gently, "WORK", -1.0)  # at each place where it could
    least: list[float] = []
    spent = []
    for attempt in range(5):
        steps.clear()
        began = time.process_time()
        assert await load(source, tmp_path / f"m{attempt}") > 20
        spent.append(time.process_time() - began)
        least = [min(pair) for pair in zip(least or steps, steps, strict=True)]
        longest = max(least) / plain * BIG
        if min(spent) < DEAR * plain and longest < LONGEST:
            break
    assert min(spent) < DEAR * plain  # read, indexed, served, replaced and let go
    assert len(least) > BIG // 100
    assert longest < LONGEST, f"the loop is held as long as {longest:.0f} rows are read"


# -- copies --------------------------------------------------------------------------------------
class Source:
    """A download that can be told what to give."""

    def __init__(self, data: bytes = KITE_SAMPLE) -> None:
        self.data = data
        self.error: Exception | None = None
        self.calls = 0

    async def __call__(self, file: MasterFile, path: Path) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error
        path.write_bytes(self.data)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 12, 1, 9, 0, tzinfo=IST))


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def master(tmp_path: Path, clock: ManualClock, source: Source) -> Callable[[], KitMaster]:
    return lambda: KitMaster(KITE, tmp_path / "m", clock, source, "Kite")


async def test_one_download_a_day(
    master: Callable[[], KitMaster], clock: ManualClock, source: Source
) -> None:
    rows = await master().instruments()
    assert len(rows) == KITE_SAMPLE.count(b"\n") - 1
    clock.advance(20 * 3600)  # 05:00 next day: the new file comes at 08:00
    again = master()
    assert await again.instruments() == rows
    assert source.calls == 1
    assert not again.status.stale
    assert again.status.text(clock.now()) == f"{len(rows):,} instruments, 20 h old"
    clock.advance(3 * 3600 + 60)
    await master().instruments()
    assert source.calls == 2


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (None, NetError("no way to the broker")),
        (None, OSError("disk full")),
        (b"", None),
        (b"<html>maintenance</html>", None),
        (KITE_SAMPLE[: len(KITE_SAMPLE) // 3], None),  # cut off on the way
        (KITE_SAMPLE.replace(b"expiry", b"expires"), None),  # another format
    ],
)
async def test_bad_download_keeps_the_last_good_copy(
    master: Callable[[], KitMaster],
    clock: ManualClock,
    source: Source,
    tmp_path: Path,
    data: bytes | None,
    error: Exception | None,
) -> None:
    rows = await master().instruments()
    clock.advance(2 * 24 * 3600)
    source.data, source.error = data or b"", error
    later = master()
    assert await later.instruments() == rows
    assert later.status.stale
    assert later.status.problem.startswith("not renewed: ")
    assert "2 days old; not renewed" in later.status.text(clock.now())
    assert len(list((tmp_path / "m").iterdir())) == 1  # no rubbish of the failed one
    source.data, source.error = KITE_SAMPLE, None
    await later.instruments(anew=True)
    assert not later.status.stale and not later.status.problem


async def test_no_copy_and_no_download_is_an_error(
    master: Callable[[], KitMaster], source: Source
) -> None:
    source.error = NetError("no way to the broker")
    kit = master()
    with pytest.raises(NetError):
        await kit.instruments()
    assert kit.status == MasterStatus(problem="no way to the broker")
    source.error = OSError("disk full")
    with pytest.raises(AppError, match="disk full"):
        await kit.instruments()


async def test_damaged_copy_is_replaced(
    master: Callable[[], KitMaster], source: Source, tmp_path: Path
) -> None:
    rows = await master().instruments()
    (copy,) = (tmp_path / "m").glob("*/00-*")
    copy.write_bytes(b"")
    assert await master().instruments() == rows
    assert source.calls == 2


async def test_interrupted_download_is_not_a_copy(
    master: Callable[[], KitMaster], clock: ManualClock, source: Source, tmp_path: Path
) -> None:
    rows = await master().instruments()
    unfinished = tmp_path / "m" / "20991231-000000-000000"
    unfinished.mkdir()
    (unfinished / "00-instruments.csv").write_bytes(b"half")
    assert await master().instruments() == rows
    assert source.calls == 1


async def test_optional_file_may_be_missing(
    tmp_path: Path, clock: ManualClock, source: Source
) -> None:
    spec = msgspec.structs.replace(
        NAMED,
        files=(MasterFile(path="/m", name="m.csv"), MasterFile(path="/x", optional=True)),
    )

    async def download(file: MasterFile, path: Path) -> None:
        if file.optional:
            raise NetError("404")
        path.write_text("a,b\nS,NSE\n")

    rows = await KitMaster(spec, tmp_path / "m", clock, download, "X").instruments()
    assert [row.symbol for row in rows] == ["S"]


# -- over HTTP -----------------------------------------------------------------------------------
Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
async def http() -> AsyncIterator[
    Callable[[Callable[[httpx.Request], httpx.Response]], RestClient]
]:
    made: list[RestClient] = []

    def make(answer: Answer) -> RestClient:
        session = Session({"api_key": "k3y", "access_token": "t0k"})
        clock = ManualClock(datetime(2026, 12, 1, 9, tzinfo=IST))
        made.append(RestClient(SPEC, session, clock, transport=httpx.MockTransport(answer)))
        return made[-1]

    yield make
    for client in made:
        await client.close()


async def test_download_over_http_with_the_session(
    tmp_path: Path, clock: ManualClock, http: Callable[[Answer], RestClient]
) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(
            200, headers={"content-encoding": "gzip"}, content=gzip.compress(KITE_SAMPLE)
        )

    master = KitMaster(KITE, tmp_path / "m", clock, rest_download(http(answer)), "Kite")
    assert len(await master.instruments()) > 300
    assert seen[0].headers["authorization"] == "token k3y:t0k"
    assert seen[0].url.path == "/instruments"


async def test_http_error_leaves_nothing_behind(
    tmp_path: Path, clock: ManualClock, http: Callable[[Answer], RestClient]
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503, text="later")

    master = KitMaster(KITE, tmp_path / "m", clock, rest_download(http(answer)), "Kite")
    with pytest.raises(AppError):
        await master.instruments()
    assert list((tmp_path / "m").iterdir()) == []


async def asked(http: Callable[[Answer], RestClient], file: MasterFile, path: Path,
                content: bytes = b"a,b\n") -> httpx.Request:  # fmt: skip
    """The request that fetches a file, which is answered with ``content``."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=content)

    await rest_download(http(answer))(file, path)
    return seen[0]


async def test_a_file_is_asked_for_with_a_body(
    tmp_path: Path, http: Callable[[Answer], RestClient]
) -> None:
    file = MasterFile(
        path="/master",
        method="POST",
        query={"v": "$api_key", "none": "$nothing?"},
        body={"exchangeSegmentList": ["NSECM"], "key": "$api_key"},
        headers={"x-key": "{api_key}"},
    )
    request = await asked(http, file, tmp_path / "m")
    assert (request.method, request.url.path) == ("POST", "/master")
    assert request.url.query == b"v=k3y"
    assert json.loads(request.content) == {"exchangeSegmentList": ["NSECM"], "key": "k3y"}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-key"] == "k3y"
    assert "authorization" not in request.headers
    with_session = msgspec.structs.replace(file, auth=True)
    request = await asked(http, with_session, tmp_path / "m")
    assert request.headers["authorization"] == "token k3y:t0k"


@pytest.mark.parametrize(
    ("content", "error", "text"),
    [
        (b'{"status":"error","message":"no such segment","error_type":"InputException"}',
         AppError, "no such segment"),
        (b'{"status":"error","message":"over","error_type":"TokenException"}',
         SessionExpired, "over"),
        (b"\n<!doctype html><title>maintenance</title>", NetError, "a web page came instead"),
    ],
)  # fmt: skip
async def test_an_error_answer_is_no_file(
    tmp_path: Path,
    http: Callable[[Answer], RestClient],
    content: bytes,
    error: type[AppError],
    text: str,
) -> None:
    with pytest.raises(error, match=text):
        await asked(http, MasterFile(path="/m", text_at="result"), tmp_path / "m", content)
    assert not (tmp_path / "m").exists()
    for good in (b'{"status":"success","data":[]}', b'{"data":[]}', b"[]", b"a,b"):
        await asked(http, MasterFile(path="/m"), tmp_path / "m", good)
        assert (tmp_path / "m").read_bytes() == good


def test_age_in_words() -> None:
    now = datetime(2026, 12, 1, 9, tzinfo=IST)
    for age, text in ((timedelta(minutes=5), "5 min"), (timedelta(hours=3), "3 h"),
                      (timedelta(days=3), "3 days")):  # fmt: skip
        assert f"1,234 instruments, {text} old" == MasterStatus(1234, now - age).text(now)
