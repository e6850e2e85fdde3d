"""What a login asks of a human, and who answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

import msgspec


class Field(msgspec.Struct, frozen=True):
    """One thing that a login asks for. From these the dialog and the prompts are made.

    ``stored`` keeps it in the secret store for the next login (API key, optional TOTP secret);
    ``digits`` demands exactly so many digits.
    """

    name: str
    label: str
    secret: bool = False
    stored: bool = False
    optional: bool = False
    digits: int = 0
    help: str = ""


#: Stands in an address for the one that the browser has to come back to: who serves it knows it.
REDIRECT = "0redirect0url0"


def with_redirect(url: str, address: str) -> str:
    """The address of a broker's page with that of our callback in it, where the page wants it."""
    return url.replace(REDIRECT, quote(address, safe=""))


class LoginHelper(Protocol):
    """The human side of a login: a dialog, a terminal, or none."""

    async def ask(self, fields: Sequence[Field]) -> Mapping[str, str]:
        """Values of these fields; those that are left empty may be missing."""

    async def browse(self, url: str, broker: str, state: str) -> Mapping[str, str]:
        """Open ``url`` in the system browser and give the parameters of the callback, which must
        carry ``state`` (empty: this broker cannot give it back). The callback's own address is put
        in by :func:`with_redirect`."""
