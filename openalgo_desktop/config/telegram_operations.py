"""What the owner can do with the Telegram bot from the command line."""

from __future__ import annotations

from openalgo_desktop.config.operation import Field, Guard, Operation

Op, F = Operation, Field
_CHAT = F("chat", "id of the chat (telegram chats)", metavar="CHAT")
_ASKED = F("id", "id of the request (telegram waiting)", metavar="ID")


TELEGRAM_OPERATIONS: tuple[Operation, ...] = (
    Op("telegram", "status", "whether the bot runs, and what hinders it", guard=Guard.FREE),
    Op(
        "telegram",
        "token",
        "store the token of your bot, as @BotFather gave it; it is asked for, or read from "
        "standard input",
        (F("token", "Token of the bot", "secret"),),
        changes=True,
    ),
    Op("telegram", "forget", "drop the token and stop the bot", changes=True),
    Op("telegram", "on", "switch the bot on", changes=True),
    Op("telegram", "off", "switch it off", changes=True),
    Op("telegram", "link", "a code that links the chat which sends it to the bot", changes=True),
    Op("telegram", "chats", "linked chats"),
    Op("telegram", "unlink", "a chat may ask no more", (_CHAT,), changes=True),
    Op(
        "telegram",
        "authenticator",
        "what an authenticator app reads for the one-time codes of a chat",
        (_CHAT,),
        Guard.PASSWORD,
        changes=True,
    ),
    Op("telegram", "test", "send a message to all linked chats"),
    Op("telegram", "waiting", "what chats want that changes money"),
    Op("telegram", "confirm", "do what a chat wants", (_ASKED,), changes=True),
    Op("telegram", "refuse", "do not", (_ASKED,), changes=True),
)
