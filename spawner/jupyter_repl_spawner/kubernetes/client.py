"""The API server, as raw JSON; the only module that knows the kubernetes package, which it imports when it is opened.

Typed objects of the package block the event loop for a second where there are 200 pods. Every request has a bound, at
most WRITES writes are under way, and a server that says when to come again is obeyed.
"""

import asyncio
import gc
import importlib
import logging
import os
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import Any, Self
from urllib.parse import urlencode

from jupyter_repl_runner.contract.errors import Unavailable
from jupyter_repl_runner.contract.json_text import parse_json
from jupyter_repl_spawner.port import Address

from .client_errors import ApiError, Cut, Object, map_cut, map_unreachable

REQUEST_SECONDS = 15.0
ATTEMPTS, BUSY_ATTEMPTS = 3, 10
"""Of a request that was not heard of; of one that a busy server has put off, which all the others are too."""
LONGEST_WAIT = 10.0
CUT_SECONDS = 0.2
"""Until a request that was cut is made again."""
WRITES = 16
PODS_AT_ONCE = 200
MAX_LINE = 1 << 20
CONNECT_SECONDS = 2.0
TLS_CLOSE_SECONDS = 0.25
"""aiohttp closes its connections a moment after it says so."""
JSON_PATCH, MERGE_PATCH = "application/json-patch+json", "application/merge-patch+json"

GROUPS = {
    "pods": "/api/v1",
    "services": "/api/v1",
    "events": "/api/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "deployments": "/apis/apps/v1",
    "ingresses": "/apis/networking.k8s.io/v1",
}

Patch = Object | list[Object]

log = logging.getLogger(__name__)


class PodAnswer:
    """`status`: of HTTP. Of the body at most MAX_LINE bytes are read at a time, and for at most `seconds`: it may be a
    program's of the person, which sends a byte now and then."""

    def __init__(self, status: int, read: Callable[[], Awaitable[bytes]], seconds: float) -> None:
        self.status = status
        self._read = read
        self._seconds = seconds

    async def line(self) -> bytes:
        """The next line, empty at the end. Raises Unreachable."""
        with map_unreachable():
            async with asyncio.timeout(self._seconds):
                return await self._read()


