"""Rows of hosted programs that the docks show; not imported while nobody looks at programs."""

from __future__ import annotations

from openalgo_desktop.automation.host.catalog.samples import Sample
from openalgo_desktop.automation.host.catalog.source import Source
from openalgo_desktop.automation.host.ports import LogEntry, RunLog

__all__ = ["LogEntry", "RunLog", "Sample", "Source"]
