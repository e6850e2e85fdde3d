"""Bodies and queries of requests as bytes and text, by the encoding of an operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from openalgo_desktop.brokers.kit.rest.values import number_text, render
from openalgo_desktop.brokers.kit.spec import Op

_FORM = "application/x-www-form-urlencoded"


def content_of(op: Op, values: Mapping[str, Any], headers: dict[str, str]) -> bytes | None:
    """The body of a request; its content type joins ``headers`` where they have none."""
    if op.encoding == "none":
        return None
    body = render(op.body, values)
    if op.encoding == "json":
        headers.setdefault("Content-Type", "application/json")
        return msgspec.json.encode(body)
    headers.setdefault("Content-Type", _FORM)
    if op.encoding == "jdata":
        return jdata(body, values)
    return urlencode(pairs(body)).encode()


def jdata(body: Any, values: Mapping[str, Any]) -> bytes:
    """Noren's body. The server splits it at ``&`` before it reads the JSON and undoes no percent
    encoding, so an ``&`` of a value (M&M) goes as the escape of JSON."""
    text = b"jData=" + msgspec.json.encode(body).replace(b"&", rb"\u0026")
    if "jkey" in values:
        text += b"&jKey=" + str(values["jkey"]).encode()
    return text


def pairs(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Form or query fields; a list becomes a repeated field, a table JSON text."""
    result: list[tuple[str, str]] = []
    for name, value in fields.items():
        if isinstance(value, list):
            result += [(name, number_text(item)) for item in value]
        elif isinstance(value, dict):
            result.append((name, msgspec.json.encode(value).decode()))
        else:
            result.append((name, number_text(value)))
    return result
