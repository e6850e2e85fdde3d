"""Comparison of what came with what was recorded; gives sentences, none when all is equal."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx

from tests.wire.vectors import Path_, Prepared

#: Money that the unified form gives with two decimals: compared at the recorded precision.
_ROUNDED = frozenset(
    {
        "pnl",
        "pnlpercent",
        "trade_value",
        "availablecash",
        "collateral",
        "m2munrealized",
        "m2mrealized",
        "utiliseddebits",
        "change",
        "change_percent",
    }
)
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_INTEGER = re.compile(r"-?(0|[1-9]\d*)")
_MASK = re.compile(r"<[^<>]*>")


def as_number(value: Any) -> float | None:
    """The number of a JSON number or of a numeric text; ids with leading zeros are texts."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value.strip()) else None


def equal_numbers(wanted: float, got: float, *, rounded: bool = False) -> bool:
    """Within one part in a million, whole numbers (times, quantities) exactly; ``rounded`` also
    at two decimals."""
    if wanted.is_integer() and got.is_integer():
        return wanted == got
    if abs(wanted - got) <= 1e-6 * max(1.0, abs(wanted), abs(got)):
        return True
    return rounded and abs(wanted - got) <= 0.005 + 1e-9


def same_text(wanted: str, got: str) -> bool:
    """Equal texts; a masked part ``<...>`` of the recording stands for anything, JSON inside a
    text is compared as JSON, numbers as numbers."""
    if wanted == got:
        return True
    if _INTEGER.fullmatch(wanted) and _INTEGER.fullmatch(got):
        return int(wanted) == int(got)  # ids are longer than a float is exact
    a, b = as_number(wanted), as_number(got)
    if a is not None and b is not None:
        return equal_numbers(a, b)
    if wanted[:1] in ("{", "[") and got[:1] in ("{", "["):
        try:
            return not differences(json.loads(wanted), json.loads(got), wire=True)
        except ValueError:
            return False
    if _MASK.search(wanted):
        pattern = "".join(".+" if i % 2 else re.escape(p) for i, p in enumerate(_split(wanted)))
        return re.fullmatch(pattern, got, re.S) is not None
    return False


def _split(text: str) -> list[str]:
    parts, last = [], 0
    for match in _MASK.finditer(text):
        parts += [text[last : match.start()], match.group()]
        last = match.end()
    return [*parts, text[last:]]


def differences(
    wanted: Any,
    got: Any,
    *,
    case: Prepared | None = None,
    path: Path_ = (),
    wire: bool = False,
    exact_keys: bool | None = None,
    own_tags: frozenset[str] | set[str] = frozenset(),
) -> list[str]:
    """What is different.

    On the ``wire`` the JSON type must match, keys must be the same, and an own tag is compared
    by its form; in results more keys are allowed and null is not compared.
    """
    strict_keys = wire if exact_keys is None else exact_keys
    if case is not None and case.skip(path):
        return []
    name = path[-1] if path else ""
    where = "/" + "/".join(path)
    if name.lower() in own_tags:
        return [] if _tag_form(wanted, got) else [f"{where}: {got!r} has not the form of our tag"]
    if isinstance(wanted, dict):
        if not isinstance(got, dict):
            return [f"{where}: {got!r} instead of an object"]
        found = []
        for key in wanted:
            if key not in got:
                if not (case and case.skip((*path, key))) and not (
                    not wire and wanted[key] is None
                ):
                    found.append(f"{where}/{key}: missing, wanted {wanted[key]!r}")
                continue
            found += differences(
                wanted[key], got[key], case=case, path=(*path, key), wire=wire, own_tags=own_tags
            )
        if strict_keys:
            found += [
                f"{where}/{key}: not wanted, is {got[key]!r}"
                for key in got
                if key not in wanted and not (case and case.skip((*path, key)))
            ]
        return found
    if isinstance(wanted, list):
        if not isinstance(got, list):
            return [f"{where}: {got!r} instead of a list"]
        found = []
        if len(wanted) != len(got):
            found.append(f"{where}: {len(got)} items instead of {len(wanted)}: {got!r}")
        for index, (a, b) in enumerate(zip(wanted, got, strict=False)):
            found += differences(
                a, b, case=case, path=(*path, str(index)), wire=wire, own_tags=own_tags
            )
        return found
    return _scalar(wanted, got, where, name, wire)


