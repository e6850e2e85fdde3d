"""The server half of aiohttp, without its client.

The package file of aiohttp imports its HTTP client, with two TLS contexts and all certificates of
this machine: a third of a headless start, for nothing that this program uses. So the package is
put in place empty, and its file is executed only when somebody asks for one of its names; its
modules are found as always. Everything here that serves HTTP imports ``web`` from this module.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

_NAME = "aiohttp"


class _Package(ModuleType):
    """A package whose file has not run yet; whoever needs a name of it gets all of it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or find_spec(f"{_NAME}.{name}") is not None:
            raise AttributeError(name)  # a module of its own: the import system brings it
        assert self.__spec__ is not None and self.__spec__.loader is not None
        self.__class__ = ModuleType  # type: ignore[assignment]
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def _put_in_place() -> None:
    spec = find_spec(_NAME)
    if spec is None or _NAME in sys.modules:
        return
    package = module_from_spec(spec)
    package.__class__ = _Package
    package.__dict__["__version__"] = version(_NAME)
    sys.modules[_NAME] = package


_put_in_place()

from aiohttp import web  # noqa: E402
from aiohttp.web_protocol import RequestHandler  # noqa: E402

__all__ = ["RequestHandler", "web"]
