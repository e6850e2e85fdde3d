"""Fast tables: a row store that ticks write to, a model for structure, a view that paints."""

from openalgo_desktop.ui.kit.tables.columns import Column, RowAction
from openalgo_desktop.ui.kit.tables.fastview import FastTableView
from openalgo_desktop.ui.kit.tables.model import FastTableModel
from openalgo_desktop.ui.kit.tables.store import RowStore

__all__ = ["Column", "FastTableModel", "FastTableView", "RowAction", "RowStore"]
