"""A made strategy as a file: JSON of its :class:`Definition`, fit for versioning. Pure."""

from __future__ import annotations

import msgspec

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.strategies.checks import check
from openalgo_desktop.core.strategies.model import FORMAT, Definition

#: A file above this size is none of ours; bytes.
MAX_BYTES = 262_144

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def to_file(definition: Definition) -> bytes:
    """The file: indented, fields in a fixed order, numbers as numbers."""
    return msgspec.json.format(_ENCODER.encode(definition), indent=2) + b"\n"


def from_file(text: bytes | str) -> Definition:
    """The checked definition of a file. Raises :class:`ConfigError` (of fields:
    :class:`DefinitionError`) with the place and the reason; unknown fields are named."""
    data = text.encode() if isinstance(text, str) else text
    data = data.removeprefix(b"\xef\xbb\xbf")
    if len(data) > MAX_BYTES:
        raise ConfigError(f"The file has {len(data)} bytes; a strategy has at most {MAX_BYTES}.")
    try:
        head = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise ConfigError(f"The file is no JSON: {error}.") from error
    if not isinstance(head, dict):
        raise ConfigError("The file holds no strategy: its JSON is no object.")
    found = head.get("format", FORMAT)
    if found != FORMAT:
        raise ConfigError(
            f"format: the file says {found!r} and this version of the program reads {FORMAT}. "
            "Export it again with this version."
        )
    try:
        definition = msgspec.json.decode(data, type=Definition)
    except msgspec.ValidationError as error:
        raise ConfigError(f"The strategy cannot be read: {error}.") from error
    check(definition)
    return definition
