"""``openalgo-desktop call``: one request to the local API from the shell.

The running engine says how an endpoint is called and which fields are texts; so nothing of the
engine is imported here. Only without one, the table of this version is asked.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from openalgo_desktop.core.errors import ConfigError, NetError
from openalgo_desktop.shell.entrance import importing
from openalgo_desktop.shell.link import Link, NoEngine

_TIMEOUT = 60.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def run(args: argparse.Namespace) -> int:
    """Send the request and print the answer; 1 when it is a refusal."""
    facts = _facts(args)
    body = parse_fields(facts["texts"], args.fields)
    url = args.url or (_of_port(args) if args.rest_port is not None else facts["rest_url"])
    status, text = send(url, args.key or facts["key"], facts, body)
    print(answer_text(text))
    return 0 if status < 400 else 1


def _of_port(args: argparse.Namespace) -> str:
    return f"http://127.0.0.1:{args.rest_port}"


def _facts(args: argparse.Namespace) -> dict[str, Any]:
    wanted = {"path": args.endpoint, "method": "GET" if args.get else ""}
    try:
        answer = Link(args.data_dir).ask("engine", "endpoint", {"args": wanted})
    except NoEngine:
        with importing():
            from openalgo_desktop.shell.call_alone import endpoint_facts
        return endpoint_facts(args)
    if answer.get("status") != "success":
        raise ConfigError(str(answer.get("message")))
    facts: dict[str, Any] = answer["rows"][0]
    return facts


def parse_fields(texts: Collection[str], pairs: Sequence[str]) -> dict[str, Any]:
    """``key=value`` arguments as the fields of a request: texts where the endpoint wants texts,
    else JSON when it reads as JSON. Raises :class:`ConfigError`."""
    result: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise ConfigError(f"{pair!r}: write fields as key=value.")
        result[key] = text if key in texts else _json(text)
    return result


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def send(
    base_url: str, key: str, facts: Mapping[str, Any], body: Mapping[str, Any]
) -> tuple[int, str]:
    """Status and text of the answer. A loopback address is never asked through a proxy. Raises
    :class:`NetError` when nobody listens, :class:`ConfigError` for what is no address."""
    from urllib.error import HTTPError
    from urllib.parse import quote, urlencode, urlsplit
    from urllib.request import ProxyHandler, Request, build_opener

    if urlsplit(base_url).scheme not in ("http", "https"):
        raise ConfigError(f"--url: {base_url!r} must be such as http://127.0.0.1:5000.")
    url = base_url.rstrip("/") + facts["route"] + quote(facts["rest"], safe=":")
    data = dict(body)
    if facts["keyed"]:
        data.setdefault("apikey", key)
    if facts["method"] == "GET":
        request = Request(f"{url}?{urlencode(data)}" if data else url)
    else:
        headers = {"Content-Type": "application/json"}
        request = Request(url, json.dumps(data).encode(), headers, method=facts["method"])
    direct = urlsplit(base_url).hostname in _LOOPBACK
    opener = build_opener(ProxyHandler({})) if direct else build_opener()
    try:
        with opener.open(request, timeout=_TIMEOUT) as response:
            return response.status, response.read().decode("utf-8", "replace")
    except HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        raise NetError(
            f"No answer from {base_url} ({error}). Is the program running? "
            "Another address: --url http://127.0.0.1:PORT"
        ) from None


def answer_text(text: str) -> str:
    """The answer for a person: JSON indented, anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
