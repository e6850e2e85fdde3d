"""All tools that the server answers by itself."""

from __future__ import annotations

from openalgo_desktop.automation.mcp import reference, research
from openalgo_desktop.automation.mcp.ports import OwnTool

OWN: tuple[OwnTool, ...] = (*reference.OWN, *research.OWN)
