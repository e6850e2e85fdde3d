"""How an endpoint of the local API is called, for ``openalgo-desktop call``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.local_api.table import Endpoint, Need
from openalgo_desktop.local_api.validation import new_schema


def describe(rows: Iterable[Endpoint], name: str, method: str = "") -> dict[str, Any]:
    """Method, route, whether it wants the key, and which fields are texts.

    A path with two methods means POST unless ``method`` says GET. Raises :class:`ConfigError`.
    """
    from marshmallow import fields

    row, rest = _find(list(rows), name, method)
    schema = new_schema(row.schema) if row.schema is not None else None
    loads = schema.load_fields if schema is not None else {}
    return {
        "method": row.method,
        "route": row.route[:-1] if rest else row.route,
        "rest": rest,
        "keyed": row.need is not Need.NOTHING,
        "texts": sorted(n for n, field in loads.items() if isinstance(field, fields.String)),
    }


def _find(rows: list[Endpoint], name: str, method: str) -> tuple[Endpoint, str]:
    wanted = name.strip("/").removeprefix("api/v1/")
    found: list[tuple[Endpoint, str]] = []
    for row in rows:
        path = row.path.strip("/")
        if path == wanted:
            found.append((row, ""))
        elif path.endswith("/*") and wanted.startswith(path[:-1]) and wanted != path[:-1]:
            found.append((row, wanted[len(path) - 1 :]))
    matching = [hit for hit in found if not method or hit[0].method == method.upper()]
    if not matching:
        names = sorted({row.path.strip("/") for row in rows})
        raise ConfigError(
            f"There is no endpoint {name!r}.{did_you_mean(wanted, names)} "
            f"Endpoints: {', '.join(names)}."
        )
    return max(matching, key=lambda hit: hit[0].method == "POST")
