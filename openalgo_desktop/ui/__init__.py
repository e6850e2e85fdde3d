"""The window. Importing anything from here checks first that Qt fits this Python."""

from openalgo_desktop.ui.kit.qt import check_pair

check_pair()
