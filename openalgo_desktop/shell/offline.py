"""Operations on a data folder that no engine uses: only its storage is started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from openalgo_desktop.config.operation import Operation
from openalgo_desktop.runtime.hands.door import OwnerDoor
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal
from openalgo_desktop.shell.options import run_async


def ask_folder(
    data_dir: Path | None, key_file: Path | None, row: Operation, body: dict[str, Any]
) -> dict[str, Any]:
    """The answer, as the door of a running engine would give it. Raises :class:`ConfigError`
    when another process has the folder."""
    return run_async(_ask(data_dir, key_file, row, body))


async def _ask(
    data_dir: Path | None, key_file: Path | None, row: Operation, body: dict[str, Any]
) -> dict[str, Any]:
    terminal = Terminal(TerminalOptions(data_dir=data_dir, vault_key_file=key_file))
    try:
        await terminal.start_storage()
        return await OwnerDoor(terminal, offline=True).run(row.group, row.verb, body)
    finally:
        await terminal.stop()
