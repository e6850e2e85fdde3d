"""Protocol Buffers from tables: a feed's messages are data of its codec, not generated code.

A table is the broker's message definition in Python::

    SCHEMA = Schema({
        "Response": {1: ("type", "int32"), 2: ("feeds", "map string Feed"), 3: ("time", "int64")},
        "Feed": {1: ("ltp", "double"), 2: ("levels", "repeated Level")},
        "Level": {1: ("price", "double"), 2: ("quantity", "int64")},
    })
    read_response = SCHEMA.reader("Response")

Only what is read has to be in it: unknown fields are skipped. The wire is read by the ``protobuf``
runtime (C): half the time of a reader of our own, for 26 ms and 6 MiB once (``bench/protobuf.py``).
Who imports this module pays that, so only codecs do: it comes with their adapter, in a thread, when
the first account of that broker is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from openalgo_desktop.core.errors import ProtocolError

#: Field number -> name and kind. Kinds: those of :data:`SCALARS`, the name of a message,
#: ``repeated KIND``, ``map KEY KIND``, and ``optional KIND`` for a scalar whose absence matters
#: (``message.HasField``; elsewhere an absent scalar is 0 or empty). An enum is an ``int32``.
Fields: TypeAlias = Mapping[int, tuple[str, str]]

#: Bytes of the largest message that is read, where a codec names no other limit.
MAX_MESSAGE = 1 << 20

_Proto = descriptor_pb2.FieldDescriptorProto
SCALARS: Mapping[str, int] = {
    name: getattr(_Proto, f"TYPE_{name.upper()}")
    for name in (
        *("double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64"),
        *("fixed32", "fixed64", "sfixed32", "sfixed64", "bool", "string", "bytes"),
    )
}


class Schema:
    """The messages of a feed by name. Raises :class:`ValueError` for a table that makes no sense,
    which is a bug of its codec."""

    def __init__(self, messages: Mapping[str, Fields]) -> None:
        self.messages = messages
        file = descriptor_pb2.FileDescriptorProto(name="feed.proto", package="f", syntax="proto3")
        for name, fields in messages.items():
            made = file.message_type.add(name=name)
            for number, (field, kind) in fields.items():
                self._add(made, number, field, kind)
        self._pool = descriptor_pool.DescriptorPool()
        try:
            self._pool.Add(file)
        except TypeError as error:
            raise ValueError(f"not a schema: {error}") from None

    def message(self, name: str) -> type[Any]:
        """The class of a message: what a codec sends and what an emulator makes."""
        made: type[Any] = message_factory.GetMessageClass(
            self._pool.FindMessageTypeByName(f"f.{name}")
        )
        return made

    def reader(self, name: str, limit: int = MAX_MESSAGE) -> Callable[[bytes], Any]:
        """A function that reads a message of at most ``limit`` bytes and raises
        :class:`ProtocolError` for anything else; values are attributes of what it gives."""
        parse = self.message(name).FromString

        def read(data: bytes) -> Any:
            if len(data) > limit:
                raise ProtocolError(f"A {name} of {len(data)} bytes is too long.")
            try:
                return parse(data)
            except DecodeError:
                raise ProtocolError(f"A {name} of {len(data)} bytes cannot be read.") from None

        return read

    def _add(self, made: Any, number: int, name: str, kind: str) -> None:
        """One field of a message."""
        word, _, rest = kind.partition(" ")
        field = made.field.add(name=name, number=number, label=_Proto.LABEL_OPTIONAL)
        if word == "map":
            key, _, value = rest.partition(" ")
            if key not in SCALARS or key in ("double", "float", "bytes"):
                raise ValueError(f"{made.name}.{name}: {key!r} is no key of a map")
            entry = made.nested_type.add(name=_entry(name))
            entry.options.map_entry = True
            self._add(entry, 1, "key", key)
            self._add(entry, 2, "value", value)
            field.label = _Proto.LABEL_REPEATED
            field.type, field.type_name = _Proto.TYPE_MESSAGE, f".f.{made.name}.{entry.name}"
            return
        if word == "repeated":
            field.label, kind = _Proto.LABEL_REPEATED, rest
        elif word == "optional":
            made.oneof_decl.add(name=f"_{name}")
            field.oneof_index, field.proto3_optional = len(made.oneof_decl) - 1, True
            kind = rest
        if kind in SCALARS:
            field.type = SCALARS[kind]
        elif kind in self.messages:
            field.type, field.type_name = _Proto.TYPE_MESSAGE, f".f.{kind}"
        else:
            raise ValueError(f"{made.name}.{name}: {kind!r} is no kind")


def _entry(name: str) -> str:
    """The name that the entries of a map must have: ``foo_barBaz`` -> ``FooBarBazEntry``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) + "Entry"