def _scalar(wanted: Any, got: Any, where: str, name: str, wire: bool) -> list[str]:
    if wanted is None:
        return [f"{where}: {got!r} instead of null"] if wire and got is not None else []
    if isinstance(wanted, str) and isinstance(got, str):
        return [] if same_text(wanted, got) else [f"{where}: {got!r}, wanted {wanted!r}"]
    if wire and (isinstance(wanted, str) != isinstance(got, str)):
        return [f"{where}: {got!r} has another JSON type than {wanted!r}"]
    a, b = as_number(wanted), as_number(got)
    if a is not None and b is not None:
        if equal_numbers(a, b, rounded=not wire and name in _ROUNDED):
            return []
    elif wanted == got:
        return []
    return [f"{where}: {got!r}, wanted {wanted!r}"]


def _tag_form(wanted: Any, got: Any) -> bool:
    if type(wanted) is not type(got):
        return False
    return not isinstance(got, str) or (0 < len(got) <= max(20, len(wanted)))


# -- requests -------------------------------------------------------------------------------
def request_differences(
    wanted: dict[str, Any], sent: httpx.Request, case: Prepared, base: Path_, own_tags: set[str]
) -> list[str]:
    """One recorded request against the one that left; ``base`` is its place in the case."""
    where = "/" + "/".join(base)
    parts = urlsplit(str(sent.url))
    url = f"{parts.scheme}://{parts.netloc}{parts.path}"
    found = []
    if wanted["method"] != sent.method:
        found.append(f"{where}: {sent.method} instead of {wanted['method']}")
    if not case.skip((*base, "url")) and not same_text(unquote(wanted["url"]), unquote(url)):
        found.append(f"{where}/url: {url}, wanted {wanted['url']}")
    found += differences(
        wanted.get("query") or {},
        _query(parts.query),
        case=case,
        path=(*base, "query"),
        wire=True,
        own_tags=own_tags,
    )
    found += _header_differences(wanted.get("headers") or {}, sent, case, base, own_tags)
    encoding = wanted.get("encoding") or "none"
    if encoding == "none":
        if sent.content and wanted.get("body") is None:
            found.append(f"{where}/body: not wanted, is {sent.content!r}")
        return found
    body = decoded_body(encoding, sent.content)
    found += differences(
        _opened(wanted.get("body")) if encoding == "form" else wanted.get("body"),
        body,
        case=case,
        path=(*base, "body"),
        wire=True,
        own_tags=own_tags,
    )
    return found


def _query(text: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name in result:
            known = result[name]
            result[name] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            result[name] = value
    return result


def _header_differences(
    wanted: dict[str, str], sent: httpx.Request, case: Prepared, base: Path_, own_tags: set[str]
) -> list[str]:
    found = []
    for name, value in wanted.items():
        path = (*base, "headers", name)
        if case.skip(path) or value == "$absent":
            continue
        got = sent.headers.get(name)
        if got is None:
            found.append(f"{'/'.join(path)}: header missing, wanted {value!r}")
        elif name.lower() in own_tags:
            continue
        elif name.lower() == "content-type":
            if got.partition(";")[0].strip() != value.partition(";")[0].strip():
                found.append(f"{'/'.join(path)}: {got!r}, wanted {value!r}")
        elif not same_text(value, got):
            found.append(f"{'/'.join(path)}: {got!r}, wanted {value!r}")
    return found


def decoded_body(encoding: str, content: bytes) -> Any:
    """The body as the recordings write it down."""
    if encoding == "json":
        return json.loads(content) if content else None
    text = content.decode()
    if "jData=" in text:
        data, _, key = text.partition("&jKey=")
        fields = {"jData": json.loads(unquote(data.removeprefix("jData=")))}
        return fields | ({"jKey": unquote(key)} if key else {})
    return _query(text)


def _opened(body: Any) -> Any:
    """A form value that is an object means JSON text in that field."""
    if not isinstance(body, dict) or "jData" in body:
        return body
    return {k: json.dumps(v) if isinstance(v, dict) else v for k, v in body.items()}
