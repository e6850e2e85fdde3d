"""Whether a program may run: kill switch, promotion of its content, account, addresses."""

from __future__ import annotations

from collections.abc import Callable

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.hosted import Hosted
from openalgo_desktop.core.strategies.ports import NotNow


class HostGate:
    """``blocked`` says why the kill switch refuses orders (empty: it does not); ``account`` gives
    the account of a mode, ``served`` the addresses of the local API, None while it is off."""

    def __init__(
        self,
        blocked: Callable[[], str],
        account: Callable[[Mode], str],
        served: Callable[[], tuple[str, str] | None],
    ) -> None:
        self._blocked = blocked
        self._account = account
        self._served = served

    def check(self, row: Hosted, mode: Mode, digest: str) -> None:
        """See :class:`Gate`."""
        if reason := self._blocked():
            raise NotNow(f"{row.name} cannot start: {reason}")
        if mode is not Mode.LIVE or digest == row.promoted_hash:
            return
        if row.promoted_hash:
            raise NotNow(
                f"{row.name} was changed since it was promoted to live: look at the change, then "
                f"promote it again (openalgo-desktop strategy promote {row.name!r})."
            )
        raise NotNow(
            f"{row.name} may only trade in the sandbox until a human promotes it "
            f"(openalgo-desktop strategy promote {row.name!r})."
        )

    def account_of(self, mode: Mode) -> str:
        """See :class:`Gate`."""
        return self._account(mode)

    def addresses(self) -> tuple[str, str]:
        """See :class:`Gate`."""
        served = self._served()
        if served is None:
            raise ConfigError(
                "Programs trade through the local API, and that is off: switch api.enabled on and "
                "start again."
            )
        return served
