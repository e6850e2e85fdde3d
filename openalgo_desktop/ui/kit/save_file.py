"""Which file: where to write an export, which one to read."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.widgets import named


async def ask_path(
    parent: QWidget, title: str, kind: str, suffix: str, name: str = "", save: bool = True
) -> Path | None:
    """The file that the user chose, ``name`` to begin with; None when he chose none. ``kind`` is
    what such files are called, ``suffix`` how they end."""
    dialog = named(QFileDialog(parent, title), "dialog-export" if save else "dialog-import", title)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.setNameFilter(f"{kind} (*.{suffix})")
    if save:
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix)
        dialog.selectFile(name)
    else:
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    chosen: list[str] = []
    dialog.fileSelected.connect(chosen.append)
    return Path(chosen[0]) if await ask(dialog) and chosen else None


async def ask_csv_path(parent: QWidget, name: str) -> Path | None:
    """Where to write a CSV file."""
    return await ask_path(parent, "Export as CSV", "CSV files", "csv", name)
