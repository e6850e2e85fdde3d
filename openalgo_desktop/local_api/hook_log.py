"""Writes the log of webhooks: beside the answer where nothing follows, before it where an order
does (those of webhook strategies together with their orders, by the queue)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from openalgo_desktop.core.errors import StorageError
from openalgo_desktop.core.events import Bus, WebhookCame
from openalgo_desktop.core.strategies.webhook import HookResult
from openalgo_desktop.core.webhook_log import WebhookEvent, WebhookLog

log = logging.getLogger(__name__)

#: Rows under way at most: more alerts than the disk takes are not kept, and counted in the log.
_MOST = 200
#: A row that the disk did not take comes again after so long, and has so long at the end; seconds.
_AGAIN, _LAST = 2.0, 2.0
_SAID = 500
#: Fields of an alert that are never shown, wherever they stand in it: those whose names, in small
#: letters without signs, have one of these in them, or are one.
_SECRET_PARTS = ("secret", "token", "passw", "passphrase", "apikey", "authorization", "credential")
_SECRET_NAMES = frozenset({"auth", "key", "otp", "pass", "pin", "pwd", "totp"})
#: Our own keys and webhook tokens, whatever field they were pasted into.
_OURS = re.compile(r"oaws_[A-Za-z0-9_-]{43}|(?<![0-9A-Za-z])[0-9a-f]{64}(?![0-9A-Za-z])")
_HIDDEN = "***"


def said(fields: Mapping[str, Any]) -> str:
    """What an alert says, short, without what may be a secret."""
    try:
        text = msgspec.json.encode(_shown(fields), enc_hook=str).decode()
    except (TypeError, ValueError, RecursionError):
        return ""
    text = _OURS.sub(_HIDDEN, text)
    return text if len(text) <= _SAID else f"{text[:_SAID]}..."


def _shown(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: _HIDDEN if _is_secret(str(name)) else _shown(inner)
            for name, inner in value.items()
        }
    return [_shown(inner) for inner in value] if isinstance(value, list) else value


def _is_secret(name: str) -> bool:
    plain = "".join(filter(str.isalnum, name.lower()))
    return plain in _SECRET_NAMES or any(part in plain for part in _SECRET_PARTS)


class HookLog:
    """The rows of one server; without a store nothing is kept."""

    def __init__(self, store: WebhookLog | None, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        self._writing: set[asyncio.Task[None]] = set()
        self._dropped = 0

    async def stop(self) -> None:
        """Wait for what is being written; a full disk is not waited for."""
        writing = tuple(self._writing)
        if writing:
            await asyncio.wait(writing, timeout=_LAST)
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)

    async def take(self, event: WebhookEvent) -> int | None:
        """Make durable that an alert is followed; its id. Raises :class:`StorageError`."""
        if self._store is None:
            return None
        number = await self._store.add(event)
        self._bus.publish(WebhookCame(strategy=event.strategy))
        return number

    async def end(
        self,
        number: int | None,
        strategy: str,
        result: HookResult,
        status: int,
        message: str,
        run_id: int | None,
    ) -> None:
        """Say what became of it. The engine's own rows are the truth: a full disk does not turn
        an answer into another one."""
        if self._store is None or number is None:
            return
        try:
            await self._store.finish(number, result, status, message, run_id)
        except StorageError:
            log.exception("what became of an alert could not be stored")
            return
        self._bus.publish(WebhookCame(strategy=strategy))

    def note(self, event: WebhookEvent) -> None:
        """A row of something that is over; it is written beside the answer."""
        if self._store is None:
            return
        if len(self._writing) >= _MOST:
            self._dropped += 1
            return
        task = asyncio.get_running_loop().create_task(self._add(event), name="log of webhooks")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _add(self, event: WebhookEvent) -> None:
        assert self._store is not None
        told = False
        while True:
            try:
                await self._store.add(event)
                break
            except StorageError as error:
                if not told:
                    log.warning("an alert is not in the log of webhooks yet: %s", error)
                told = True
            await asyncio.sleep(_AGAIN)
        self._bus.publish(WebhookCame(strategy=event.strategy))
        if self._dropped:
            log.warning("%d alert(s) are not in the log of webhooks: too many came", self._dropped)
            self._dropped = 0
