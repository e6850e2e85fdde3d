"""A desktop's message services on a session bus of our own, as a process: notifications and the
place of tray icons. ``python -m tests.e2e.desk_services FILE`` writes what it is told,
as JSON lines.
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from jeepney import HeaderFields, Message, MessageType, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, Proxy, open_dbus_connection

NOTIFICATIONS, WATCHER = "org.freedesktop.Notifications", "org.kde.StatusNotifierWatcher"
PROPERTIES: dict[str, tuple[str, Any]] = {
    "ProtocolVersion": ("i", 0),
    "IsStatusNotifierHostRegistered": ("b", True),
    "RegisteredStatusNotifierItems": ("as", []),
}


def answer(message: Message, told: list[dict[str, Any]]) -> Message:
    """The answer of one call; ``told`` gets what a user would see of it."""
    fields = message.header.fields
    member, body = fields.get(HeaderFields.member), message.body
    if member == "Notify":
        told.append({"summary": body[3], "body": body[4], "icon": body[2]})
        return new_method_return(message, "u", (len(told),))
    if member == "GetCapabilities":
        return new_method_return(message, "as", (["body"],))
    if member == "GetServerInformation":
        return new_method_return(message, "ssss", ("test", "test", "1", "1.2"))
    if member == "Get":
        return new_method_return(message, "v", (PROPERTIES[body[1]],))
    if member == "GetAll":
        return new_method_return(message, "a{sv}", (PROPERTIES,))
    if member == "RegisterStatusNotifierItem":
        told.append({"item": fields.get(HeaderFields.sender)})
    return new_method_return(message)


def serve(connection: DBusConnection, place: Path) -> None:
    """Until the bus ends."""
    told: list[dict[str, Any]] = []
    bus = Proxy(message_bus, connection)
    for name in (NOTIFICATIONS, WATCHER):
        bus.RequestName(name)
    place.write_text("")
    while True:
        message = connection.receive()
        if message.header.message_type is not MessageType.method_call:
            continue
        before = len(told)
        connection.send(answer(message, told))
        with place.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in told[before:])


if __name__ == "__main__":
    with contextlib.suppress(EOFError, ConnectionError):  # the bus is gone
        serve(open_dbus_connection("SESSION"), Path(sys.argv[1]))
