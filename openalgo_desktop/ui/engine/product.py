"""What the program says of itself: name, licence, source, libraries."""

from __future__ import annotations

from openalgo_desktop.runtime import about

__all__ = ["about"]
