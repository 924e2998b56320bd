"""A real API server with its etcd, and nothing else: no kubelet, no root. Tests claims, watches, rights and scale."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import binaries
from .ports import free_port

START_SECONDS = 40.0
NAMESPACE = "repls"


class ApiServer:
    """After a kill and a new start it has the same objects and the same address."""

    def __init__(self, folder: Path, *flags: str) -> None:
        """`flags`: further flags of the API server."""
        self.folder = folder
        self._flags = flags
        self.port, self._etcd_port, self._peer_port = free_port(), free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._program = binaries.require("kubenode")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> "ApiServer":
        if not self.folder.exists():
            (self.folder / "pki").mkdir(parents=True)
            self._make_certificates()
        self._spawn("etcd", *self._etcd())
        self._spawn("apiserver", *self._apiserver())
        until = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if time.monotonic() > until or any(each.poll() is not None for each in self._processes.values()):
                raise RuntimeError(f"the API server did not start: see {self.folder}")
            time.sleep(0.1)
        if not self.kubectl("get", "namespace", NAMESPACE, check=False):
            self.kubectl("create", "namespace", NAMESPACE)
        return self

    def stop(self, number: int = signal.SIGTERM, *names: str) -> None:
        """Idempotent. `names`: stop only these processes."""
        for name in names or ("apiserver", "etcd"):
            process = self._processes.pop(name, None)
            if process is not None and process.poll() is None:
                process.send_signal(number)
                process.wait(20)

    def restart_api(self) -> None:
        """Kill the API server, not etcd, and start it again."""
        self.stop(signal.SIGKILL, "apiserver")
        self._spawn("apiserver", *self._apiserver())
        until = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert time.monotonic() < until
            time.sleep(0.1)

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "admin.kubeconfig"

    def kubectl(self, *arguments: str, check: bool = True, text: str | None = None) -> str:
        command = [str(self._program), "kubectl", "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def grant(self, user: str, rules: Sequence[Mapping[str, Any]]) -> None:
        """Give `user` these rights in NAMESPACE, and no others."""
        kind, about = "rbac.authorization.k8s.io/v1", {"name": user, "namespace": NAMESPACE}
        who = {"apiGroup": "rbac.authorization.k8s.io", "name": user}
        subjects, role = [{"kind": "User", **who}], {"kind": "Role", **who}
        items = [
            {"apiVersion": kind, "kind": "Role", "metadata": about, "rules": rules},
            {"apiVersion": kind, "kind": "RoleBinding", "metadata": about, "subjects": subjects, "roleRef": role},
        ]
        self.kubectl("apply", "-f", "-", text=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))

    # -- parts

    def _spawn(self, name: str, *arguments: str) -> None:
        with open(self.folder / f"{name}.log", "ab") as log:
            environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
            self._processes[name] = subprocess.Popen(
                [str(self._program), *arguments], env=environment, stdout=log, stderr=log, process_group=0
            )

    def _etcd(self) -> list[str]:
        client, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{self._peer_port}"
        return [
            "etcd", "--name=node1", f"--data-dir={self.folder}/etcd", "--unsafe-no-fsync", "--log-level=error",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=node1={peer}",
        ]  # fmt: skip

    def _apiserver(self) -> list[str]:
        pki = self.folder / "pki"
        return [
            "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self._etcd_port}", "--bind-address=127.0.0.1",
            f"--secure-port={self.port}", "--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=RBAC",
            f"--client-ca-file={pki}/ca.crt", f"--tls-cert-file={pki}/server.crt",
            f"--tls-private-key-file={pki}/server.key", "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki}/sa.pub", f"--service-account-signing-key-file={pki}/sa.key",
            "--disable-admission-plugins=ServiceAccount", f"--cert-dir={self.folder}/certificates",
            "--enable-admission-plugins=OwnerReferencesPermissionEnforcement", *self._flags,
        ]  # fmt: skip

    def _is_ready(self) -> bool:
        import ssl

        context: Any = ssl.create_default_context(cafile=str(self.folder / "pki/ca.crt"))
        context.load_cert_chain(self.folder / "pki/admin.crt", self.folder / "pki/admin.key")
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2, context=context) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _make_certificates(self) -> None:
        self._openssl("ecparam -name prime256v1 -genkey -noout -out ca.key")
        self._openssl("req -x509 -new -key ca.key -subj /CN=ca -days 3 -out ca.crt")
        self._openssl("ecparam -name prime256v1 -genkey -noout -out sa.key")
        self._openssl("ec -in sa.key -pubout -out sa.pub")
        self.identity("server", "/O=system:masters/CN=server")
        self.identity("admin", "/O=system:masters/CN=admin")

    def identity(self, name: str, subject: str) -> Path:
        """Make a certificate for a subject. Returns the path of a kubeconfig that uses it."""
        pki = self.folder / "pki"
        (pki / f"{name}.ext").write_text("extendedKeyUsage=clientAuth,serverAuth\nsubjectAltName=IP:127.0.0.1\n")
        self._openssl(f"ecparam -name prime256v1 -genkey -noout -out {name}.key")
        self._openssl(f"req -new -key {name}.key -subj {subject} -out {name}.csr")
        self._openssl(
            f"x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3 -out {name}.crt "
            f"-extfile {name}.ext"
        )
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
            f"clusters: [{{name: c, cluster: {{server: '{self.url}', certificate-authority: {pki}/ca.crt}}}}]\n"
            f"users: [{{name: u, user: {{client-certificate: {pki}/{name}.crt, client-key: {pki}/{name}.key}}}}]\n"
            "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
        )
        return path

    def _openssl(self, arguments: str) -> None:
        command = ["openssl", *arguments.split()]
        subprocess.run(command, cwd=self.folder / "pki", check=True, capture_output=True, timeout=20)


def plain_kubeconfig(port: int, path: Path) -> str:
    """Write a kubeconfig for a server on this machine that answers like an API server, without TLS and accounts.
    Returns the file's path."""
    cluster = {"name": "plain", "cluster": {"server": f"http://127.0.0.1:{port}"}}
    context = {"name": "plain", "context": {"cluster": "plain", "user": ""}}
    path.write_text(json.dumps({"clusters": [cluster], "contexts": [context], "current-context": "plain", "users": []}))
    return str(path)
