"""What refusals and validation errors look like on the wire, in the form of each endpoint."""

from __future__ import annotations

import math
from typing import Any

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import AppError, RateLimited, RejectedByBroker
from openalgo_desktop.local_api.table import TEXT_TYPE, ApiError, Endpoint, ErrorForm, Reply
from openalgo_desktop.local_api.validation import InvalidFields

MALFORMED = "The browser (or proxy) sent a request that this server could not understand."


class Malformed(ApiError):
    """Not JSON; existing clients know this form, which has no status."""

    def __init__(self) -> None:
        super().__init__(400, MALFORMED, with_mode=False)


def error_body(message: Any, **fields: Any) -> dict[str, Any]:
    """The body of an error as clients know it."""
    return {"status": "error", "message": message, **fields}


def refusal(row: Endpoint, error: AppError, mode: Mode, plain: bool) -> Reply:
    """The answer of a refused request; ``plain`` as text, for an endpoint that gives text."""
    message: Any = error.message
    fields: dict[str, Any] = {}
    headers: dict[str, str] = {"Connection": "close"} if error.http_status == 408 else {}
    with_mode = row.mode_in_errors
    if isinstance(error, ApiError):
        message, fields = error.body_message, error.fields
        with_mode = with_mode and error.with_mode
    elif isinstance(error, RejectedByBroker) and error.order_id:
        fields["orderid"] = error.order_id
    elif isinstance(error, RateLimited):
        fields["retry_after"] = max(1, math.ceil(error.retry_after))
    if "retry_after" in fields:
        headers["Retry-After"] = str(fields["retry_after"])
    if plain:
        end = "\n" if error.http_status == 403 else ""
        return Reply(f"{message}{end}".encode(), error.http_status, TEXT_TYPE, headers)
    if row.error_key != "message":
        payload = {row.error_key: message, **fields}
    elif isinstance(error, Malformed):
        payload = {"message": message}
    else:
        payload = error_body(message, **fields)
    if with_mode and mode is Mode.SANDBOX:
        payload["mode"] = mode.api_text
    return Reply(payload, error.http_status, headers=headers)


def invalid(row: Endpoint, error: InvalidFields, mode: Mode, plain: bool) -> Reply:
    """The answer to fields that the schema refuses; ``plain`` as in :func:`refusal`."""
    if plain:
        return Reply(str(error.messages).encode(), 400, TEXT_TYPE)
    payload = validation_payload(row.form, error.messages)
    if row.mode_in_validation and mode is Mode.SANDBOX:
        payload["mode"] = mode.api_text
    return Reply(payload, 400)


def validation_payload(form: ErrorForm, errors: Any) -> dict[str, Any]:
    """The body of a validation error in the form of its endpoint."""
    if form is ErrorForm.TEXT:
        return error_body(str(errors))
    if form is ErrorForm.OBJECT:
        return error_body(_text_keys(errors))
    message = "Validation error" if form is ErrorForm.ERRORS else "Validation failed"
    return error_body(message, errors=_text_keys(errors))


def _text_keys(errors: Any) -> Any:
    """List positions are numbers in marshmallow and texts in JSON."""
    if isinstance(errors, dict):
        return {str(name): _text_keys(value) for name, value in errors.items()}
    return errors
