import socket

import pytest

from mmgit.serving.front.listener import listening_socket


def reach(address: str, port: int) -> None:
    socket.create_connection((address, port), timeout=30).close()


def test_without_an_address_all_are_listened_on() -> None:
    with listening_socket("", 0) as listening:
        reach("127.0.0.1", listening.getsockname()[1])


def test_with_an_address_only_that_one_is_listened_on() -> None:
    with listening_socket("127.0.0.1", 0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_a_machine_without_ipv6_listens_on_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    create = socket.create_server

    def without_ipv6(address: tuple[str, int], family: int = socket.AF_INET, **options: bool) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError("address family not supported")
        return create(address, family=family, **options)

    monkeypatch.setattr(socket, "create_server", without_ipv6)

    with listening_socket("", 0) as listening:
        reach("127.0.0.1", listening.getsockname()[1])


def test_a_port_that_is_taken_is_an_error() -> None:
    with listening_socket("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        listening_socket("127.0.0.1", taken.getsockname()[1])
