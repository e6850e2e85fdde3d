"""Checks the fields of a request against the schema of its endpoint.

marshmallow and the schemas (together a tenth of a start) are no part of getting ready: they are
imported in a thread, soon after the servers listen or by the first request if that comes earlier.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from marshmallow import Schema

_FOLDER = "openalgo_desktop.local_api.schemas"
#: Seconds after the start of the servers until the schemas are imported unasked.
WARM_AFTER = 0.25


class InvalidFields(Exception):
    """The fields of a request do not fit; ``messages`` as marshmallow forms them."""

    def __init__(self, messages: Any) -> None:
        super().__init__(str(messages))
        self.messages = messages


def new_schema(name: str) -> Schema:
    """The schema that a row of the endpoint table names, as ``"orders.PlaceOrder"``."""
    module, _, kind = name.partition(".")
    schema: Schema = getattr(import_module(f"{_FOLDER}.{module}"), kind)()
    return schema


class Validator:
    """The schemas in use; each is made once."""

    def __init__(self, names: set[str]) -> None:
        self._names = sorted(names)
        self._schemas: dict[str, Schema] = {}
        self._warming: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Import the schemas soon, beside whatever else goes on, and make them."""
        self._warming = asyncio.create_task(self._warm(), name="schemas of the API")

    async def stop(self) -> None:
        """End that task."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.gather(self._warming, return_exceptions=True)

    async def _warm(self) -> None:
        await asyncio.sleep(WARM_AFTER)
        for module in sorted({name.partition(".")[0] for name in self._names}):
            await asyncio.to_thread(import_module, f"{_FOLDER}.{module}")
        for name in self._names:
            if name not in self._schemas:
                self._schemas[name] = new_schema(name)
                await asyncio.sleep(0)

    async def load(self, name: str, data: dict[str, Any]) -> dict[str, Any]:
        """The fields as the schema gives them. Raises :class:`InvalidFields`."""
        schema = self._schemas.get(name)
        if schema is None:
            schema = self._schemas[name] = await asyncio.to_thread(new_schema, name)
        from marshmallow import ValidationError

        try:
            fields: dict[str, Any] = schema.load(data)
        except ValidationError as error:
            raise InvalidFields(error.messages) from None
        return fields
