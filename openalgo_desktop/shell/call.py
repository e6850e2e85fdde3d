"""``openalgo-desktop call``: one request to the local API from the shell.

The endpoint table says the method and which fields are texts, numbers or lists; the server says
whether they are right.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import httpx
from marshmallow import Schema, fields

from openalgo_desktop.core.errors import ConfigError, NetError
from openalgo_desktop.local_api.endpoints import CONTROL, TABLE
from openalgo_desktop.local_api.network import url_host
from openalgo_desktop.local_api.table import Endpoint, Need
from openalgo_desktop.shell.api_key import default_key
from openalgo_desktop.shell.options import run_async, stored_settings, terminal_options
from openalgo_desktop.storage.datadir import DataDirectory

_TIMEOUT = 60.0


def find_endpoint(name: str, method: str | None = None) -> tuple[Endpoint, str]:
    """The row of an endpoint by its path, and the rest of the path where it takes one.

    A path with two methods means POST unless ``method`` says GET. Raises :class:`ConfigError`.
    """
    wanted = name.strip("/").removeprefix("api/v1/")
    found: list[tuple[Endpoint, str]] = []
    for row in (*TABLE, CONTROL):
        path = row.path.strip("/")
        if path == wanted:
            found.append((row, ""))
        elif path.endswith("/*") and wanted.startswith(path[:-1]) and wanted != path[:-1]:
            found.append((row, wanted[len(path) - 1 :]))
    matching = [hit for hit in found if method is None or hit[0].method == method.upper()]
    if not matching:
        names = ", ".join(sorted({row.path.strip("/") for row in TABLE}))
        raise ConfigError(f"There is no endpoint {name!r}. Endpoints: {names}.")
    return max(matching, key=lambda hit: hit[0].method == "POST")


def parse_fields(row: Endpoint, pairs: Sequence[str]) -> dict[str, Any]:
    """``key=value`` arguments as the fields of a request: texts where the schema wants texts,
    else JSON when it reads as JSON. Raises :class:`ConfigError`."""
    schema: Schema | None = row.schema() if row.schema is not None else None
    result: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise ConfigError(f"{pair!r}: write fields as key=value.")
        field = schema.load_fields.get(key) if schema is not None else None
        result[key] = text if isinstance(field, fields.String) else _json(text)
    return result


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def call(base_url: str, key: str, row: Endpoint, rest: str, body: dict[str, Any]) -> httpx.Response:
    """Send the request; raises :class:`NetError` when nobody listens."""
    url = base_url.rstrip("/") + (row.route[:-1] + quote(rest, safe=":") if rest else row.route)
    data = dict(body)
    if row.need is not Need.NOTHING:
        data.setdefault("apikey", key)
    try:
        if row.method == "GET":
            return httpx.get(url, params=data, timeout=_TIMEOUT)
        return httpx.post(url, json=data, timeout=_TIMEOUT)
    except httpx.HTTPError as error:
        raise NetError(
            f"No answer from {base_url} ({error}). Is the program running? "
            "Another address: --url http://127.0.0.1:PORT"
        ) from None


def answer_text(response: httpx.Response) -> str:
    """The answer for a person: JSON indented, anything else as it is."""
    try:
        return json.dumps(response.json(), indent=2, ensure_ascii=False)
    except ValueError:
        return response.text


def run(args: argparse.Namespace) -> int:
    """Send the request and print the answer; 1 when it is a refusal."""
    return run_async(_call(args))


async def _call(args: argparse.Namespace) -> int:
    row, rest = find_endpoint(args.endpoint, "GET" if args.get else None)
    body = parse_fields(row, args.fields)
    options = terminal_options(args)
    url = args.url
    if not url and args.rest_port is None:
        url = DataDirectory(options.data_dir).announced().get("rest_url", "")
    if not url:
        settings = await stored_settings(options)
        url = f"http://{url_host(settings['api.host'])}:{settings['api.rest_port']}"
    key = args.key or await default_key(options)
    response = await asyncio.to_thread(call, url, key, row, rest, body)
    print(answer_text(response))
    return 0 if response.is_success else 1
