"""All open connections of one port: how many there may be, which are overdue, how many bytes they hold.

Answers that are not read may be half of these bytes, so that they leave room for the bodies of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mmgit.serving.front.connection import Connection

CONNECTIONS_MAX = 1000


class Connections:
    """The connections of one port."""

    def __init__(self, held_bytes_max: int) -> None:
        self.held_bytes = 0
        self.held_bytes_max = held_bytes_max
        self.unread_bytes = 0
        self._open: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def is_unread_too_much(self) -> bool:
        """Whether no more answers can be kept for clients that do not read them."""
        return self.unread_bytes > self.held_bytes_max // 2

    def keep_unread(self, size_bytes: int) -> None:
        """Count bytes of answers that are kept until they are read, or no longer."""
        self.held_bytes += size_bytes
        self.unread_bytes += size_bytes

    def open(self, connection: Connection) -> bool:
        """Take a new connection in; the longest idle one makes place. False when none is idle."""
        if len(self._open) >= CONNECTIONS_MAX:
            idle = [other for other in self._open if other.is_idle]
            if not idle:
                return False
            oldest = min(idle, key=lambda other: other.idle_since)
            self._open.discard(oldest)
            oldest.close()
        self._open.add(connection)
        return True

    def close(self, connection: Connection) -> None:
        """Forget a connection."""
        self._open.discard(connection)

    def close_overdue(self, now: float) -> None:
        """End what took too long to arrive, to be read, or to come back."""
        for connection in list(self._open):
            if connection.is_overdue(now):
                connection.expire()

    def close_idle(self) -> bool:
        """Close what is idle; False while something is under way."""
        for connection in [connection for connection in self._open if connection.is_idle]:
            connection.close()
        return not self._open

    def abort(self) -> None:
        """Cut everything off."""
        for connection in list(self._open):
            connection.abort()
