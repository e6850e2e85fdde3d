"""Second sessions of an account: market data with a token of its own beside the trading session.

They end by themselves (a login elsewhere takes their place), and a program can begin them anew
without a human. So a read that is refused because its second session is over begins one and asks
once more; the account's own session is not touched by it, whatever comes of that.

A refusal may mean something else (a bare 403: not permitted), so nothing is begun twice within
:data:`RENEW_INTERVAL`: until then the refusal stands.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.rest.values import pick
from openalgo_desktop.brokers.kit.spec import BrokerSpec
from openalgo_desktop.core.errors import (
    AppError,
    AuthError,
    DataError,
    NetError,
    NotConnected,
    RateLimited,
    SessionExpired,
)

#: Least seconds between two beginnings of one second session.
RENEW_INTERVAL = 60.0


class SecondSessionRefused(DataError):
    """The broker will not begin the second session. ``retry_after``: seconds after which a feed
    may try again, so that the broker's count of wrong answers stays low."""

    def __init__(self, message: str, *, retry_after: float = 300.0, detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.retry_after = retry_after


class BegunJustNow(SecondSessionRefused):
    """The second session is fresh, and the refusal must mean something else."""


class _Last(NamedTuple):
    """The last beginning: when it was over (monotonic), the values after it, why it failed."""

    at: float
    values: list[str]
    problem: AppError | None


class SecondSessions:
    """Runs reads of second sessions. ``call`` sends one request of the spec; ``monotonic`` is the
    injected clock's."""

    def __init__(
        self,
        spec: BrokerSpec,
        session: Session,
        call: Callable[..., Awaitable[Any]],
        monotonic: Callable[[], float],
    ) -> None:
        self._spec = spec
        self._session = session
        self._call = call
        self._monotonic = monotonic
        self._busy = asyncio.Lock()
        self._last: dict[str, _Last] = {}
        #: Told the name of a second session that took the place of another.
        self.on_renewed: Callable[[str], None] = lambda name: None

    async def run(self, name: str, read: Callable[[], Awaitable[Any]]) -> Any:
        """The answer of ``read``, which takes its token from the session.

        Raises :class:`SecondSessionRefused` when the broker refuses the second session itself.
        """
        used = self._values(name)
        refusal = ""
        if all(used):
            try:
                return await read()
            except SessionExpired as error:
                refusal = error.message
        await self._renewed(name, used, refusal)
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
            await self._renewed(name, used, error.message)
        except BegunJustNow:
            return NetError(error.message)  # with the same session, after the feed's back-off
        except AppError as problem:
            return problem
        return NetError(f"{error.message} A new {name} session was begun.")

    def forget(self) -> None:
        """Somebody logged in: what was refused before says nothing any more."""
        self._last.clear()

    def _values(self, name: str) -> list[str]:
        return [self._session.get(value) for value in self._spec.renewals[name].gives]

    async def _renewed(self, name: str, used: list[str], refusal: str = "") -> None:
        """A new session in place of the one with the values ``used``, which was refused with the
        words ``refusal``; nothing when another read or a stream began one meanwhile."""
        asked = self._monotonic()
        async with self._busy:
            if self._values(name) != used:
                return
            self._pause(name, used, asked, refusal)
            call = self._spec.renewals[name]
            try:
                data = await self._call(call.op, name=f"{name} login")
            except AppError as error:
                problem = self._refused(name, error) if isinstance(error, AuthError) else error
                self._last[name] = _Last(self._monotonic(), used, problem)
                raise problem from None
            self._session.update(
                {
                    value: str(found)
                    for value, path in call.gives.items()
                    if (found := pick(data, path)) is not None
                }
            )
            self._last[name] = _Last(self._monotonic(), self._values(name), None)
            if all(used):
                self.on_renewed(name)

    def _pause(self, name: str, used: list[str], asked: float, refusal: str) -> None:
        """Raise why the session with the values ``used`` is not begun anew now. Those that waited
        since ``asked`` for a beginning that failed share its failure."""
        last = self._last.get(name)
        if last is None or last.values != used:
            return
        left = last.at + RENEW_INTERVAL - self._monotonic()
        problem = last.problem
        if problem is None:
            if left > 0:
                raise BegunJustNow(
                    f"{self._spec.title} refuses the {name} session that was begun just now: "
                    f"{refusal}",
                    retry_after=left,
                )
        elif last.at > asked or (left > 0 and not isinstance(problem, (NotConnected, RateLimited))):
            raise copy.copy(problem)

    def _refused(self, name: str, error: AuthError) -> SecondSessionRefused:
        return SecondSessionRefused(
            f"{self._spec.title} refuses the {name} session: {error.message}"
        )
