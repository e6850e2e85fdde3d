"""Where to write an export."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.widgets import named


async def ask_csv_path(parent: QWidget, name: str) -> Path | None:
    """The file that the user chose, ``name`` to begin with; None when he chose none."""
    dialog = named(QFileDialog(parent, "Export as CSV"), "dialog-export", "Export as CSV")
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilter("CSV files (*.csv)")
    dialog.setDefaultSuffix("csv")
    dialog.selectFile(name)
    chosen: list[str] = []
    dialog.fileSelected.connect(chosen.append)
    return Path(chosen[0]) if await ask(dialog) and chosen else None
