"""Bodies of requests as fields: JSON as programs send it, and whatever alert senders post.

A sender of alerts seldom lets its user choose the Content-Type, so of an alert the text itself
says what it is: JSON is JSON under any name, with or without a byte order mark.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from openalgo_desktop.core.encodings import utf8_json
from openalgo_desktop.local_api.doorkeeper import BODY_SECONDS
from openalgo_desktop.local_api.http_server import web
from openalgo_desktop.local_api.refusals import Malformed
from openalgo_desktop.local_api.table import JSON_TYPE, ApiError

FORM_TYPE, PARTS_TYPE = "application/x-www-form-urlencoded", "multipart/form-data"
#: Fields of a form at most, and the bytes of a form or an alert.
MOST_FIELDS = 50
_MOST_FORM = 65_536
_DECODE = msgspec.json.Decoder()
WRONG_TYPE = "Send a JSON object with Content-Type application/json."
WRONG_ALERT = (
    "The alert is neither a JSON object nor a form. Write the message as JSON, such as "
    '{"action": "BUY"}, with double quotes.'
)


async def read(request: web.BaseRequest) -> bytes:
    """All bytes of a body; raises :class:`ApiError` for one that is too large, too slow, or not
    encoded as it says."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise ApiError(413, "The request body is too large.", with_mode=False) from None
    except web.RequestPayloadError:
        text = "The request body cannot be decoded as its Content-Encoding says."
        raise ApiError(400, text, with_mode=False) from None
    except TimeoutError:
        text = f"The request body did not arrive within {BODY_SECONDS:g} seconds."
        raise ApiError(408, text, with_mode=False) from None


def media_type(content_type: str) -> str:
    """The media type of a Content-Type, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def json_fields(raw: bytes, content_type: str) -> dict[str, Any]:
    """The fields of a JSON body; raises :class:`ApiError`."""
    media = media_type(content_type)
    if media not in (JSON_TYPE, "text/plain") and not media.endswith("+json"):
        raise ApiError(415, WRONG_TYPE, with_mode=False)
    try:
        data = _DECODE.decode(utf8_json(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if media == "text/plain":
            text = "A text/plain body must be a JSON object."
            raise ApiError(415, text, with_mode=False) from None
        raise Malformed() from None
    if not isinstance(data, dict):
        raise ApiError(400, "The request body must be a JSON object.", with_mode=False)
    return data


def order_fields(raw: bytes, content_type: str) -> dict[str, Any]:
    """The same of an order, whose sender may only be able to post a form: one with a key is
    taken."""
    if media_type(content_type) in (FORM_TYPE, PARTS_TYPE):
        found = _form(raw, content_type)
        if "apikey" in found:
            return found
    return json_fields(raw, content_type)


def foreign_fields(raw: bytes) -> dict[str, str]:
    """The fields of the form of a broker's login page."""
    return dict(parse_qsl(raw.decode(errors="replace"), max_num_fields=MOST_FIELDS))


@dataclass(frozen=True, slots=True)
class Body:
    """The body of an alert, or the ``trouble`` of reading it; looked at when its turn comes."""

    raw: bytes = b""
    content_type: str = ""
    trouble: ApiError | None = None

    @classmethod
    async def of(cls, request: web.BaseRequest) -> Body:
        """Read it; never raises for what the sender did."""
        kind = request.headers.get("Content-Type", "")
        try:
            return cls(await read(request), kind)
        except ApiError as error:
            return cls(b"", kind, error)

    def fields(self) -> dict[str, Any]:
        """What it says; none where it is empty. Raises :class:`ApiError` with a sentence."""
        if self.trouble is not None:
            raise self.trouble
        if len(self.raw) > _MOST_FORM:
            raise ApiError(413, f"An alert may have {_MOST_FORM:,} bytes.")
        try:
            text = utf8_json(self._decoded()).strip()
            if not text:
                return {}
            if text[:1] in b"{[":
                return _object(text)
        except (ValueError, LookupError):  # codecs fail with more than UnicodeDecodeError
            raise ApiError(400, "The alert is not written in the charset that it names.") from None
        if media_type(self.content_type) in (FORM_TYPE, PARTS_TYPE):
            return _form(self.raw, self.content_type)
        raise ApiError(400, WRONG_ALERT)

    def _decoded(self) -> bytes:
        """The text as bytes of UTF-8 where a charset of another kind is named."""
        name = _charset(self.content_type)
        if not name or name.startswith("utf"):
            return self.raw
        return self.raw.decode(name).encode()


def _object(text: bytes) -> dict[str, Any]:
    try:
        data = _DECODE.decode(text)
    except msgspec.DecodeError as error:
        raise ApiError(400, f"The alert cannot be read as JSON: {error}.") from None
    except UnicodeDecodeError:
        why = "The alert cannot be read as JSON: its letters are no UTF-8. Write it in UTF-8."
        raise ApiError(400, why) from None
    except RecursionError:
        why = "The alert cannot be read as JSON: it is nested too deep."
        raise ApiError(400, why) from None
    if not isinstance(data, dict):
        raise ApiError(400, "The alert must be one JSON object, not a list of them.")
    return data


def _charset(content_type: str) -> str:
    for part in content_type.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


def _form(raw: bytes, content_type: str) -> dict[str, Any]:
    if len(raw) > _MOST_FORM:
        raise ApiError(413, f"A form may have {_MOST_FORM} bytes.", with_mode=False)
    if media_type(content_type) == PARTS_TYPE:
        return _once(_parts(raw, content_type))
    try:
        text = raw.decode("utf-8-sig")
        found = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise ApiError(400, "The form cannot be read.", with_mode=False) from None
    return _once(found)


def _parts(raw: bytes, content_type: str) -> Iterable[tuple[str, str]]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("utf-8", "replace")
    message = message_from_bytes(head + raw, policy=policy.HTTP)
    parts = list(message.iter_parts()) if message.is_multipart() else []
    if not parts or len(parts) > MOST_FIELDS:
        raise ApiError(400, "The form cannot be read.", with_mode=False)
    for part in parts:
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(value, bytes) or part.get_filename():
            raise ApiError(400, "The form may have named texts only, no files.", with_mode=False)
        yield name, value.decode("utf-8", "replace")


def _once(found: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A field that is there twice says two things: neither is chosen."""
    fields: dict[str, Any] = {}
    for name, value in found:
        if name in fields:
            raise ApiError(400, f"The form has the field {name[:50]!r} twice.", with_mode=False)
        fields[name] = value
    return fields
