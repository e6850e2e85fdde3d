"""What files of a symbol master look like, beside plain CSV and JSON: texts inside answers, zips of
several files, other encodings, lists and pieces."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.brokers.kit.master.readers import parts_of, piece_path, rows_of
from openalgo_desktop.brokers.kit.master.reading import read_file
from openalgo_desktop.brokers.kit.spec import MasterFile, MasterSpec
from openalgo_desktop.core.errors import ConfigError, ProtocolError
from openalgo_desktop.core.model import Instrument

ROWS = [{"a": "1", "b": "x,y"}, {"a": "2", "b": 'quo"te'}, {"a": "3", "b": "मुंबई"}]


def read(path: Path, data: bytes, **fields: Any) -> list[Mapping[str, Any]]:
    place = path / "file"
    place.write_bytes(data)
    return list(rows_of(MasterFile(path="/m", **fields), place))


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


# -- a CSV inside a JSON answer ------------------------------------------------------------------
XTS = {"text_at": "result", "delimiter": "|", "header": ("segment", "id", "name")}


def xts(text: str) -> bytes:
    return json.dumps({"type": "success", "code": "s-x", "result": text}).encode()


def test_the_text_inside_an_answer_is_read_as_a_file(tmp_path: Path) -> None:
    rows = read(tmp_path, xts("NSECM|2885|RELIANCE\nNSECM|3045|S\\BIN\\n|more\n"), **XTS)
    assert rows == [
        {"segment": "NSECM", "id": "2885", "name": "RELIANCE"},
        {"segment": "NSECM", "id": "3045", "name": "S\\BIN\\n"},
    ]
    assert read(tmp_path, xts(""), **XTS) == []
    nested = json.dumps({"d": {"list": [1], "text": "a;b\r\n1;2\r\n"}}).encode()
    assert read(tmp_path, nested, text_at="d.text", delimiter=";") == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("width", [0, 1, 7, 61, 1021, 65_500, 130_000])
def test_texts_across_blocks(tmp_path: Path, width: int) -> None:
    names = ["é" * (width % 977), "\\" * (width % 1000), 'q"uo', "\\n", "z" * width, "\U0001f600"]
    lines = [f"S|{number}|{name}" for number, name in enumerate(names * 40)]
    rows = read(tmp_path, xts("\n".join(lines)), **XTS)
    assert [row["name"] for row in rows] == names * 40


@pytest.mark.parametrize(
    "data",
    [
        xts("S|1|a\nS|2|b")[:-6],
        b'{"type":"error","description":"no such segment","result":null}',
        b'{"type":"success"}',
        b'{"type":"success","result":{"a":1}}',
        b"S|1|a\nS|2|b\n",
    ],
)
def test_answers_without_their_text_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(tmp_path, data, **XTS)


# -- JSON ----------------------------------------------------------------------------------------
def test_texts_and_arrays_in_place_of_rows(tmp_path: Path) -> None:
    answer = json.dumps({"result": {"indexList": ["NIFTY 50_26000", "INDIA VIX_26002"]}}).encode()
    rows = read(tmp_path, answer, form="json", rows="result.indexList")
    assert rows == [{"value": "NIFTY 50_26000"}, {"value": "INDIA VIX_26002"}]
    arrays = b'[["a", 1], ["b", 2.5]]'
    rows = read(tmp_path, arrays, form="json", header=("name", "n"))
    assert rows == [{"name": "a", "n": 1}, {"name": "b", "n": 2.5}]


def test_values_of_an_object_are_rows(tmp_path: Path) -> None:
    data = {"NSE:A-EQ": {"fyToken": "1"}, "NSE:B-EQ": {"fyToken": "2", "key": "own"}, "n": 3}
    wanted = [{"fyToken": "1", "key": "NSE:A-EQ"}, {"fyToken": "2", "key": "own"},
              {"value": 3, "key": "n"}]  # fmt: skip
    assert read(tmp_path, json.dumps(data).encode(), form="json", rows="*") == wanted
    deep = json.dumps({"s": "ok", "d": {"x": [1], "rows": data}}, indent=2).encode()
    assert read(tmp_path, deep, form="json", rows="d.rows.*") == wanted


def test_rows_are_taken_from_their_path_alone(tmp_path: Path) -> None:
    data = {"other": {"data": [{"n": 1}]}, "text": '"data": [{"n": 2}]', "data": [{"n": 3}, 4.5]}
    rows = read(tmp_path, json.dumps(data).encode(), form="json", rows="data")
    assert rows == [{"n": 3}, {"value": 4.5}]
    with pytest.raises(ProtocolError, match="result"):
        read(tmp_path, json.dumps(data).encode(), form="json", rows="result")


# -- packs and encodings -------------------------------------------------------------------------
CSV = 'a,b\n1,"x,y"\n2,"quo""te"\n3,मुंबई\n'.encode()
FIRST, SECOND = CSV[:4] + CSV[4:12], CSV[:4] + CSV[12:]


@pytest.mark.parametrize("member", ["", "*.csv", "[rs]*.csv"])
def test_all_members_of_a_zip_that_fit(tmp_path: Path, member: str) -> None:
    folder = {"data/": b"", "data/rows.csv": FIRST, "data/second.csv": SECOND}
    if member:
        folder |= {"data/read.me": b"no", "__MACOSX/data/._rows.csv": b"\0\0"}
    assert read(tmp_path, zipped(folder), pack="zip", member=member) == ROWS
    with pytest.raises(ProtocolError, match=r"no 'x\.csv'"):
        read(tmp_path, zipped(folder), pack="zip", member="x.csv")


def test_a_zip_of_json_and_of_gz(tmp_path: Path) -> None:
    lists = {"a.json": json.dumps(ROWS[:1]).encode(), "b/c.json": json.dumps(ROWS[1:]).encode()}
    assert read(tmp_path, zipped(lists), pack="zip", form="json", member="*.json") == ROWS
    assert read(tmp_path, zipped({"m.csv.gz": gzip.compress(CSV)}), pack="zip") == ROWS


@pytest.mark.parametrize("pack", ["", "gz"])
def test_gzip_is_seen_from_the_file_itself(tmp_path: Path, pack: str) -> None:
    assert read(tmp_path, gzip.compress(CSV), pack=pack) == ROWS
    assert read(tmp_path, CSV, pack=pack) == ROWS


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("latin-1", "Société"), ("cp1252", "€uro"), ("utf-16", "मुंबई"), ("utf-8", "मुंबई")],
)
def test_other_encodings(tmp_path: Path, encoding: str, text: str) -> None:
    data = f"a\r\n{text}\r\n".encode(encoding)
    assert read(tmp_path, data, encoding=encoding) == [{"a": text}]
    packed = zipped({"m": data})
    assert read(tmp_path, packed, encoding=encoding, pack="zip") == [{"a": text}]
    with pytest.raises(ConfigError, match="utf-9"):
        read(tmp_path, data, encoding="utf-9")


# -- whose reader --------------------------------------------------------------------------------
def test_a_file_may_have_a_reader_of_its_own(tmp_path: Path) -> None:
    def plain(row: Mapping[str, Any], file: MasterFile) -> Instrument:
        return Instrument(symbol=row["a"], exchange="NSE")

    def own(row: Mapping[str, Any], file: MasterFile) -> Instrument:
        name, token = row["value"].rsplit("_", 1)
        return Instrument(symbol=name, exchange=file.exchange, token=token)

    spec = MasterSpec(
        files=(
            MasterFile(path="/m"),
            MasterFile(path="/i", form="json", reader=own, exchange="NSE_INDEX"),
        ),
        reader=plain,
    )
    (tmp_path / "m").write_bytes(CSV)
    (tmp_path / "i").write_bytes(b'["NIFTY_26000"]')
    assert read_file(spec, spec.files[0], tmp_path / "m")[0].symbol == "1"
    (index,) = read_file(spec, spec.files[1], tmp_path / "i")
    assert (index.symbol, index.exchange, index.token) == ("NIFTY", "NSE_INDEX", "26000")


def test_pieces_are_read_in_their_order_and_bear_their_names(tmp_path: Path) -> None:
    file, path = MasterFile(path="/list", name="scrips"), tmp_path / "00-scrips"
    names = ("nse_cm-v1.csv", "bse fo?.csv", "")
    for number, name in enumerate(names):
        piece_path(path, number, name).write_bytes(f"a,b\n{number},x\n".encode())
    piece_path(path, 3).with_name("00-scrips.003.part").write_bytes(b"half")
    (tmp_path / "00-scrips2.000").write_bytes(b"another file")
    assert [part.name for part, _ in parts_of(file, path)] == [
        "nse_cm-v1.csv",
        "bsefo.csv",
        "scrips",
    ]
    assert [row["a"] for row in rows_of(file, path)] == ["0", "1", "2"]


# -- damage --------------------------------------------------------------------------------------
LINES = "\n".join(f"{n}|मुंबई {n}|{n * 1.5}" for n in range(40))
OBJECTS = [{"a": str(n), "b": "x\\n\u0939", "c": n * 1.5} for n in range(40)]
WHOLE = {
    "csv": ({"header": ("a", "b"), "delimiter": "|"}, LINES.encode()),
    "utf-16": ({"encoding": "utf-16", "delimiter": "|"}, LINES.encode("utf-16")),
    "gz": ({"pack": "gz", "delimiter": "|"}, gzip.compress(LINES.encode())),
    "zip": ({"pack": "zip", "delimiter": "|"}, zipped({"a": LINES.encode(), "b": b"x"})),
    "json": ({"form": "json", "rows": "d.r"}, json.dumps({"d": {"x": [1], "r": OBJECTS}}).encode()),
    "keyed": ({"form": "json", "rows": "*"}, json.dumps(dict(enumerate(OBJECTS))).encode()),
    "text": (XTS, xts(LINES)),
    "jsonl": ({"form": "jsonl"}, "\n".join(map(json.dumps, OBJECTS)).encode()),
}


@pytest.mark.parametrize("form", WHOLE)
def test_damaged_files_give_rows_or_a_protocol_error(tmp_path: Path, form: str) -> None:
    fields, whole = WHOLE[form]
    assert len(read(tmp_path, whole, **fields)) >= 39
    rng, refused = random.Random(form), 0
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(data) + 1)
            data[at : at + rng.choice((0, 1, 30))] = rng.choice(
                (b"", b"\\", b'"', b"[" * 50_000, bytes(data[:40]), rng.randbytes(3))
            )
        try:
            read(tmp_path, bytes(data), **fields)
        except ProtocolError:
            refused += 1
    assert refused or form == "csv"
