"""Takes updates: who writes, whether they may, what they want; answers, and keeps it in the
history. Updates of one chat are carried out one after the other, those of others beside them."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Coroutine
from typing import Any

from openalgo_desktop.automation.telegram.chats import ChatBook, UnknownCode
from openalgo_desktop.automation.telegram.commands import BUTTONS, BY_NAME, Asked, Command
from openalgo_desktop.automation.telegram.factor import OLD, Act, SecondFactor, sentence
from openalgo_desktop.automation.telegram.history import History
from openalgo_desktop.automation.telegram.outbox import Outbox, Outgoing, Weight
from openalgo_desktop.automation.telegram.ports import Incoming, Wire
from openalgo_desktop.automation.telegram.rooms import Answer, Rooms
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.core.numbers import is_digits
from openalgo_desktop.core.telegram import CommandRow, LinkedChat

log = logging.getLogger(__name__)

NOT_LINKED = (
    "This chat is not linked. Ask for a code in the program (Telegram) and send /link CODE here."
)
CROWDED = (
    "Too many commands at once: what you send now is not carried out. Wait for the answers, then "
    "send it again."
)
NO_GROUP = "This bot does not work in groups (setting telegram.groups)."
#: Updates that are under way at most, and those of one chat; more are told so and dropped.
MAX_UNDER_WAY, MAX_OF_CHAT = 100, 10
#: Seconds between two answers to a chat that is not linked, and chats that are remembered for it.
STRANGER_GAP, MAX_STRANGERS = 60.0, 1000
#: Answers to all of them together in a minute.
MAX_ANSWERS = 20
MINUTE = 60.0
CODE_LENGTH = 6
#: The command whose answer goes to a chat that is linked no more.
UNLINK = "unlink"
#: Seconds that acts which were confirmed get when the bot is switched off.
LAST_WAIT = 15.0


class Switchboard:
    """``setting`` reads a setting; ``unlinked`` is called for a chat that unlinks itself."""

    def __init__(
        self,
        rooms: Rooms,
        chats: ChatBook,
        history: History,
        wire: Wire,
        outbox: Outbox,
        setting: Callable[[str], Any],
        unlink: Callable[[int], Coroutine[Any, Any, None]],
    ) -> None:
        self._rooms = rooms
        self._clock: Clock = rooms.clock
        self._chats = chats
        self._history = history
        self._wire = wire
        self._outbox = outbox
        self._setting = setting
        self._unlink = unlink
        self.factor = SecondFactor(
            rooms.clock, rooms.bus, chats, self._act, self.may_change_money, rooms.locked
        )
        self._since = rooms.clock.monotonic()
        self._lanes: dict[int, asyncio.Lock] = {}
        self._of_chat: dict[int, int] = {}  # updates under way
        self._tasks: set[asyncio.Task[None]] = set()
        self._acts: set[asyncio.Task[None]] = set()
        self._strangers: OrderedDict[int, float] = OrderedDict()  # answered when, monotonic
        self._answered: deque[float] = deque()  # when any of them was
        self._times: dict[int, deque[float]] = {}  # commands of the last minute
        self._warned: set[int] = set()
        self._crowded: set[int] = set()  # told that commands are dropped

    def may_change_money(self) -> bool:
        """Whether chats may."""
        return bool(self._setting("telegram.money"))

    async def stop(self) -> None:
        """Take no more; what was confirmed comes to its end first."""
        self._chats.keep_refused()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._acts:
            await asyncio.wait(self._acts, timeout=LAST_WAIT)
        for task in self._acts:
            task.cancel()
        await asyncio.gather(*self._acts, return_exceptions=True)

    # -- taking -----------------------------------------------------------------------------
    def take(self, update: Incoming) -> None:
        """An update came; this never waits."""
        chat_id = update.chat_id
        if not chat_id or not (update.text or update.button_id):
            return
        if len(self._tasks) >= MAX_UNDER_WAY or self._of_chat.get(chat_id, 0) >= MAX_OF_CHAT:
            log.info("too many commands at once: one of chat %d is dropped", chat_id)
            if chat_id not in self._crowded and self._chats.get(chat_id) is not None:
                self._crowded.add(chat_id)
                self._say(chat_id, CROWDED)
            return
        self._of_chat[chat_id] = self._of_chat.get(chat_id, 0) + 1
        task = asyncio.create_task(self._in_turn(update), name=f"telegram {update.update_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _in_turn(self, update: Incoming) -> None:
        chat_id = update.chat_id
        lane = self._lanes.setdefault(chat_id, asyncio.Lock())
        try:
            async with lane:
                await self._one(update)
        except Exception:
            log.exception("an update of chat %d failed", chat_id)
            self._say(chat_id, "That failed; the log file says how.")
        finally:
            self._crowded.discard(chat_id)
            left = self._of_chat.pop(chat_id) - 1
            if left:
                self._of_chat[chat_id] = left
            else:
                self._lanes.pop(chat_id, None)

    async def _one(self, update: Incoming) -> None:
        chat = self._chats.get(update.chat_id)
        name, words = _parsed(update.text)
        link = name == "link" or (name == "start" and len(words) == 1)
        if chat is None or (link and update.private):
            await self._stranger(update, words if link else None)
        elif chat.user_id != update.user_id:
            self._heard(update, "Only who linked this group may ask.")
            self._chats.count_refused()
        elif not chat.private and not self._setting("telegram.groups"):
            self._heard(update)
            self._stranger_answer(update.chat_id, NO_GROUP)
        elif self._too_many(update.chat_id):
            self._heard(update)
        elif update.button_id:
            await self._pressed(update, chat)
        else:
            await self._text(update, chat, name, words)

    # -- those that are not linked ----------------------------------------------------------
    async def _stranger(self, update: Incoming, words: list[str] | None) -> None:
        self._heard(update)
        if words is None or not self._chats.may_be_linked(update):
            self._chats.count_refused()
            allowed = update.private or bool(self._setting("telegram.groups"))
            self._stranger_answer(update.chat_id, NOT_LINKED if allowed else NO_GROUP)
            return
        code = words[0] if len(words) == 1 else ""
        if not (is_digits(code) and len(code) == CODE_LENGTH):
            self._chats.count_refused()
            self._stranger_answer(update.chat_id, NOT_LINKED)
            return
        try:
            chat = await self._chats.link(update, code)
        except UnknownCode as error:
            self._chats.count_refused()
            # A code that is shown is being typed; without one nobody is at it.
            say = self._say if self._chats.code is not None else self._stranger_answer
            say(update.chat_id, error.message)
            return
        except AppError as error:
            self._say(update.chat_id, f"Not linked: {error.message}")
            return
        self._note(chat, "link", "", "linked")
        self._rooms.record("telegram link", str(chat.chat_id), "ok")
        self._say(
            update.chat_id,
            f"Linked with {self._rooms.program}. /menu has buttons, /help all commands.",
        )

    def _stranger_answer(self, chat_id: int, text: str) -> None:
        """One sentence, and not again before a minute is over."""
        now = self._clock.monotonic()
        while self._answered and now - self._answered[0] >= MINUTE:
            self._answered.popleft()
        before = self._strangers.get(chat_id, now - STRANGER_GAP)
        if now - before < STRANGER_GAP or len(self._answered) >= MAX_ANSWERS:
            return
        self._answered.append(now)
        self._strangers[chat_id] = now
        self._strangers.move_to_end(chat_id)
        while len(self._strangers) > MAX_STRANGERS:
            self._strangers.popitem(last=False)
        self._chats.keep_refused()
        self._outbox.put(Outgoing(chat_id, text, Weight.CHATTER))

    def _too_many(self, chat_id: int) -> bool:
        """Count a command; one that is too many gets one warning until there is room again."""
        now = self._clock.monotonic()
        times = self._times.setdefault(chat_id, deque())
        while times and now - times[0] >= MINUTE:
            times.popleft()
        most = int(self._setting("telegram.commands_per_minute"))
        if len(times) >= most:
            if chat_id not in self._warned:
                self._warned.add(chat_id)
                self._say(chat_id, f"{most} commands in a minute are the limit. Wait a moment.")
            return True
        self._warned.discard(chat_id)
        times.append(now)
        return False

    # -- linked ones ------------------------------------------------------------------------
    async def _text(self, update: Incoming, chat: LinkedChat, name: str, words: list[str]) -> None:
        text = update.text.strip()
        if not name:
            code = text.replace(" ", "")
            if is_digits(code) and len(code) == CODE_LENGTH and self.factor.asks(chat.chat_id):
                await self._refusable(chat, "code", "", self._code(chat, code))
            else:
                self._say(chat.chat_id, "Commands begin with a slash: /help shows them.")
            return
        command = BY_NAME.get(name)
        if command is None:
            self._note(chat, name, "", "unknown")
            near = did_you_mean(name, BY_NAME)
            self._say(chat.chat_id, f"There is no command /{name[:32]}.{near} /help shows them.")
            return
        await self._command(chat, command, words)

    async def _code(self, chat: LinkedChat, code: str) -> Answer:
        return Answer(await self.factor.code(chat, code))

    async def _command(self, chat: LinkedChat, command: Command, words: list[str]) -> None:
        asked = Asked(
            self._rooms,
            chat,
            words,
            self.factor,
            self.may_change_money(),
            self._since,
            lambda: self._unlink(chat.chat_id),
        )
        await self._refusable(chat, command.name, " ".join(words), command.handler(asked))

    async def _refusable(
        self, chat: LinkedChat, name: str, arguments: str, work: Coroutine[Any, Any, Answer] | Any
    ) -> None:
        outcome = "ok"
        try:
            answer: Answer = await work
        except AppError as error:
            outcome = f"refused: {error.message}"
            answer = Answer(error.message)
        except Exception:
            self._note(chat, name, arguments, "failed")
            raise
        if self._chats.get(chat.chat_id) is None and name != UNLINK:
            return  # it was unlinked meanwhile: it is told nothing of an account
        self._note(chat, name, arguments, outcome)
        self._answer(chat.chat_id, answer)

    async def _pressed(self, update: Incoming, chat: LinkedChat) -> None:
        kind, _, rest = update.button.partition(":")
        if kind == "c" and rest in BUTTONS:
            self._heard(update)
            await self._command(chat, BY_NAME[rest], [])
            return
        name, _, at = rest.partition(":")
        try:
            text = await self.factor.pressed(chat, name, at)
        except AppError as error:
            text = error.message
        self._note(chat, "button", "", text.split("\n")[0])
        # Of an old one only a word for a moment: the message may say what waits.
        self._heard(update, text if text == OLD else "")
        if text != OLD:
            self._outbox.put(Outgoing(chat.chat_id, text, edits=update.message_id))

    def _heard(self, update: Incoming, text: str = "") -> None:
        """The button stops turning; nothing waits for that."""

        async def answer() -> None:
            try:
                await self._wire.answer(update.button_id, text)
            except AppError as error:
                log.info("a button was not answered: %s", error.message)

        if update.button_id:
            task = asyncio.create_task(answer(), name="telegram button")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    # -- doing and saying -------------------------------------------------------------------
    def _act(self, chat_id: int, act: Act) -> None:
        """What was confirmed, in a task of its own: it comes to its end."""

        async def run() -> None:
            try:
                text = await sentence(act)
            except Exception:
                log.exception("what chat %d wanted failed", chat_id)
                text = "That failed; the log file says how. Look at the books."
            self._rooms.record("telegram act", str(chat_id), text)
            if (chat := self._chats.get(chat_id)) is not None:
                self._note(chat, "done", "", text.split("\n")[0])
                self._say(chat_id, text)

        task = asyncio.create_task(run(), name=f"telegram act of {chat_id}")
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)

    def _answer(self, chat_id: int, answer: Answer) -> None:
        for picture in answer.pictures:
            self._outbox.put(Outgoing(chat_id, picture.caption, png=picture.png))
        if answer.text:
            self._outbox.put(Outgoing(chat_id, answer.text, rows=answer.rows))

    def _say(self, chat_id: int, text: str) -> None:
        self._outbox.put(Outgoing(chat_id, text))

    def _note(self, chat: LinkedChat, command: str, arguments: str, outcome: str) -> None:
        self._chats.commanded(chat.chat_id)
        self._history.add(
            CommandRow(self._clock.now(), chat.chat_id, command[:32], arguments, outcome)
        )


def _parsed(text: str) -> tuple[str, list[str]]:
    """The command of a message without slash and bot name, in small letters, and its words; an
    empty command where there is none."""
    words = text.split()
    if not words or not words[0].startswith("/"):
        return "", words
    return words[0][1:].partition("@")[0].lower(), words[1:]
