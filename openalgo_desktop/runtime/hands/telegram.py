"""The Telegram bot."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.core.clock import api_timestamp
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.numbers import whole
from openalgo_desktop.runtime.hands.ports import Owned, Result


async def telegram_status(owned: Owned, data: dict[str, Any]) -> Result:
    """What it does."""
    bot = owned.telegram
    await bot.load()
    status = bot.status
    facts = {
        "bot": f"@{status.bot}" if status.bot else "",
        "state": status.state.value,
        "why": status.text,
        "token": bot.masked_token() or "none: openalgo-desktop telegram token",
        "chats": str(status.chats),
        "changes money": "yes" if owned.settings["telegram.money"] else "no",
        "strangers": f"{status.refused} messages of chats that are not linked",
        "messages": f"{status.waiting} waiting, {status.dropped} dropped",
        "requests": f"{len(bot.waiting())} waiting",
    }
    return Result(rows=[{"what": name, "is": value} for name, value in facts.items() if value])


async def telegram_token(owned: Owned, data: dict[str, Any]) -> Result:
    """Store it."""
    await owned.telegram.set_token(data["token"])
    return Result("The token is in the vault. openalgo-desktop telegram on starts the bot.")


async def telegram_forget(owned: Owned, data: dict[str, Any]) -> Result:
    """Drop it."""
    await owned.telegram.forget_token()
    return Result("The token is dropped and the bot is off. Revoke it with @BotFather, too.")


async def telegram_on(owned: Owned, data: dict[str, Any]) -> Result:
    """Switch on."""
    await owned.telegram.switch(True)
    status = owned.telegram.status
    return Result(f"{status.state.value}: @{status.bot}" if status.bot else status.text)


async def telegram_off(owned: Owned, data: dict[str, Any]) -> Result:
    """Switch off."""
    await owned.telegram.switch(False)
    return Result("The bot is off.")


async def telegram_link(owned: Owned, data: dict[str, Any]) -> Result:
    """A code."""
    code = owned.telegram.new_code()
    return Result(
        f"Send /link {code.code} to @{code.bot} before {code.expires_at:%H:%M:%S} IST. Then show "
        "its one-time codes to your authenticator app: openalgo-desktop telegram authenticator."
    )


async def telegram_chats(owned: Owned, data: dict[str, Any]) -> Result:
    """Those that are linked."""
    await owned.telegram.load()
    rows = [
        {
            "chat": chat.chat_id,
            "name": chat.name,
            "user": f"@{chat.username}" if chat.username else "",
            "kind": "private" if chat.private else "group",
            "linked": api_timestamp(chat.linked_at) if chat.linked_at else "",
            "last command": api_timestamp(chat.last_command_at) if chat.last_command_at else "",
        }
        for chat in owned.telegram.chats()
    ]
    return Result("" if rows else "No chat is linked.", rows)


def _chat(data: dict[str, Any]) -> int:
    try:
        return whole(data["chat"])
    except ValueError:
        raise ConfigError(f"chat: {data['chat']!r} is no chat id (telegram chats).") from None


async def telegram_unlink(owned: Owned, data: dict[str, Any]) -> Result:
    """Unlink one."""
    await owned.telegram.unlink(_chat(data))
    return Result(f"Chat {data['chat']} is unlinked.")


async def telegram_authenticator(owned: Owned, data: dict[str, Any]) -> Result:
    """The address with the secret; it is in the answer and in the vault, nowhere else."""
    return Result((await owned.telegram.otpauth(_chat(data))).reveal())


async def telegram_test(owned: Owned, data: dict[str, Any]) -> Result:
    """A message to all."""
    await owned.telegram.load()
    chats = owned.telegram.chats()
    if not chats:
        raise ConfigError("No chat is linked: openalgo-desktop telegram link.")
    taken = await owned.telegram.tell(chats, "A test message of OpenAlgo Desktop.", wait=True)
    return Result(f"{taken} of {len(chats)} chats took it.", failed=taken < len(chats))


async def telegram_waiting(owned: Owned, data: dict[str, Any]) -> Result:
    """What waits for a second factor."""
    rows = [
        {
            "id": row.request_id,
            "chat": row.chat,
            "wants": row.text,
            "until": api_timestamp(row.expires_at),
        }
        for row in owned.telegram.waiting()
    ]
    return Result("" if rows else "Nothing waits.", rows)


async def telegram_confirm(owned: Owned, data: dict[str, Any]) -> Result:
    """Yes. While the program is locked the door has asked the password."""
    return Result(owned.telegram.confirm(data["id"], True, unlocked=True))


async def telegram_refuse(owned: Owned, data: dict[str, Any]) -> Result:
    """No."""
    return Result(owned.telegram.confirm(data["id"], False))
