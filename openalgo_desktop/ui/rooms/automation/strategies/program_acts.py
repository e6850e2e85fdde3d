"""What is done with a hosted program."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMenu

from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.strategies.hosted import AtStop, HostedView
from openalgo_desktop.ui.kit.confirm import ConfirmDialog, confirm
from openalgo_desktop.ui.kit.dialogs import ask
from openalgo_desktop.ui.kit.save_file import ask_path
from openalgo_desktop.ui.kit.widgets import named, plain_tip
from openalgo_desktop.ui.rooms.automation.strategies.program_editor import show_program
from openalgo_desktop.ui.rooms.automation.strategies.program_form import show_settings
from openalgo_desktop.ui.rooms.automation.strategies.promotion import ask_promotion
from openalgo_desktop.ui.rooms.automation.strategies.start import ask_start

if TYPE_CHECKING:
    from openalgo_desktop.ui.rooms.automation.strategies.dock import StrategiesDock

NOT_PROMOTED = "promote it first (its menu has Promote to live)."


class ProgramActs:
    """For the rows of one dock."""

    def __init__(self, dock: StrategiesDock) -> None:
        self._dock = dock
        self._bridge = dock.bridge

    def fill_menu(self, menu: QMenu, view: HostedView) -> None:
        """Items of a row's menu."""
        dock = self._dock
        if view.state.is_up:
            dock.add_item(menu, "Stop…", lambda: self.stop(view))
            dock.add_item(menu, "Restart", lambda: self.restart(view))
        else:
            dock.add_item(menu, "Start…", lambda: self.start(view))
        menu.addSeparator()
        dock.add_item(menu, "Edit the text…", lambda: self.edit(view))
        dock.add_item(menu, "Open its folder", lambda: self.open_folder(view))
        dock.add_item(menu, "Settings…", lambda: self.settings(view))
        menu.addSeparator()
        if view.promoted:
            dock.add_item(menu, "Back to the sandbox", lambda: self.demote(view))
        else:
            dock.add_item(menu, "Promote to live…", lambda: self.promote(view))
        menu.addSeparator()
        dock.add_item(menu, "Remove…", lambda: self.remove(view))

    # -- adding -------------------------------------------------------------------------------
    def fill_new(self, menu: QMenu) -> None:
        """Items of the menu of new ones."""
        self._dock.add_item(menu, "Program from a file…", self.add_file)
        self._dock.add_item(menu, "Program from a folder…", self.add_folder)
        self._samples = menu.addMenu("Sample program")
        named(self._samples, f"{self._dock.name}-samples", "Sample program")
        self._samples.aboutToShow.connect(self._list_samples)

    def _list_samples(self) -> None:
        if not self._samples.actions():
            self._dock.spawn(self._read_samples(), "list samples")

    async def _read_samples(self) -> None:
        for sample in await self._bridge.programs.samples():
            title = sample.name.replace("_", " ").capitalize()
            item = self._dock.add_item(self._samples, title, partial(self.add_sample, sample.name))
            item.setToolTip(plain_tip(sample.what))
        self._samples.setToolTipsVisible(True)

    def add_sample(self, name: str) -> None:
        """A copy of a sample; it does not start."""
        self._dock.spawn(self._add_sample(name), "add sample")

    async def _add_sample(self, name: str) -> None:
        self._added(await self._bridge.programs.add_sample(name))

    def add_file(self) -> None:
        """Choose a Python file."""
        self._dock.spawn(self._ask_file(), "add program")

    async def _ask_file(self) -> None:
        path = await ask_path(self._dock, "Add a program", "Python files", "py", save=False)
        if path is not None:
            await self._add(path)

    def add_folder(self) -> None:
        """Choose a folder with an entry point."""
        self._dock.spawn(self._ask_folder(), "add program")

    async def _ask_folder(self) -> None:
        dialog = named(
            QFileDialog(self._dock, "Add a program from a folder"), "dialog-import", "Folder"
        )
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        chosen: list[str] = []
        dialog.fileSelected.connect(chosen.append)
        if await ask(dialog) and chosen:
            await self._add(Path(chosen[0]))

    def dropped(self, data: QMimeData) -> list[Path]:
        """Python files and folders that are dragged over the dock."""
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        return [path for path in paths if path.suffix == ".py" or path.is_dir()]

    def add_dropped(self, paths: list[Path]) -> None:
        """Take them in one after the other, each asked."""
        self._dock.spawn(self._add_all(paths), "add program")

    async def _add_all(self, paths: list[Path]) -> None:
        for path in paths:
            await self._add(path)

    async def _add(self, path: Path) -> None:
        dialog = ConfirmDialog(
            self._dock,
            f"Add {path.name}?",
            "It may run what it likes with your rights on this machine: add only what you have "
            "read or whose author you trust. It trades in the sandbox until you promote it.",
            "Add",
            option="Copy it into the data folder (else it is used where it is)",
        )
        if await ask(dialog):
            linked = not dialog.option.isChecked()
            self._added(await self._bridge.programs.add(path, link=linked))

    def _added(self, view: HostedView) -> None:
        self._bridge.notice.emit("info", f"{view.hosted.name} is here. It does not run yet.")
        self._dock.choose_later(f"program:{view.hosted.strategy_id}")

    # -- running ------------------------------------------------------------------------------
    def start(self, view: HostedView) -> None:
        """Ask in which mode, then start."""
        self._dock.spawn(self._start(view), "start program", sends=True)

    async def _start(self, view: HostedView) -> None:
        row = view.hosted
        no_live = "" if view.promoted else NOT_PROMOTED
        lines = [f"Runs {row.entry}", f"At most {row.quotas.orders_per_minute} orders a minute"]
        mode = await ask_start(self._dock, self._bridge, row.name, lines, no_live)
        if mode is not None:
            await self._bridge.programs.start(row.strategy_id, mode)

    def stop(self, view: HostedView) -> None:
        """Ask, then end its process."""
        self._dock.spawn(self._stop(view), "stop program", sends=True)

    async def _stop(self, view: HostedView) -> None:
        where = view.mode.value.upper() if view.mode is not None else ""
        dialog = ConfirmDialog(
            self._dock,
            f"Stop {view.hosted.name}?",
            "The program is asked to end, and ended when it does not.",
            "Stop",
            option=f"Close what it holds, at market in {where}",
        )
        dialog.option.setChecked(view.hosted.at_stop is AtStop.SQUARE_OFF)
        if await ask(dialog):
            square_off = dialog.option.isChecked()
            await self._bridge.programs.stop(view.hosted.strategy_id, square_off=square_off)

    def restart(self, view: HostedView) -> None:
        """Apply what was edited, in the same mode; what it holds stays."""
        work = self._bridge.programs.restart(view.hosted.strategy_id)
        self._dock.do(work, "restart program")

    # -- changing -----------------------------------------------------------------------------
    def edit(self, view: HostedView) -> None:
        """Its text."""
        show_program(self._dock, self._bridge, view)

    def settings(self, view: HostedView) -> None:
        """Hours, quotas, parameters."""
        show_settings(self._dock, self._bridge, view)

    def open_folder(self, view: HostedView) -> None:
        """In the file manager: the user's own editor is there. A watch tells of changes."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(view.hosted.folder))

    def promote(self, view: HostedView) -> None:
        """Show its sandbox record and ask."""
        self._dock.spawn(self._promote(view), "promote program", sends=True)

    async def _promote(self, view: HostedView) -> None:
        door, strategy_id = self._bridge.programs, view.hosted.strategy_id
        seen = await door.promotion(strategy_id)
        if await ask_promotion(self._dock, seen):
            await door.promote(strategy_id, seen.digest)

    def demote(self, view: HostedView) -> None:
        """No live start any more; a live run ends and what it holds stays."""
        self._dock.spawn(self._demote(view), "demote program", sends=True)

    async def _demote(self, view: HostedView) -> None:
        live = view.state.is_up and view.mode is Mode.LIVE
        text = "Its live run ends; what it holds stays and is yours to close."
        name = view.hosted.name
        if not live or await confirm(
            self._dock, f"Take {name} back to the sandbox?", text, "Back to the sandbox"
        ):
            await self._bridge.programs.demote(view.hosted.strategy_id)

    def remove(self, view: HostedView) -> None:
        """Ask, then stop and forget."""
        self._dock.spawn(self._remove(view), "remove program", sends=True)

    async def _remove(self, view: HostedView) -> None:
        row = view.hosted
        text = "Its run ends, its logs and keys go; what it holds stays. "
        text += f"Its files stay in {row.folder}." if row.linked else "Our copy of its files goes."
        if await confirm(self._dock, f"Remove {row.name}?", text, "Remove", danger=True):
            await self._bridge.programs.remove(row.strategy_id)
