"""Client-side idempotency: the same request id within a minute gets the first answer.

A script that lost an answer asks again with the same id and cannot double its order, even when
the program was killed in between: the id is durable before anything is sent.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import InvalidOrder, OrderStateUnknown

log = logging.getLogger(__name__)

#: How long an id is remembered, seconds.
WINDOW = 60.0
MAX_ID = 128
_SCOPE = "requests"


def client_id(value: object) -> str:
    """A client's own id as text; empty when there is none (absent, null, empty). A number is an
    id, 0 too; raises :class:`InvalidOrder` for what is none."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidOrder("request_id: write it as a text or a number.", field="request_id")
    return str(value)


class ValueStore(Protocol):
    """The part of the key-value store that is needed here."""

    async def all(self, scope: str) -> dict[str, Any]: ...
    async def put(self, scope: str, key: str, value: Any) -> None: ...
    def put_later(self, scope: str) -> Callable[[str, Any], None]: ...
    async def delete(self, scope: str, key: str) -> None: ...


class _Known:
    __slots__ = ("answer", "at", "fingerprint")

    def __init__(self, at: float, fingerprint: str, answer: asyncio.Future[Any] | None) -> None:
        self.at = at  # by the monotonic clock of this run
        self.fingerprint = fingerprint
        self.answer = answer  # None: an earlier run of the program died over it


class RequestMemory:
    """Remembers answers by (source, request id). Answers are JSON values."""

    def __init__(self, clock: Clock, store: ValueStore) -> None:
        self._clock = clock
        self._store = store
        self._known: dict[str, _Known] = {}
        self._put = store.put_later(_SCOPE)

    async def start(self) -> None:
        """Take up the ids of an earlier run that are younger than a minute; how old they are only
        the wall clock knows. One that was put back makes them younger, not older."""
        loop = asyncio.get_running_loop()
        for name, row in (await self._store.all(_SCOPE)).items():
            age = max(0.0, self._clock.time() - row["at"])
            if age > WINDOW:
                await self._store.delete(_SCOPE, name)
                continue
            known = _Known(self._clock.monotonic() - age, row["fingerprint"], None)
            if "answer" in row:
                known.answer = loop.create_future()
                known.answer.set_result(row["answer"])
            self._known[name] = known

    async def once(
        self,
        source: str,
        request_id: str,
        body: dict[str, Any],
        run: Callable[[], Awaitable[Any]],
        keeps: Callable[[Any], bool] = lambda value: True,
    ) -> Any:
        """The answer of ``run``, or the first answer when this id was seen within a minute. An
        answer that ``keeps`` says no to leaves the id free: nothing was sent, come again.

        A second caller waits for the first one's answer. Raises :class:`InvalidOrder` for an id
        that came with another body, and :class:`OrderStateUnknown` when the program stopped
        before the first answer.
        """
        if not request_id.isprintable() or len(request_id) > MAX_ID:
            raise InvalidOrder(
                f"request_id: at most {MAX_ID} printable characters.", field="request_id"
            )
        await self._forget_old()
        name = hashlib.sha256(f"{source}\0{request_id}".encode()).hexdigest()
        text = msgspec.json.encode(body, order="sorted")
        fingerprint = hashlib.sha256(text).hexdigest()
        known = self._known.get(name)
        if known is not None:
            return await self._first_answer(known, fingerprint, request_id)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._known[name] = _Known(self._clock.monotonic(), fingerprint, answer)
        row = {"at": self._clock.time(), "fingerprint": fingerprint}
        try:
            await self._store.put(_SCOPE, name, row)
        except BaseException as error:
            del self._known[name]  # nothing was sent: the id is free again
            answer.set_exception(error if isinstance(error, Exception) else _unknown(request_id))
            raise
        try:
            value = await run()
        except BaseException:
            answer.set_exception(_unknown(request_id))
            raise
        answer.set_result(value)
        if not keeps(value):
            del self._known[name]
            await self._store.delete(_SCOPE, name)
            return value
        self._put(name, {**row, "answer": value})
        return value

    @staticmethod
    async def _first_answer(known: _Known, fingerprint: str, request_id: str) -> Any:
        if known.fingerprint != fingerprint:
            raise InvalidOrder(
                f"request_id {request_id!r} was used for another request a moment ago; "
                "give each request its own.",
                field="request_id",
            )
        if known.answer is None:
            raise _unknown(request_id)
        return await asyncio.shield(known.answer)

    async def _forget_old(self) -> None:
        limit = self._clock.monotonic() - WINDOW
        old = [
            name
            for name, known in self._known.items()
            if known.at < limit and (known.answer is None or known.answer.done())
        ]
        for name in old:
            del self._known[name]
        for name in old:
            await self._store.delete(_SCOPE, name)


def _unknown(request_id: str) -> OrderStateUnknown:
    return OrderStateUnknown(
        f"The request {request_id!r} was being carried out when its answer was lost. Look at the "
        "order book before sending it with a new id.",
        tag="",
    )
