"""Whether the ports can be had, asked before anything is started."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import psutil


class PortError(Exception):
    """A port cannot be used. The text is one line that names the port, its option and, where known, its holder."""


def check_ports(wanted: Mapping[str, int]) -> None:
    """Raise PortError unless every port of `wanted` (what it is for: number) is free on 127.0.0.1 and named once."""
    seen: dict[int, str] = {}
    for purpose, port in wanted.items():
        if port in seen:
            raise PortError(f"port {port} is wanted twice, for {seen[port]} and for {purpose}; choose different ones")
        seen[port] = purpose
        if not is_free(port):
            raise PortError(f"port {port} ({purpose}) is in use by {holder(port)}; stop it or choose another port")


def is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of a server that just stopped do not count, a listening server does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Name and number of the process that listens on `port`; the system tells only root about other people's."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        return "another process"
    return "another process"
