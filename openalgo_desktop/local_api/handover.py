"""Hands a callback that reached the running engine to ``openalgo-desktop login`` beside it.

Both use the port that is registered with the broker, and the engine has it. They share the secret
store: the login leaves its one-shot state there, the engine leaves the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import NetTimeout
from openalgo_desktop.core.ports import SecretStore
from openalgo_desktop.core.secret import Secret, same_text

#: Seconds between looks at the store.
POLL = 0.5


class _Pending(msgspec.Struct, frozen=True):
    state: str
    until: float  # epoch seconds; a login that crashed does not wait for ever


class Handover:
    """One side or the other of the passage."""

    def __init__(self, secrets: SecretStore, clock: Clock) -> None:
        self._secrets = secrets
        self._clock = clock

    async def offer(self, broker: str, state: str, timeout_s: float) -> None:
        """In the login, before the browser opens: from now on the engine takes the callback."""
        pending = _Pending(state, self._clock.time() + timeout_s)
        await self._secrets.delete(_answer(broker))
        await self._secrets.set(_pending(broker), Secret(msgspec.json.encode(pending).decode()))

    async def wait(self, broker: str, timeout_s: float) -> dict[str, str]:
        """In the login, after :meth:`offer`: the parameters of the callback that came."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    answer = await self._secrets.get(_answer(broker))
                    if answer is not None:
                        return msgspec.json.decode(answer.reveal(), type=dict[str, str])
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise NetTimeout(f"No answer from the browser within {timeout_s:g} s.") from None
        finally:
            await self._secrets.delete(_pending(broker))
            await self._secrets.delete(_answer(broker))

    async def receive(self, broker: str, params: Mapping[str, str]) -> bool:
        """In the engine: whether a login beside it waits for this callback; it has it then."""
        kept = await self._secrets.get(_pending(broker))
        if kept is None:
            return False
        try:
            pending = msgspec.json.decode(kept.reveal(), type=_Pending)
        except msgspec.MsgspecError:
            return False
        if self._clock.time() > pending.until:
            return False
        if pending.state and not same_text(pending.state, params.get("state", "")):
            return False
        await self._secrets.delete(_pending(broker))  # one callback, one login
        text = msgspec.json.encode(dict(params)).decode()
        await self._secrets.set(_answer(broker), Secret(text))
        return True


def _pending(broker: str) -> str:
    return f"login/{broker}/pending"


def _answer(broker: str) -> str:
    return f"login/{broker}/answer"
