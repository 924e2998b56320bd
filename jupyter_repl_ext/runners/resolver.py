"""Resolves the host in a runner's address to the address of a socket."""

import ipaddress
import os
import socket
from typing import Any

from tornado.netutil import DefaultLoopResolver, Resolver

UNIX_SUFFIX = ".unix.invalid"


class AddressResolver(Resolver):
    """Resolves `{hex of a path}.unix.invalid` to that Unix socket, and IP addresses (such as those of pods) to
    themselves. Only other hosts go to tornado's resolver: it needs a thread, for which many lookups may be waiting."""

    def initialize(self) -> None:
        self._others = DefaultLoopResolver()

    async def resolve(self, host: str, port: int, family: socket.AddressFamily = socket.AF_UNSPEC) -> Any:
        if host.endswith(UNIX_SUFFIX):
            return [(socket.AF_UNIX, os.fsdecode(bytes.fromhex(host.removesuffix(UNIX_SUFFIX))))]
        try:
            version = ipaddress.ip_address(host).version
        except ValueError:
            return await self._others.resolve(host, port, family)
        return [(socket.AF_INET, (host, port)) if version == 4 else (socket.AF_INET6, (host, port, 0, 0))]