class Api:
    """Of one namespace. `kubeconfig` empty: the pod's own service account, else the usual file. An async context
    manager."""

    def __init__(self, namespace: str, kubeconfig: str = "", context: str = "") -> None:
        self.namespace = namespace
        self._kubeconfig = kubeconfig
        self._context = context
        self._writes = asyncio.Semaphore(WRITES)
        self.requests = 0
        """How many were made so far."""

    async def __aenter__(self) -> Self:
        # In a thread: it takes half a second, for which nobody's keys may wait.
        await asyncio.to_thread(importlib.import_module, "kubernetes.aio.client")
        from kubernetes.aio import client, config

        configuration = client.Configuration()
        try:
            if self._kubeconfig or not _in_cluster():
                await config.load_kube_config(
                    self._kubeconfig or None, context=self._context or None, client_configuration=configuration
                )
            else:
                config.load_incluster_config(client_configuration=configuration)
        except (config.ConfigException, OSError) as error:
            raise Unavailable(
                f"There is no cluster: {error}", hint="Set KUBECONFIG, or kubernetes_kubeconfig."
            ) from error
        self._configuration, self._unconfigured = configuration, config.ConfigException
        self._client = client.ApiClient(configuration)
        import aiohttp

        connector = aiohttp.TCPConnector(limit=PODS_AT_ONCE, ssl=self.tls)
        self._pods = aiohttp.ClientSession(connector=connector, read_bufsize=MAX_LINE)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pods.close()
        await self._client.close()
        await asyncio.sleep(TLS_CLOSE_SECONDS)

    @property
    def host(self) -> str:
        """The API server's address."""
        return str(self._configuration.host)

    @property
    def tls(self) -> ssl.SSLContext:
        """As the API server wants to be spoken to."""
        context: ssl.SSLContext = self._client.rest_client.ssl_context
        return context

    async def credentials(self) -> dict[str, str]:
        """The headers that the API server knows us by, as they are now."""
        headers: dict[str, str] = {}
        await self._sign(headers, "", "GET", None)
        return headers

    async def _sign(self, headers: dict[str, str], path: str, method: str, body: Any) -> None:
        """Raises Unavailable if the credentials can't be had, as from a token file or a program that fails now."""
        try:
            await self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        except (OSError, ValueError, self._unconfigured) as error:
            log.warning("The credentials for the cluster can't be read: %s", error)
            raise Unavailable("There are no credentials for the cluster.", hint="The server's log says why.") from error

    @asynccontextmanager
    async def ask_pod(
        self, method: str, address: Address, path: str, body: bytes, headers: Mapping[str, str], seconds: float
    ) -> AsyncIterator[PodAnswer]:
        """Something of a pod, which may be reached through the API server. Raises Unreachable; at most `seconds` may
        pass until the head of the answer has come, and for each line of it."""
        import aiohttp

        bounds = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=seconds)
        headers = {**address.headers, **headers, "Content-Type": "application/json"}
        with map_unreachable():
            async with asyncio.timeout(seconds):
                response = await self._pods.request(
                    method, address.url + path, data=body, headers=headers, timeout=bounds, allow_redirects=False
                )
        async with response:
            yield PodAnswer(response.status, response.content.readline, seconds)

    async def list(self, kind: str, **query: str) -> Object:
        return await self._ask("GET", self._path(kind), query)

    async def get(self, kind: str, name: str) -> Object | None:
        """None if there is no such object."""
        try:
            return await self._ask("GET", self._path(kind, name), {})
        except ApiError as error:
            if error.status_code == 404:
                return None
            raise

    async def create(self, kind: str, manifest: Object, *, dry_run: bool = False) -> Object:
        """Raises ApiError, 409 where it is there already."""
        return await self._ask("POST", self._path(kind), {"dryRun": "All"} if dry_run else {}, manifest)

    async def patch(self, kind: str, name: str, patch: Patch) -> Object:
        """A JSON Patch (a list) or a merge patch. Raises ApiError: 422 where a test in it failed, 404."""
        sort = JSON_PATCH if isinstance(patch, list) else MERGE_PATCH
        return await self._ask("PATCH", self._path(kind, name), {}, patch, sort)

    async def scale(self, deployment: str, replicas: int) -> bool:
        """Whether there is such a Deployment."""
        try:
            await self.patch("deployments", deployment, {"spec": {"replicas": replicas}})
        except ApiError as error:
            if error.status_code != 404:
                raise
            return False
        return True

    async def delete(self, kind: str, name: str, uid: str = "") -> None:
        """With all that it owns; nothing there is no error. `uid`: only this very object."""
        options: Object = {"propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            await self._ask("DELETE", self._path(kind, name), {}, options)
        except ApiError as error:
            if error.status_code not in (404, 409):
                raise

    async def watch(self, kind: str, seconds: float, silence: float, **query: str) -> AsyncIterator[Object]:
        """Events as they come, for at most `seconds`. Raises ApiError, and Unavailable after `silence` seconds without
        a word (bookmarks are words)."""
        query |= {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(int(seconds))}
        import aiohttp

        bounds = aiohttp.ClientTimeout(total=seconds + silence, sock_connect=silence, sock_read=silence)
        response = await self._send("GET", self._path(kind), query, None, "", bounds)
        try:
            if response.status != 200:
                with map_cut():
                    raw = await response.read()
                raise ApiError(response.status, _parsed(raw))
            while True:
                with map_cut():
                    line = await response.content.readline()
                if not line:
                    return
                yield _parsed(line)
        finally:
            response.close()

    # -- parts

    def _path(self, kind: str, name: str = "") -> str:
        path = f"{GROUPS[kind]}/namespaces/{self.namespace}/{kind}"
        return f"{path}/{name}" if name else path

    async def _ask(self, method: str, path: str, query: Mapping[str, str], body: Any = None, sort: str = "") -> Object:
        """One request and its answer; done again where the server says so, or where that can do no harm: it did not
        hear of it, or nothing was to be changed."""
        for attempt in range(BUSY_ATTEMPTS):
            try:
                async with self._writes if method != "GET" else nullcontext():
                    response = await self._send(method, path, query, body, sort, REQUEST_SECONDS)
                    with map_cut():
                        async with asyncio.timeout(REQUEST_SECONDS):
                            raw = await response.read()
            except Cut as error:
                if attempt >= ATTEMPTS - 1 or (method != "GET" and error.was_heard):
                    raise
                await asyncio.sleep(CUT_SECONDS * between(1, 2))
                continue
            if response.status < 300:
                return _parsed(raw)
            attempts = {429: BUSY_ATTEMPTS, 503: ATTEMPTS}.get(response.status, 1)
            if attempt >= attempts - 1:
                raise ApiError(response.status, _parsed(raw))
            said = response.headers.get("Retry-After", "")
            wait = float(said) if said.isdecimal() else float(1 << attempt)  # else a date, which no API server says
            await asyncio.sleep(min(wait * between(1, 2), LONGEST_WAIT))
        raise AssertionError

    async def _send(self, method: str, path: str, query: Mapping[str, str], body: Any, sort: str, bounds: Any) -> Any:
        self.requests += 1
        headers = {"Accept": "application/json", "Content-Type": sort or "application/json"}
        await self._sign(headers, path, method, body)
        url = f"{self._configuration.host}{path}{'?' + urlencode(query) if query else ''}"
        with map_cut():
            response = await self._client.rest_client.request(
                method, url, headers=headers, body=body, _request_timeout=bounds
            )
        return response.response


def between(low: float, high: float) -> float:
    """At random, so that not all servers come at once, or few get through."""
    return random.uniform(low, high)  # noqa: S311 - not for secrets


def _parsed(raw: bytes) -> Object:
    """Without `managedFields`, half of each object, which nobody reads. Should the garbage collector come before they
    are gone, it takes them for objects that stay, and soon stops the loop to walk through all that there are."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        found = parse_json(raw)
        if not isinstance(found, dict):
            return {"message": str(found)}
        for item in (found.get("object", found), *(found.get("items") or ())):
            if isinstance(item, dict) and isinstance(metadata := item.get("metadata"), dict):
                metadata.pop("managedFields", None)
        return found
    except ValueError:
        return {"message": raw[:200].decode(errors="replace")}
    finally:
        if was_enabled:
            gc.enable()


def _in_cluster() -> bool:
    return "KUBERNETES_SERVICE_HOST" in os.environ
