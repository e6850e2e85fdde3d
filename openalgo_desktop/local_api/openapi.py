"""The OpenAPI 3.1 document, generated from the endpoint table and its schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec
from marshmallow import EXCLUDE, INCLUDE, Schema, fields, missing
from marshmallow.validate import Length, OneOf, Range, Regexp

from openalgo_desktop import __version__
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.local_api.table import Endpoint, ErrorForm, Need
from openalgo_desktop.local_api.validation import new_schema

_TYPES: dict[type[fields.Field[Any]], dict[str, Any]] = {
    fields.Boolean: {"type": ["boolean", "string", "integer"]},
    fields.Integer: {"type": ["integer", "string"]},
    # Order clients send numbers as texts; both are accepted.
    fields.Float: {"type": ["number", "string"]},
    fields.Date: {"type": "string", "format": "date"},
    fields.String: {"type": "string"},
}
_STATUS = {"type": "string", "enum": ["success", "error", "partial", "warning"]}
_ANSWER = {
    "type": "object",
    "properties": {
        "status": _STATUS,
        "mode": {"type": "string", "description": "`analyze` when the answer is simulated"},
        "message": {},
        "data": {},
    },
}
_REFUSAL = {
    "type": "object",
    "properties": {
        "status": {"const": "error"},
        "message": {"description": "A text, or the errors by field"},
        "errors": {"type": "object"},
        "mode": {"type": "string"},
    },
}
#: How each form tells validation errors.
_FORMS = {
    ErrorForm.TEXT: "`message` is a text with the errors by field",
    ErrorForm.OBJECT: "`message` is an object with the errors by field",
    ErrorForm.ERRORS: "`message` is `Validation error`, `errors` the errors by field",
    ErrorForm.FAILED: "`message` is `Validation failed`, `errors` the errors by field",
}
#: Refusals that any endpoint may give.
_REFUSALS = {
    "400": "The request is not valid, or the order was refused",
    "403": "Wrong key, or the key has no right to this",
    "404": "No such order, symbol or path",
    "413": "The body is too large",
    "415": "The body is not JSON",
    "429": "Too many requests",
    "500": "Something failed",
    "501": "Not available with this broker or in this version",
    "503": "The broker cannot be reached",
}


#: What the document says of a path that this version only answers.
STUB = "Not available in this version: clients that ask get the documented answer and no effect."


@cache
def example_answers() -> dict[str, Any]:
    """A recorded answer by ``METHOD path`` (made by ``python -m tests.api.reference``)."""
    found: dict[str, Any] = msgspec.json.decode(resource_text("api/answers.json"))
    return found


def document(rows: Iterable[Endpoint], server: str, stream: str = "") -> dict[str, Any]:
    """The document for these rows, served at ``server`` (without ``/api/v1``); ``stream`` is the
    address of the WebSocket server."""
    paths: dict[str, dict[str, Any]] = {}
    groups: dict[str, None] = {}
    for row in rows:
        groups[row.group] = None
        paths.setdefault(_path(row), {})[row.method.lower()] = _operation(row)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OpenAlgo Desktop local API",
            "version": __version__,
            "description": "Every endpoint also answers with a slash at the end.",
        },
        "servers": [{"url": server}],
        "x-websocket": stream,
        "tags": [{"name": name} for name in groups],
        "paths": paths,
        "components": {"schemas": {"Answer": _ANSWER, "Refusal": _REFUSAL}},
    }


def _path(row: Endpoint) -> str:
    return f"{row.route[:-1]}{{id}}" if row.route.endswith("/*") else row.route


def _operation(row: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{row.method.lower()}_{row.name.replace('/', '_').rstrip('*_')}",
        "summary": row.doc,
        "tags": [row.group],
        "responses": _responses(row),
    }
    if row.stub:
        operation["x-stub"] = True
        operation["description"] = STUB
    elif row.schema is not None:
        operation["description"] = f"Validation errors: {_FORMS[row.form]}."
    parameters: list[dict[str, Any]] = []
    if row.route.endswith("/*"):
        parameters.append(
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        )
    schema = request_schema(row)
    if row.method == "GET":
        parameters += [
            {
                "name": _QUERY_NAMES.get(name, name),
                "in": "query",
                "required": name in schema.get("required", ()),
                "schema": value,
            }
            for name, value in schema["properties"].items()
            if name not in _IN_PATH.get(row.path, ())
        ]
    else:
        media: dict[str, Any] = {"application/json": {"schema": schema}}
        if row.example:
            media["application/json"]["example"] = dict(row.example)
        operation["requestBody"] = {"required": True, "content": media}
    if parameters:
        operation["parameters"] = parameters
    return operation


#: Names of query parameters that differ from the fields they become.
_QUERY_NAMES = {"start_date": "from", "end_date": "to"}
#: Fields that come from the path.
_IN_PATH = {"ticker/*": ("symbol", "exchange")}


def _responses(row: Endpoint) -> dict[str, Any]:
    good: dict[str, Any] = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
    for value in row.text_errors.values():
        good["text/csv" if value == "csv" else "text/plain"] = {"schema": {"type": "string"}}
    refusal = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    if row.text_errors:
        refusal["text/plain"] = {"schema": {"type": "string"}}
    codes = dict(_REFUSALS)
    if row.bad_key[0] == 401:
        codes["401"] = "Wrong key"
    if row.group == "Messaging":
        codes["409"] = "The messenger is not connected"
    if row.need in (Need.TRADE, Need.STRATEGY):
        codes["504"] = "The order was sent and its state is unknown: look at the order book"
        codes["409"] = "Not possible in the current state"
    example = example_answers().get(f"{row.method} {row.route}")
    if example is not None:
        good["application/json"]["example"] = example
    answers = {"200": {"description": "Success", "content": good}}
    return answers | {
        code: {"description": text, "content": refusal} for code, text in sorted(codes.items())
    }


def request_schema(row: Endpoint) -> dict[str, Any]:
    """JSON schema of the fields of a request."""
    if row.schema is not None:
        return json_schema(new_schema(row.schema))
    if row.need is Need.NOTHING:
        return {"type": "object", "properties": {}}
    return {
        "type": "object",
        "properties": {"apikey": {"type": "string"}},
        "required": ["apikey"],
    }


def json_schema(schema: Schema) -> dict[str, Any]:
    """JSON schema of a marshmallow schema."""
    properties = {name: _field(field) for name, field in schema.load_fields.items()}
    required = [name for name, field in schema.load_fields.items() if field.required]
    result: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        result["required"] = required
    result["additionalProperties"] = schema.unknown in (INCLUDE, EXCLUDE)
    return result


def _field(field: fields.Field[Any]) -> dict[str, Any]:
    if isinstance(field, fields.List):
        result: dict[str, Any] = {"type": "array", "items": _field(field.inner)}
    elif isinstance(field, fields.Nested):
        result = json_schema(field.schema)
    else:
        result = dict(next(v for kind, v in _TYPES.items() if isinstance(field, kind)))
    for validator in field.validators:
        result |= _limits(validator, field)
    default = field.load_default
    if default is not missing and default is not None:
        result["default"] = default
    if field.allow_none:
        kinds = result.get("type", [])
        result["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
        if "enum" in result:
            result["enum"] = [*result["enum"], None]
    return result


def _limits(validator: Any, field: fields.Field[Any]) -> Mapping[str, Any]:
    if isinstance(validator, OneOf):
        return {"enum": list(validator.choices)}
    if isinstance(validator, Length):
        low, high = (
            ("minItems", "maxItems")
            if isinstance(field, fields.List)
            else (
                "minLength",
                "maxLength",
            )
        )
        found = {low: validator.min, high: validator.max}
        return {name: value for name, value in found.items() if value is not None}
    if isinstance(validator, Range):
        low = "minimum" if validator.min_inclusive else "exclusiveMinimum"
        found = {low: validator.min, "maximum": validator.max}
        return {name: value for name, value in found.items() if value is not None}
    if isinstance(validator, Regexp):
        return {"description": str(validator.error)}
    return {}
