"""The symbol master: files, and who reads their rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time
from typing import Any

import msgspec

from openalgo_desktop.brokers.kit.spec.operations import Pages
from openalgo_desktop.core.model import Instrument

#: How files are packed, and what is in them.
PACKS = ("", "gz", "zip")
MASTER_FORMS = ("csv", "json", "jsonl")


class MasterFile(msgspec.Struct, frozen=True, kw_only=True):
    """One download of the symbol master.

    ``query`` (value words); ``method`` and ``body`` (value words, sent as JSON) where it is asked
    for by POST; ``pages`` where it comes in pieces. ``listed``: the path in a JSON answer of the
    list of files (``path`` then is the list's own). Its items are addresses, or ``listed_path``
    makes a path of each (``{item}``, or its fields: ``/store/{name}``); each is fetched and read
    as this file, and the row reader sees its ``name``.

    ``pack``: "", gz, zip (all members that fit the file name pattern ``member``). ``form``: csv,
    json (an array, or that at ``rows``; ``*`` at its end: the values of the object there, which
    get their keys as ``key``), jsonl. A text in place of a row becomes ``{"value": text}``.
    ``text_at``: the path of the text inside a JSON answer that holds a CSV. ``header`` names the
    columns of a file without a header line. ``encoding`` is the text's. ``exchange`` is a hint
    that the row reader gets. ``reader`` reads this file's rows in place of the master's reader.
    ``auth`` sends the session, ``renew`` names the second one that it
    belongs to.
    """

    path: str
    host: str = "rest"
    method: str = "GET"
    query: Mapping[str, Any] = {}
    body: Mapping[str, Any] = {}
    headers: Mapping[str, str] = {}
    pages: Pages | None = None
    listed: str = ""
    listed_path: str = ""
    name: str = ""
    exchange: str = ""
    pack: str = ""
    member: str = ""
    form: str = "csv"
    rows: str = ""
    text_at: str = ""
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    header: tuple[str, ...] = ()
    reader: RowReader | None = None
    auth: bool = False
    renew: str = ""
    optional: bool = False


#: Makes the instrument of one source row (column -> text or JSON value), or None to skip it.
RowReader = Callable[[Mapping[str, Any], MasterFile], Instrument | None]


class MasterSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Symbol master: files, and the reader of a row. ``fixed`` rows are added where no file has
    their key. A copy older than ``refresh`` (IST) of today is out of date. ``own``: each account
    has a master of its own (the broker is a server of the user's). ``ticks``: the files tell tick
    sizes; where they do not, protected limits lie on a grid that holds for every tick."""

    files: tuple[MasterFile, ...]
    reader: RowReader
    fixed: tuple[Instrument, ...] = ()
    refresh: time = time(8, 0)
    own: bool = False
    ticks: bool = True
