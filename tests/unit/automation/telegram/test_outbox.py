"""The pace of messages, and what gives way when there are too many."""

from __future__ import annotations

import asyncio

import pytest

from openalgo_desktop.automation.telegram import outbox as box
from openalgo_desktop.automation.telegram.outbox import Outbox, Outgoing, Weight, cut, weight_of
from openalgo_desktop.core.clock import ManualClock
from openalgo_desktop.core.errors import AppError, NetError
from tests.unit.automation.telegram.room import NOW
from tests.waiting import until


class Wire:
    """Keeps what is sent, and when."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.sent: list[tuple[float, int, str]] = []

    async def send(self, chat_id: int, text: str, rows: object = ()) -> None:
        self.sent.append((self.clock.monotonic(), chat_id, text))


def outbox() -> tuple[Outbox, Wire, ManualClock]:
    clock = ManualClock(NOW)
    wire = Wire(clock)

    async def pause(seconds: float) -> None:
        clock.advance(seconds)
        await asyncio.sleep(0)

    return Outbox(clock, wire, pause, lambda text: None), wire, clock  # type: ignore[arg-type]


async def sent(made: Outbox, wire: Wire, count: int) -> None:
    task = asyncio.create_task(made.run())
    await until(lambda: len(wire.sent) >= count, f"{count} messages")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_leaving_while_its_chat_is_unlinked_does_not_come_back():
    made, wire, _ = outbox()
    tries: list[int] = []
    send = wire.send

    async def broken(chat_id: int, text: str, rows: object = ()) -> None:
        tries.append(chat_id)
        if chat_id == 1:
            made.forget(1)  # while Telegram does not answer
            raise NetError("Telegram does not answer.")
        await send(chat_id, text, rows)

    wire.send = broken  # type: ignore[method-assign]
    for chat in (1, 2):
        made.put(Outgoing(chat, "x"))
    await sent(made, wire, 1)
    assert tries == [1, 2] and made.waiting == 0


async def test_a_chat_gets_one_a_second_a_group_twenty_a_minute_and_all_thirty_a_second():
    made, wire, _ = outbox()
    for number in range(3):
        made.put(Outgoing(1, f"{number}"))
        made.put(Outgoing(-1, f"{number}"))
    await sent(made, wire, 6)
    times = [at for at, chat, _ in wire.sent if chat == 1]
    assert times == [0.0, 1.0, 2.0]
    assert [at for at, chat, _ in wire.sent if chat == -1] == [0.0, 3.0, 6.0]
    assert [text for _, chat, text in wire.sent if chat == 1] == ["0", "1", "2"]
    made, wire, _ = outbox()
    for chat in range(1, 41):
        made.put(Outgoing(chat, "x"))
    await sent(made, wire, 40)
    times = [at for at, _, _ in wire.sent]
    assert times[29] == 0.0 and times[30] == 1.0


async def test_answers_go_first_and_the_least_important_give_way_with_a_count(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(box, "ROOM", 4)
    made, wire, _ = outbox()
    chatter = [made.put(Outgoing(1, f"chatter {n}", Weight.CHATTER)) for n in range(3)]
    made.put(Outgoing(1, "news", Weight.NEWS))
    made.put(Outgoing(1, "alarm", Weight.ALARM))
    made.put(Outgoing(1, "answer"))
    late = made.put(Outgoing(1, "chatter 9", Weight.CHATTER))
    assert (made.waiting, made.dropped) == (4, 3)
    assert [one.done.done() for one in chatter] == [True, True, True]
    with pytest.raises(AppError, match="Too many"):
        await chatter[0].done
    assert not late.done.done()
    await sent(made, wire, 4)
    texts = [text for _, _, text in wire.sent]
    assert texts[0].startswith("(3 messages") and texts[0].endswith("\nanswer")
    assert texts[1:] == ["alarm", "news", "chatter 9"]
    made.put(Outgoing(1, "a"))
    made.put(Outgoing(1, "b"))
    made.put(Outgoing(1, "c"))
    made.put(Outgoing(1, "d"))
    least = made.put(Outgoing(1, "nothing that matters", Weight.CHATTER))
    assert least.done.done() and made.waiting == 4


async def test_a_chat_that_is_unlinked_is_told_nothing_that_waited():
    made, wire, _ = outbox()
    gone = made.put(Outgoing(1, "for who is gone"))
    made.put(Outgoing(2, "for who stays"))
    made.forget(1)
    await sent(made, wire, 1)
    assert [chat for _, chat, _ in wire.sent] == [2]
    with pytest.raises(AppError, match="unlinked"):
        await gone.done


def test_a_text_that_is_too_long_ends_with_a_whole_line():
    text = "\n".join(f"line {number:04d}" for number in range(600))
    short = cut(text)
    assert len(short) <= 4096
    lines = short.split("\n")
    assert lines[-1] == f"… and {600 - len(lines) + 1} more lines"
    assert cut("x" * 5000) == "x" * 4095 + "…"
    assert cut("fits") == "fits"


def test_priorities_of_scripts():
    weights = [weight_of(number) for number in (1, 3, 4, 5, 7, 8, 10)]
    low, usual, high = Weight.CHATTER, Weight.NEWS, Weight.ALARM
    assert weights == [low, low, usual, usual, usual, high, high]
