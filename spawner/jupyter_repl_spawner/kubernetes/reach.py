"""How this server gets to a pod: to its address inside the cluster, else through the API server's proxy.

That drops `Authorization`, which is why runners have a header of their own, and it needs the rights PROXY_RULES.
"""

import os
from typing import Literal

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_spawner.port import Address

from .client import Api
from .client_errors import Object

Way = Literal["auto", "pod", "proxy"]


class Reach:
    """`way` auto: the pod's address where we are in a cluster ourselves."""

    def __init__(self, api: Api, way: Way = "auto") -> None:
        self._api = api
        self._is_direct = way == "pod" or (way == "auto" and "KUBERNETES_SERVICE_HOST" in os.environ)

    async def address(self, pod: Object, port: int, token: str = "") -> Address:
        """Raises Unavailable for a pod that has no address yet."""
        ip, name = pod.get("status", {}).get("podIP"), pod["metadata"]["name"]
        if not ip:
            raise Unavailable("The pod has no address yet.", hint="Try again in a moment.")
        if self._is_direct:
            host = f"[{ip}]" if ":" in ip else ip
            return Address(f"http://{host}:{port}", token)
        url = f"{self._api.host}/api/v1/namespaces/{self._api.namespace}/pods/{name}:{port}/proxy"
        return Address(url, token, await self._api.credentials(), self._api.tls)
