"""What the bot needs of the wire and of the disk, and what comes over the wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

import msgspec

from openalgo_desktop.core.errors import AppError, AuthError, NetError
from openalgo_desktop.core.secret import Secret


class TokenRefused(AuthError):
    """Telegram does not know the token (any more)."""


class TwoPollers(NetError):
    """Another program asks for the updates of the same bot."""


class ChatGone(AppError):
    """The chat does not exist, or its user blocked the bot."""


class Unsendable(AppError):
    """Telegram does not take this message."""


class Incoming(msgspec.Struct, frozen=True):
    """One update: a text, or a button that was pressed. One that is neither has ``chat_id`` 0."""

    update_id: int
    chat_id: int = 0
    private: bool = True
    user_id: int = 0
    username: str = ""
    name: str = ""
    text: str = ""
    button: str = ""  # data of the button
    button_id: str = ""  # to be answered, else the button turns for a while
    message_id: int = 0  # the message that the button hangs on


class Button(NamedTuple):
    """A button below a message. ``data`` comes back when it is pressed; 64 bytes at most."""

    text: str
    data: str


Rows: TypeAlias = Sequence[Sequence[Button]]


class Wire(Protocol):
    """The Bot API. Calls raise :class:`NetError` (no connection), :class:`RateLimited`,
    :class:`TokenRefused`, :class:`TwoPollers`, :class:`ChatGone`, :class:`Unsendable`."""

    async def open(self) -> str:
        """Connect; the bot's name."""

    async def close(self) -> None: ...
    async def menu(self, commands: Sequence[tuple[str, str]]) -> None:
        """The commands that Telegram offers while a user types."""

    async def updates(self, offset: int, seconds: int) -> list[Incoming]:
        """Updates from ``offset`` on, as soon as there is one, none after ``seconds``. Those
        before are forgotten by Telegram."""

    async def send(self, chat_id: int, text: str, rows: Rows = ()) -> None: ...
    async def photo(self, chat_id: int, png: bytes, caption: str) -> None: ...
    async def edit(self, chat_id: int, message_id: int, text: str) -> None:
        """Replace a message of ours, and take its buttons away."""

    async def answer(self, button_id: str, text: str) -> None:
        """Say that a button was heard; the text is shown for a moment."""


#: Makes the wire of a token and of the address of the Bot API; runs beside the loop.
WireMaker: TypeAlias = Callable[[Secret, str], Wire]


class Store(Protocol):
    """Small values by scope and key."""

    async def all(self, scope: str) -> dict[str, Any]: ...
    async def get(self, scope: str, key: str) -> Any: ...
    async def put(self, scope: str, key: str, value: Any) -> None: ...
    async def delete(self, scope: str, key: str) -> None: ...
    def put_later(self, scope: str) -> Callable[[str, Any], None]: ...
    def forget_later(self, scope: str) -> Callable[[str], None]: ...
