"""Fast tables: a row store that ticks write to, a model for structure, a view that paints."""

from openalgo_desktop.ui.tables.columns import Column, RowAction
from openalgo_desktop.ui.tables.fastview import FastTableView
from openalgo_desktop.ui.tables.model import FastTableModel
from openalgo_desktop.ui.tables.store import RowStore

__all__ = ["Column", "FastTableModel", "FastTableView", "RowAction", "RowStore"]
