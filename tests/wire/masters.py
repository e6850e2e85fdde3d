"""The symbol masters of a vector file: the requests for the files, and the readers of rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import msgspec

from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.master.download import rest_download
from openalgo_desktop.brokers.kit.master.readers import rows_of
from openalgo_desktop.brokers.kit.master.store import KitMaster
from openalgo_desktop.brokers.kit.spec import MasterFile
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.model import Instrument
from openalgo_desktop.core.symbols import format_expiry_dashed
from tests.wire.compare import request_differences
from tests.wire.harness import Wire
from tests.wire.vectors import Prepared, VectorFile


async def master_requests(
    broker: Broker, file: VectorFile, place: Path
) -> list[tuple[MasterFile, list[httpx.Request]]]:
    """Each file of the master with the requests that fetch it."""
    found = []
    for master in broker.spec.master.files:
        wire = Wire(broker, file)
        try:
            await rest_download(wire.rest)(master, place / "download")
        except AppError:
            pass  # nothing is served: only the request counts
        finally:
            await wire.rest.close()
        found.append((master, wire.sent))
    return found


async def downloaded(
    broker: Broker, file: VectorFile, case: Mapping[str, Any], place: Path
) -> tuple[list[httpx.Request], list[dict[str, Any]] | None]:
    """The whole master from recorded replies: the requests in order and the instruments in
    uniform form; None when it could not be read (or not all of it was recorded)."""
    wire = Wire(broker, file, case.get("http_response") or [])
    spec, rest = broker.spec, wire.rest
    master = KitMaster(spec.master, place, wire.clock, rest_download(rest), spec.title)
    try:
        rows = [instrument_row(row) for row in await master.instruments()]
    except AppError:
        return wire.sent, None
    finally:
        await rest.close()
    return wire.sent, rows


def sequence_problems(
    wanted: Sequence[Mapping[str, Any]], sent: Sequence[httpx.Request], ready: Prepared
) -> list[str]:
    """Recorded requests against those that left, in order; more may follow where the recorder
    stopped."""
    found = []
    if len(sent) < len(wanted):
        found.append(f"{len(sent)} requests instead of {len(wanted)}")
    for number, (want, request) in enumerate(zip(wanted, sent, strict=False)):
        found += request_differences(dict(want), request, ready, ("http", str(number)), set())
    return found


def asked(
    wanted: Mapping[str, Any],
    requests: Iterable[tuple[MasterFile, list[httpx.Request]]],
    ready: Prepared,
    number: int,
) -> tuple[MasterFile | None, list[str]]:
    """The file that a recorded request fetches; else what is wrong with the nearest one."""
    nearest: list[str] | None = None
    for master, sent in requests:
        for request in sent:
            found = request_differences(dict(wanted), request, ready, ("http", str(number)), set())
            if not found:
                return master, []
            if nearest is None or len(found) < len(nearest):
                nearest = found
    return None, nearest or [f"/http/{number}: no file is fetched from {wanted['url']}"]


def address_problems(
    urls: Iterable[str], requests: Iterable[tuple[MasterFile, list[httpx.Request]]]
) -> list[str]:
    """Recorded download addresses against ours."""
    ours = {unquote(str(request.url)) for _, sent in requests for request in sent}
    wanted = {unquote(url) for url in urls}
    found = [f"/urls: {url} is not fetched" for url in sorted(wanted - ours)]
    return found + [f"/urls: {url} is not wanted" for url in sorted(ours - wanted)]


def master_rows(
    broker: Broker, case: Mapping[str, Any], place: Path, files: Mapping[int, MasterFile]
) -> list[dict[str, Any]]:
    """Instruments of a recorded master case, in uniform form. ``files``: those of the case's
    requests, by their number."""
    master = broker.spec.master
    rows: list[dict[str, Any]] = []
    for number, content in enumerate(case["content"]):
        file = files.get(number) or _file_of(master.files, case, content.get("name", ""))
        reader = file.reader or master.reader
        for source in _source_rows(file, case, content, place):
            row = reader(source, file)
            if row is not None:
                rows.append(instrument_row(row))
        # Rows that no file has join those of the file of their exchange.
        known = {(row["exchange"], row["symbol"]) for row in rows}
        rows += [
            instrument_row(row)
            for row in master.fixed
            if row.brexchange == file.exchange and row.key not in known
        ]
    return rows


def _file_of(files: tuple[MasterFile, ...], case: Mapping[str, Any], name: str) -> MasterFile:
    names = [text for text in (name, case.get("file"), *(case.get("urls") or ())) if text]
    for file in files:
        known = {file.name, file.path.rsplit("/", 1)[-1], file.exchange, file.member} - {""}
        if any(fnmatch(text, f"*{part}*") for text in names for part in known):
            return file
    return files[0]


def _source_rows(
    file: MasterFile, case: Mapping[str, Any], content: Mapping[str, Any], place: Path
) -> Iterable[Mapping[str, Any]]:
    """Rows through the kit's own reader, from a file as it is after unpacking."""
    plain = msgspec.structs.replace(file, pack="", member="")
    if "json" in content:
        data = content["json"]
        # The recorded part of an answer is named by its place in it.
        name = content.get("name") or ""
        if name and isinstance(data, dict) and name not in data:
            plain = msgspec.structs.replace(plain, rows=file.rows.removeprefix(f"{name}."))
        whole = isinstance(data, list) or file.rows or file.text_at
        text = json.dumps(data if whole else [data])
    else:
        text = content["text"]
        plain = msgspec.structs.replace(plain, text_at="")
        header = case.get("header")
        if file.form == "csv" and header and not text.startswith(header):
            text = header + "\n" + text
            plain = msgspec.structs.replace(plain, header=())
        elif file.form == "json" and not text.lstrip().startswith(("[", "{")):
            text = f"[{text}]"
    path = place / "master"
    path.write_text(text, encoding=file.encoding)
    return rows_of(plain, path)


def instrument_row(row: Instrument) -> dict[str, Any]:
    """An instrument in uniform form."""
    return {
        "symbol": row.symbol,
        "exchange": row.exchange,
        "brsymbol": row.brsymbol,
        "brexchange": row.brexchange,
        "token": row.token,
        "name": row.name,
        "expiry": format_expiry_dashed(row.expiry),
        "strike": row.strike,
        "lotsize": row.lot_size,
        "instrumenttype": row.instrument_type,
        "tick_size": row.tick_size,
        "contract_value": row.contract_value,
    }
