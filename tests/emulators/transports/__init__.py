"""The other side of each transport on loopback, small enough for tests and with faults."""

from tests.emulators.transports.base import Peer
from tests.emulators.transports.mqtt import MqttBroker
from tests.emulators.transports.nats import NatsServer
from tests.emulators.transports.socketio import SocketIoServer
from tests.emulators.transports.websocket import WebSocketServer

#: By the name of ``StreamSpec.transport``.
PEERS: dict[str, type[Peer]] = {
    "websocket": WebSocketServer,
    "socketio": SocketIoServer,
    "mqtt": MqttBroker,
    "nats": NatsServer,
}
__all__ = ["PEERS", "MqttBroker", "NatsServer", "Peer", "SocketIoServer", "WebSocketServer"]
