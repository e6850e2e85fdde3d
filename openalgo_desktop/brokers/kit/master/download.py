"""Fetching the files of a symbol master: single ones, lists of them, and long ones in pages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import msgspec

from openalgo_desktop.brokers.kit.master.readers import piece_path, rows_of
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.values import fill, pick
from openalgo_desktop.brokers.kit.spec import MasterFile, Op, Pages
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.errors import ProtocolError
from openalgo_desktop.core.gently import gently

DOWNLOAD_TIMEOUT = 120.0

#: Puts one file of the master on disk, at the path or in pieces beside it (``parts_of``); raises
#: :class:`AppError`.
Download: TypeAlias = Callable[[MasterFile, Path], Awaitable[None]]


def rest_download(rest: RestClient) -> Download:
    """Downloads through the account's HTTP client. Besides the session, addresses and bodies may
    use ``today``, the IST date as ``YYYY-MM-DD``."""

    async def download(file: MasterFile, path: Path) -> None:
        values = {"today": rest.clock.now().astimezone(IST).date().isoformat()}
        if file.listed:
            await _listed(rest, file, path, values)
        elif file.pages is not None:
            await _paged(rest, file, file.pages, path, values)
        else:
            await rest.download(_op(file), path, values)

    return download


def _op(file: MasterFile) -> Op:
    """The request of a file."""
    return Op(
        method=file.method,
        path=file.path,
        host=file.host,
        query=file.query,
        body=file.body,
        encoding="json" if file.body else "none",
        headers=file.headers,
        form="text",
        public=not file.auth,
        sign=file.auth,
        renew=file.renew,
        timeout=DOWNLOAD_TIMEOUT,
    )


# -- lists of files -------------------------------------------------------------------------
async def _listed(
    rest: RestClient, file: MasterFile, path: Path, values: Mapping[str, Any]
) -> None:
    """The list, then each file of it."""
    place = path.with_name(path.name + ".list")
    await rest.download(_op(file), place, values)
    items = pick(await asyncio.to_thread(_json, file, place), file.listed)
    await asyncio.to_thread(place.unlink)
    if not isinstance(items, list) or not items:
        raise ProtocolError(f"{file.name or file.path} lists no files")
    home = str(rest.request(_op(file), {**rest.session.context(), **values}).url)
    for number, item in enumerate(items):
        context = {**values, **(item if isinstance(item, dict) else {"item": item})}
        op = _listed_op(file, item, home)
        address = fill(op.path, {**rest.session.context(), **context})
        name = PurePosixPath(urlsplit(address).path).name
        await rest.download(op, piece_path(path, number, name), context)


def _listed_op(file: MasterFile, item: Any, home: str) -> Op:
    """The request of a listed file; ``home`` is the address of the list."""
    text = file.listed_path or item
    if not isinstance(text, str) or not (text.startswith("/") or urlsplit(text).netloc):
        raise ProtocolError(f"{file.name or file.path} lists what is no address")
    there, here = urlsplit(text), urlsplit(home)
    ours = not there.netloc or there[:2] == here[:2]
    if not ours and there.scheme != "https":
        raise ProtocolError(f"{file.name or file.path} lists a file at an unsafe address")
    if not file.listed_path:
        text = text.replace("{", "%7B").replace("}", "%7D")  # it is no template of ours
    # Neither the session nor headers with its values go to a server that an answer names.
    own = msgspec.structs.replace(_op(file), method="GET", path=text, query={}, body={})
    own = msgspec.structs.replace(own, encoding="none")
    return own if ours else msgspec.structs.replace(own, headers={}, public=True, sign=False)


# -- pages ----------------------------------------------------------------------------------
async def _paged(
    rest: RestClient, file: MasterFile, pages: Pages, path: Path, values: Mapping[str, Any]
) -> None:
    """All pages, each a piece of the file."""
    number = pages.first if isinstance(pages.first, int) else 1
    at: Any = pages.first if pages.next else number
    seen = {str(at)}
    for page in range(pages.most):
        place = piece_path(path, page)
        await rest.download(_op(file), place, {**values, pages.value: at})
        if pages.next:
            after = await asyncio.to_thread(_value_at, file, place, pages.next)
            if not after:
                return
            if str(after) in seen:
                raise ProtocolError(
                    f"{file.name or file.path}: a page names an earlier one as next"
                )
            seen.add(str(after))
            at = after
        else:
            if not await asyncio.to_thread(_count, file, place):
                return
            number += 1
            at = number
    raise ProtocolError(f"{file.name or file.path} has more than {pages.most} pages")


def _json(file: MasterFile, path: Path) -> Any:
    """A short JSON answer."""
    try:
        return msgspec.json.decode(path.read_bytes())
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"{file.name or file.path} is damaged: {error}") from None


def _value_at(file: MasterFile, path: Path, place: str) -> Any:
    """The value at a path of a page; nothing else of the page is made, which may be long."""
    for alternative in place.split("|"):
        data: Any = msgspec.Raw(path.read_bytes())
        try:
            for part in alternative.split("."):
                data = msgspec.json.decode(data, type=dict[str, msgspec.Raw]).get(part, b"null")
            if (value := msgspec.json.decode(data)) is not None:
                return value
        except msgspec.ValidationError:
            continue  # no object there
        except msgspec.MsgspecError as error:
            raise ProtocolError(f"{file.name or file.path} is damaged: {error}") from None
    return None


def _count(file: MasterFile, path: Path) -> int:
    """Rows of a page."""
    return sum(1 for _ in gently(rows_of(file, path)))
