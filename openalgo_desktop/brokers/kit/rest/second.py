"""Second sessions of an account: market data with a token of its own beside the trading session.

They end by themselves (a login elsewhere takes their place), and a program can begin them anew
without a human. So a read that is refused because its second session is over begins one and asks
once more; the account's own session is not touched by it, whatever comes of that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.rest.values import pick
from openalgo_desktop.brokers.kit.spec import BrokerSpec
from openalgo_desktop.core.errors import (
    AppError,
    AuthError,
    DataError,
    NetError,
    SessionExpired,
)


class SecondSessionRefused(DataError):
    """The broker will not begin the second session. ``retry_after``: seconds after which a feed
    may try again, so that the broker's count of wrong answers stays low."""

    retry_after = 300.0


class SecondSessions:
    """Runs reads of second sessions. ``call`` sends one request of the spec."""

    def __init__(
        self, spec: BrokerSpec, session: Session, call: Callable[..., Awaitable[Any]]
    ) -> None:
        self._spec = spec
        self._session = session
        self._call = call
        self._busy = asyncio.Lock()
        #: Told the name of a second session that took the place of another.
        self.on_renewed: Callable[[str], None] = lambda name: None

    async def run(self, name: str, read: Callable[[], Awaitable[Any]]) -> Any:
        """The answer of ``read``, which takes its token from the session.

        Raises :class:`SecondSessionRefused` when the broker refuses the second session itself.
        """
        used = self._values(name)
        if all(used):
            try:
                return await read()
            except SessionExpired:
                pass
        await self._renewed(name, used)
        try:
            return await read()
        except AuthError as error:
            raise self._refused(name, error) from None

    async def ready(self, name: str) -> list[str]:
        """The values of a second session, begun now if it never was. Raises like :meth:`run`."""
        if not all(values := self._values(name)):
            await self._renewed(name, values)
        return self._values(name)

    async def refused(self, name: str, used: list[str], error: AuthError) -> AppError:
        """A feed was refused with the values ``used``: begin a new second session in their place.
        Gives what that came to; the feed may connect again after it."""
        try:
            await self._renewed(name, used)
        except AppError as problem:
            return problem
        return NetError(f"{error.message} A new {name} session was begun.")

    def _values(self, name: str) -> list[str]:
        return [self._session.get(value) for value in self._spec.renewals[name].gives]

    async def _renewed(self, name: str, used: list[str]) -> None:
        """A new session in place of the one with the values ``used``; nothing when another read
        or a stream began one meanwhile."""
        async with self._busy:
            if self._values(name) != used:
                return
            call = self._spec.renewals[name]
            try:
                data = await self._call(call.op, name=f"{name} login")
            except AuthError as error:
                raise self._refused(name, error) from None
            self._session.update(
                {
                    value: str(found)
                    for value, path in call.gives.items()
                    if (found := pick(data, path)) is not None
                }
            )
            if all(used):
                self.on_renewed(name)

    def _refused(self, name: str, error: AuthError) -> DataError:
        return SecondSessionRefused(
            f"{self._spec.title} refuses the {name} session: {error.message}"
        )
