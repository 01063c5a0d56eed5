"""A network between client and server that can be cut: it resets connections, swallows requests, or loses answers."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress
from typing import Literal

Way = Literal["open", "reset", "swallow", "lose_answers"]
_CHUNK = 65536
_RESET = struct.pack("ii", 1, 0)


class Network:
    """Forwards a port of loopback to another one, as `way` says; a change of it cuts what is open."""

    def __init__(self, target: int) -> None:
        self.connections = self.lost_answers = 0
        self._target = target
        self._way: Way = "open"
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def way(self) -> Way:
        return self._way

    @way.setter
    def way(self, way: Way) -> None:
        self._way = way
        for each in tuple(self._open):
            _reset(each)
        self._open.clear()

    def close(self) -> None:
        self.way = "reset"
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                if self._way == "reset":
                    _reset(client)
                    continue
                self._open.add(client)
                if self._way != "swallow":
                    self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            _reset(client)
            return
        self._open.add(server)
        threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        asking = threading.Thread(target=self._forward, args=(client, server), daemon=True)
        asking.start()
        self._forward(server, client, is_answer=True)
        asking.join()
        for each in (client, server):
            self._open.discard(each)
            each.close()

    def _forward(self, source: socket.socket, sink: socket.socket, *, is_answer: bool = False) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if is_answer and self._way == "lose_answers":
                    self.lost_answers += 1
                    break
                sink.sendall(data)
            else:
                sink.shutdown(socket.SHUT_WR)  # a reset would drop what is still under way
                return
        _reset(source)
        _reset(sink)


def _reset(connection: socket.socket) -> None:
    """Close without a farewell, also where another thread reads."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
