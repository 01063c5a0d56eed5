"""An address and a port in, a bound socket out: on all addresses of both families when none is given."""

from __future__ import annotations

import socket


def listening_socket(bind: str, port: int) -> socket.socket:
    """A socket that may be listened on.

    Raises:
        OSError: the address is not this machine's, or the port is taken.
    """
    if bind:
        family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        return socket.create_server((bind, port), family=family)
    try:
        return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except (OSError, ValueError):  # no IPv6 here
        return socket.create_server(("", port))
