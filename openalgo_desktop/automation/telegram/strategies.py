"""Hosted programs and made strategies as chats list and stop them."""

from __future__ import annotations

from collections.abc import Sequence

from openalgo_desktop.core.numbers import whole
from openalgo_desktop.core.strategies.hosted import HostedState, HostedView
from openalgo_desktop.core.strategies.ports import ProgramHost, StrategyEngine, StrategyNotFound
from openalgo_desktop.core.strategies.words import RunStatus
from openalgo_desktop.core.telegram import StrategyLine

#: What a human wants to hear of a hosted program when it comes to stand there.
_BAD = (HostedState.WAITING, HostedState.CRASH_LOOP, HostedState.ERROR, HostedState.LOST)
_TOLD = (HostedState.RUNNING, HostedState.STOPPED, *_BAD)


class HostedRoom:
    """Programs of the host; a :class:`~openalgo_desktop.core.telegram.StrategyRoom`."""

    def __init__(self, host: ProgramHost) -> None:
        self._host = host

    async def listed(self) -> Sequence[StrategyLine]:
        """All of them; what they earned comes from the strategy book."""
        return [
            StrategyLine(
                strategy_id=view.hosted.name,
                name=view.hosted.name,
                state=view.state.value,
                running=view.state.is_up,
                mode=view.mode.value if view.mode is not None else "",
                pnl=view.pnl,
            )
            for view in self._host.all()
        ]

    async def stop(self, strategy_id: str, by: str) -> str:
        """End its processes; what it holds is closed where its own settings say so."""
        view = await self._host.stop(strategy_id, by)
        why = f" ({view.reason})" if view.reason else ""
        return f"{strategy_id}: {view.state.value}{why}."


class MadeRoom:
    """Strategies of the engine; stopping one closes what it holds."""

    def __init__(self, engine: StrategyEngine) -> None:
        self._engine = engine

    async def listed(self) -> Sequence[StrategyLine]:
        """All of them, the newest first."""
        lines = []
        for row in await self._engine.find():
            view = self._engine.view(row.strategy_id)
            lines.append(
                StrategyLine(
                    strategy_id=str(row.strategy_id),
                    name=row.definition.name,
                    state=row.status.value,
                    running=row.status in (RunStatus.RUNNING, RunStatus.PAUSED),
                    mode=view.run.mode.value if view is not None else "",
                    pnl=view.result if view is not None else None,
                )
            )
        return lines

    async def stop(self, strategy_id: str, by: str) -> str:
        """Square off and end its run."""
        number = whole(strategy_id)
        row = next((one for one in await self._engine.find() if one.strategy_id == number), None)
        if row is None:
            raise StrategyNotFound(f"There is no strategy {strategy_id} any more.")
        answer = await self._engine.stop(number, by)
        bad = [leg for leg in answer.exits if not leg.ok]
        text = f"{row.definition.name}: "
        text += "its exits are on the way" if answer.pending else "stopped"
        if bad:
            text += f"; {len(bad)} exits were refused ({bad[0].symbol}: {bad[0].error})"
        return f"{text}."


def hosted_news(view: HostedView) -> str:
    """What is told of a hosted program that comes to stand where it stands; empty for nothing."""
    if view.state not in _TOLD:
        return ""
    mode = f" ({view.mode.value.upper()})" if view.mode is not None else ""
    why = f": {view.reason}" if view.reason else ""
    lines = [f"{view.hosted.name}{mode} {view.state.value}{why}"]
    if view.state in _BAD:
        lines += view.last_lines[-3:]
    return "\n".join(lines)
