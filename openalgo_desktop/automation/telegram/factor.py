"""The second factor in front of what changes money.

A command only asks: its question lives in memory, for two minutes, and is used up by the first
press of a button. Then a code of the authenticator app that was set up at linking, or a human at
this machine, has to say yes. So a button pressed twice, one of before a restart, a message that
came twice or a code seen over a shoulder do nothing.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

from openalgo_desktop.automation.telegram.chats import ChatBook
from openalgo_desktop.automation.telegram.ports import Button
from openalgo_desktop.automation.telegram.rooms import Answer
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.errors import AppError, AuthError, ConfigError
from openalgo_desktop.core.events import Bus, TelegramAsks
from openalgo_desktop.core.secret import same_text
from openalgo_desktop.core.telegram import ConfirmRequest, LinkedChat
from openalgo_desktop.core.totp import PERIOD, totp

log = logging.getLogger(__name__)

#: Life of a question, and of a choice that waits for its second factor.
LIFE = timedelta(minutes=2)
#: Questions that wait at most, the oldest goes; wrong codes that end a choice, and those within
#: an hour after which a chat gets no more tries.
MAX_QUESTIONS, TRIES, TRIES_AN_HOUR = 50, 3, 10
_HOUR = 3600.0
OLD = "This button is used up or too old. Nothing was done."
MONEY_OFF = (
    "Commands that change money are switched off (setting telegram.money). Nothing was done."
)

Act = Callable[[], Awaitable[str]]


class Choice(NamedTuple):
    """One button of a question: what it says, what is told before it is done, and what it does;
    without ``act`` it takes the question back."""

    text: str
    what: str = ""
    act: Act | None = None


class _Question(NamedTuple):
    chat_id: int
    choices: Sequence[Choice]
    until: float  # monotonic


class _Waiting(NamedTuple):
    request: ConfirmRequest
    act: Act
    until: float
    wrong: int = 0


class SecondFactor:
    """``run`` carries an act out beside whoever asked and tells the chat; ``allowed`` says whether
    chats may change money at all, ``locked`` whether the app lock is closed."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        chats: ChatBook,
        run: Callable[[int, Act], None],
        allowed: Callable[[], bool],
        locked: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._chats = chats
        self._run = run
        self._allowed = allowed
        self._locked = locked
        self._questions: dict[str, _Question] = {}  # oldest first
        self._waiting: dict[int, _Waiting] = {}  # by chat
        self._wrong: dict[int, list[float]] = {}  # when wrong codes came, by chat

    # -- asking -----------------------------------------------------------------------------
    def check(self) -> None:
        """Raises :class:`AuthError` where chats may not change money."""
        if not self._allowed():
            raise AuthError(MONEY_OFF)

    def question(self, chat: LinkedChat, text: str, choices: Sequence[Choice]) -> Answer:
        """A question with a button for each choice, one below the other."""
        self.check()
        name = secrets.token_hex(8)
        until = self._clock.monotonic() + LIFE.total_seconds()
        self._questions[name] = _Question(chat.chat_id, choices, until)
        while len(self._questions) > MAX_QUESTIONS:
            del self._questions[next(iter(self._questions))]
        rows = [[Button(one.text, f"q:{name}:{at}")] for at, one in enumerate(choices)]
        return Answer(text, rows)

    async def pressed(self, chat: LinkedChat, name: str, at: str) -> str:
        """A button of a question; the text that takes its place."""
        question = self._questions.get(name)
        if question is None or question.chat_id != chat.chat_id or not at.isdecimal():
            return OLD
        del self._questions[name]  # once, whatever was pressed
        if self._clock.monotonic() >= question.until or int(at) >= len(question.choices):
            return OLD
        choice = question.choices[int(at)]
        if choice.act is None:
            return "Nothing was done."
        self.check()
        return await self._wait(chat, choice.what, choice.act)

    async def _wait(self, chat: LinkedChat, what: str, act: Act) -> str:
        self._end(chat.chat_id)
        request = ConfirmRequest(
            secrets.token_hex(8), chat.chat_id, chat.name, what, self._clock.now() + LIFE
        )
        until = self._clock.monotonic() + LIFE.total_seconds()
        self._waiting[chat.chat_id] = _Waiting(request, act, until)
        self._bus.publish(TelegramAsks(request=request))
        has_code = await self._chats.secret(chat.chat_id) is not None
        ways = "Send the six digits of your authenticator app, or confirm it in the program"
        if not has_code:
            ways = "Confirm it in the program"
        return f"{what}\n{ways} within {LIFE.seconds // 60} minutes. /cancel takes it back."

    # -- answers ----------------------------------------------------------------------------
    def waiting(self) -> list[ConfirmRequest]:
        """What waits for a second factor."""
        return [row.request for chat in list(self._waiting) if (row := self._alive(chat))]

    def asks(self, chat_id: int) -> bool:
        """Whether a code of this chat would be for something."""
        return self._alive(chat_id) is not None

    def take_back(self, chat_id: int) -> str:
        """The chat changed its mind."""
        return "Nothing was done." if self._end(chat_id) else "Nothing waits."

    def forget(self, chat_id: int) -> None:
        """The chat was unlinked."""
        self._end(chat_id)
        for name in [name for name, row in self._questions.items() if row.chat_id == chat_id]:
            del self._questions[name]

    async def code(self, chat: LinkedChat, code: str) -> str:
        """A code of the chat; what is answered at once."""
        waiting = self._alive(chat.chat_id)
        if waiting is None:
            return "Nothing waits for a code."
        now = self._clock.monotonic()
        wrong = [at for at in self._wrong.get(chat.chat_id, ()) if now - at < _HOUR]
        if len(wrong) >= TRIES_AN_HOUR:
            self._end(chat.chat_id)
            return "Too many wrong codes within an hour. Confirm in the program, or wait."
        step = await self._step(chat, code)
        if step is None:
            self._wrong[chat.chat_id] = [*wrong, now]
            log.warning("a wrong one-time code came from chat %d", chat.chat_id)
            waiting = waiting._replace(wrong=waiting.wrong + 1)
            if waiting.wrong >= TRIES:
                self._end(chat.chat_id)
                return "The code is wrong, the third time. Nothing was done."
            self._waiting[chat.chat_id] = waiting
            return "The code is wrong, or was used before. Send the next one."
        if self._waiting.get(chat.chat_id) is not waiting:
            return "Nothing waits for a code."
        self._end(chat.chat_id)
        await self._chats.code_used(chat.chat_id, step)
        self._chats.require(chat.chat_id)  # it may have been unlinked while that was stored
        return self._go(waiting)

    async def _step(self, chat: LinkedChat, code: str) -> int | None:
        """The half minute of a right code that was not used: this one or its neighbours."""
        secret = await self._chats.secret(chat.chat_id)
        known = self._chats.get(chat.chat_id)
        if secret is None or known is None:
            return None
        now = int(self._clock.time()) // PERIOD
        for step in (now, now - 1, now + 1):
            if step > known.step and same_text(totp(secret.reveal(), step * PERIOD), code):
                return step
        return None

    def confirm(self, request_id: str, yes: bool, *, unlocked: bool = False) -> str:
        """A human at this machine says yes or no; ``unlocked``: he gave the password of the app
        lock just now. Raises :class:`AppError`."""
        found = next((row for row in self.waiting() if row.request_id == request_id), None)
        if found is None:
            raise ConfigError("The request is answered already, or too old. Nothing was done.")
        if yes and self._locked() and not unlocked:
            raise AuthError("The program is locked: unlock the window first.")
        waiting = self._waiting[found.chat_id]
        self._end(found.chat_id)
        if not yes:

            async def refused() -> str:
                return f"Refused in the program: {found.text} Nothing was done."

            self._run(found.chat_id, refused)
            return "Nothing was done."
        return self._go(waiting)

    def _go(self, waiting: _Waiting) -> str:
        self.check()
        log.warning("chat %d: %s", waiting.request.chat_id, waiting.request.text)
        self._run(waiting.request.chat_id, waiting.act)
        return f"Confirmed. {waiting.request.text}"

    def _alive(self, chat_id: int) -> _Waiting | None:
        waiting = self._waiting.get(chat_id)
        if waiting is not None and self._clock.monotonic() >= waiting.until:
            self._end(chat_id)
            return None
        return waiting

    def _end(self, chat_id: int) -> bool:
        waiting = self._waiting.pop(chat_id, None)
        if waiting is not None:
            self._bus.publish(TelegramAsks(request=waiting.request, over=True))
        return waiting is not None


async def sentence(act: Act) -> str:
    """What an act says, and of one that was refused, why."""
    try:
        return await act()
    except AppError as error:
        sent = f" Orders that went out: {', '.join(error.sent)}." if error.sent else ""
        return f"Not done: {error.message}{sent}"
