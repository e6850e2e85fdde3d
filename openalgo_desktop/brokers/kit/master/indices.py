"""Unified names of indices from the names that brokers use.

The names are data, found by folder: ``resources/brokers/indices/shared.json`` has those of all
brokers, a file of a broker's or family's name beside it what only they write. Each has, by
exchange (``NSE_INDEX``), the unified symbol of each name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import msgspec

from openalgo_desktop.config.resources import resource_path, resource_text
from openalgo_desktop.core.errors import ConfigError

_NOT_NAME = re.compile(r"[\s_-]+")
_FOLDER = "brokers/indices"
_SHARED = "shared"


def index_symbol(name: str, exchange: str, own: str = "") -> str:
    """The unified symbol of an index on ``NSE_INDEX``, ``BSE_INDEX`` and the like.

    ``own`` is the broker or family whose file goes before the shared names; it may have none. A
    name that no file has becomes its letters, digits and signs in upper case.
    """
    squeezed = _squeezed(name)
    return _names(own).get(exchange, {}).get(squeezed, squeezed)


def _squeezed(name: str) -> str:
    """A name without blanks, hyphens and underlines, in upper case."""
    return _NOT_NAME.sub("", name).upper()


@cache
def _names(own: str) -> Mapping[str, Mapping[str, str]]:
    """Symbols by exchange and squeezed name: the shared ones and those of a broker or family."""
    tables: dict[str, dict[str, str]] = {}
    for file in (_SHARED, own):
        if file and (resource_path(_FOLDER) / f"{file}.json").is_file():
            for exchange, table in _read(file).items():
                tables.setdefault(exchange, {}).update(table)
    return tables


def _read(file: str) -> Mapping[str, Mapping[str, str]]:
    """One file; raises :class:`ConfigError` for two names that become one."""
    raw = msgspec.json.decode(resource_text(f"{_FOLDER}/{file}.json"), type=dict[str, object])
    found: dict[str, dict[str, str]] = {}
    for exchange, names in raw.items():
        if isinstance(names, dict):  # else it is a remark
            table = found[exchange] = {_squeezed(name): str(text) for name, text in names.items()}
            if len(table) != len(names):
                raise ConfigError(f"indices/{file}.json: a name of {exchange} comes twice")
    return found
