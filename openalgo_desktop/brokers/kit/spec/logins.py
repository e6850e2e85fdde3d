"""How one logs in: the steps of a login as data."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from openalgo_desktop.brokers.kit.spec.operations import Op
from openalgo_desktop.core.logins import Field


class Ask(msgspec.Struct, frozen=True, tag=True):
    """Login step: have these fields."""

    fields: tuple[Field, ...]


class Browser(msgspec.Struct, frozen=True, tag=True):
    """Login step: the system browser at ``url``; the callback's parameters become values.

    ``gives`` maps a callback parameter to a name of the context. ``{state}`` in the address is
    our one-shot value; a broker that cannot return it leaves it out. ``{redirect_url}`` is where
    the page has to come back to, for brokers that are told it in the address.
    """

    url: str
    gives: Mapping[str, str]


class Compute(msgspec.Struct, frozen=True, tag=True):
    """Login step: values from templates, e.g. ``sha256:{api_key}{code}{api_secret}``.

    Functions: ``sha256`` (hex), ``base64``, ``totp`` (six digits of a base32 secret), none.
    A value that the context already has is kept.
    """

    values: Mapping[str, str]


class Call(msgspec.Struct, frozen=True, tag=True):
    """Login step: a request, and the values its reply gives (name -> path). Before a stream an
    ``optional`` one may fail: its values are missing then."""

    op: Op
    gives: Mapping[str, str]
    optional: bool = False


class Hook(msgspec.Struct, frozen=True, tag=True):
    """Login step that only code can say: a coroutine method of the broker's API class that
    takes the context and returns new values."""

    method: str


LoginStep = Ask | Browser | Compute | Call | Hook


class Login(msgspec.Struct, frozen=True):
    """One way to log in. ``session`` names the values that make up a session; they are kept in
    the secret store until it ends; ``extras`` are kept with them where the steps gave them.
    A logout forgets both, also where another login asks for one of them (a refresh token)."""

    id: str
    title: str
    steps: tuple[LoginStep, ...]
    session: tuple[str, ...] = ("access_token",)
    client_id: str = "client_id"  # the value that tells accounts apart
    extras: tuple[str, ...] = ()
    by_hand: bool = False  # only when it is chosen, never unattended

    @property
    def fields(self) -> tuple[Field, ...]:
        """All that the user may have to give, in order."""
        return tuple(f for step in self.steps if isinstance(step, Ask) for f in step.fields)

    @property
    def needs_browser(self) -> bool:
        """Whether a redirect address must be registered with the broker."""
        return any(isinstance(step, Browser) for step in self.steps)
