"""The part of the bridge that opens, logs in and closes broker accounts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.logins import LoginHelper
from openalgo_desktop.core.model import AccountStatus, Funds

if TYPE_CHECKING:  # the kit is imported when a broker is looked at
    from openalgo_desktop.brokers.kit.spec import Login
    from openalgo_desktop.runtime.terminal import Terminal

log = logging.getLogger(__name__)
_PERIODS = {1.0: "a second", 60.0: "a minute", 3600.0: "an hour", 86_400.0: "a day"}


def _per(seconds: float) -> str:
    return _PERIODS.get(float(seconds), f"in {seconds:g} s")


class AccountDoor:
    """Accounts by name (``broker`` or ``broker:slot``); one gives data, one takes live orders."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    # -- what there is ----------------------------------------------------------------------
    def names(self) -> list[str]:
        """Open accounts."""
        return self._terminal.accounts.names()

    def status(self, name: str) -> AccountStatus:
        """Login state of an account."""
        return self._terminal.accounts[name].status

    def roles(self, name: str) -> tuple[bool, bool]:
        """Whether it gives the market data, and whether it takes the live orders."""
        accounts = self._terminal.accounts
        return name == accounts.data, name == accounts.orders

    def orders_status(self) -> AccountStatus:
        """Status of the account that takes live orders."""
        accounts = self._terminal.accounts
        return accounts[accounts.orders].status

    def has_login(self, name: str) -> bool:
        """Whether the account has a login; the simulator has none."""
        return self._terminal.accounts[name].needs_login

    async def funds(self, name: str) -> Funds:
        """Money of an account, asked now; raises :class:`AppError` when it cannot tell."""
        return await self._terminal.accounts[name].gateway.funds()

    def busy(self) -> list[str]:
        """What accounts do in the background, one line each."""
        found = []
        for name in self.names():
            if text := self._terminal.accounts.details(name).get("busy"):
                found.append(f"{self.status(name).title or name}: {text}")
        return found

    def downloaded(self) -> float | None:
        """Share of the symbol master that is here, 0 to 1, of the account that downloads one; None
        where nobody does, or its length is not told."""
        for name in self.names():
            share = self._terminal.accounts.details(name).get("downloaded")
            if share is not None:
                return float(share)
        return None

    def skew(self) -> tuple[str, float]:
        """The account whose clock is proved to be the furthest from ours, and by how many seconds
        we are behind it (negative: ahead)."""
        worst = ("", 0.0)
        for name in self.names():
            seconds = float(self._terminal.accounts.details(name).get("skew", 0.0))
            if abs(seconds) > abs(worst[1]):
                worst = (self.status(name).title or name, seconds)
        return worst

    def capacity(self) -> int | None:
        """Instruments that the feed of the data account takes; None where nobody says."""
        feed = self._terminal.accounts.details(self._terminal.accounts.data).get("feed")
        return None if feed is None else int(feed["capacity"])

    def brokers(self) -> list[str]:
        """Ids of the brokers that can be added."""
        return self._terminal.registry.ids()

    async def title(self, broker: str) -> str:
        """What a broker is called, empty for one that does not load. Its adapter is imported in
        a thread."""
        try:
            entry = await asyncio.to_thread(self._terminal.registry.get, broker)
        except ConfigError as error:
            log.warning("%s", error.message)
            return ""
        return entry.spec.title

    def needs(self, broker: str) -> str:
        """What each login of a broker needs, one line each, and what its orders need."""
        from openalgo_desktop.brokers.matrix import needs

        spec = self._terminal.registry.get(broker).spec
        lines = [f"{login.title}: {needs(login)}" for login in spec.logins]
        if spec.capabilities.static_ip:
            lines.append("Orders: a fixed IP address that is registered with the broker")
        return "\n".join(lines)

    def figures(self, name: str) -> str:
        """Age of the feed, free requests of each limit, symbol master; empty for an account that
        has none of them."""
        found = self._terminal.accounts.details(name)
        if not found:
            return ""
        parts = []
        if (feed := found["feed"]) is not None:
            age = feed["age"]
            since = f", last frame {age:.1f} s ago" if age is not None else ""
            parts.append(f"Feed {feed['state']}{since}, {feed['reconnects']} reconnects")
            if missing := feed["unconfirmed"]:
                more = ", …" if len(missing) > 5 else ""
                parts.append(f"{len(missing)} not confirmed: {', '.join(missing[:5])}{more}")
            if feed["lost"]:
                parts.append(f"{feed['lost']:,} frames lost")
        for bucket, windows in found["limits"].items():
            rates = ", ".join(f"{free:,} of {most:,} {_per(secs)}" for free, most, secs in windows)
            parts.append(f"{bucket}: {rates} free")
        if open_sizes := found["sizes"]:
            parts.append(f"No orders on {', '.join(open_sizes)} before its sizes are confirmed")
        return "  ·  ".join([*parts, f"Symbols: {found['master']}"])

    def open_sizes(self, name: str) -> bool:
        """Whether orders of an exchange wait until it is settled what the broker counts there."""
        return bool(self._terminal.accounts.details(name).get("sizes"))

    async def confirm_sizes(self, name: str) -> str:
        """Settle that from the symbol master; what was found, a line for each exchange."""
        answers = await self._terminal.accounts[name].confirm_sizes()
        return "\n".join(f"{answer.exchange}: {answer.text}" for answer in answers)

    def logins(self, name: str) -> tuple[Login, ...]:
        """The ways to log this account in."""
        if not self.has_login(name):
            return ()
        return self._terminal.registry.get(self.status(name).broker).spec.logins

    # -- changes ----------------------------------------------------------------------------
    async def add(self, broker: str) -> str:
        """Open one more account of a broker; returns its name."""
        accounts = self._terminal.accounts
        name = accounts.free_slot(broker)
        await accounts.open(name)
        return name

    async def login(
        self, name: str, given: Mapping[str, str], helper: LoginHelper, login_id: str
    ) -> AccountStatus:
        """Run the declared steps of a login."""
        return await self._terminal.accounts.login(name, given, helper, login_id)

    async def logout(self, name: str) -> None:
        """End the session."""
        await self._terminal.accounts.logout(name)

    async def use_for_data(self, name: str) -> None:
        """Market data comes from this account."""
        await self._terminal.accounts.use_for_data(name)

    async def use_for_orders(self, name: str) -> None:
        """Live orders go to this account."""
        await self._terminal.accounts.use_for_orders(name)

    async def remove(self, name: str) -> None:
        """Close an account and forget its secrets."""
        await self._terminal.accounts.close(name, forget=True)

    # -- browser logins ---------------------------------------------------------------------
    async def redirect_address(self, broker: str) -> str:
        """Where the broker's login page must send the browser back to."""
        async with self._terminal.callback_address(broker) as address:
            return address

    async def callback(
        self, broker: str, state: str, pasted: Awaitable[Mapping[str, str]]
    ) -> Mapping[str, str]:
        """The parameters of the browser's return, or those of a pasted address."""
        async with self._terminal.callback_address(broker):
            waits = {
                asyncio.ensure_future(self._terminal.callbacks.wait(broker, state)),
                asyncio.ensure_future(pasted),
            }
            try:
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                return next(iter(done)).result()
            finally:
                for wait in waits:
                    wait.cancel()
