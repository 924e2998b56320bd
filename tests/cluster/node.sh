#!/usr/bin/env bash
# One real Kubernetes node (etcd, API server, controllers, scheduler, kubelet, kube-proxy, containerd) in a network
# namespace of its own: nothing of it touches the machine's network or its other processes.
#
#   node.sh up STATE_DIR      about 5 s; writes STATE_DIR/admin.kubeconfig
#   node.sh load STATE_DIR ARCHIVE...   imports images (docker or OCI archives) into the node
#   node.sh kill STATE_DIR NAME    SIGKILL to a component (apiserver, kubelet, ...)
#   node.sh start STATE_DIR NAME   starts a killed component again (not etcd or containerd)
#   node.sh down STATE_DIR    ends every process and container, unmounts, removes the namespace and the state
#
# Pods find names by CoreDNS (COREDNS), and kube-router (KUBE_ROUTER) enforces NetworkPolicies, as far as these are there.
#
# SESSION is the process whose node it is: when that is gone, the next `up` ends what is left of it.
# Needs root, the binary kubenode (KUBENODE), and Debian's containerd, runc, containernetworking-plugins, iptables, ipset,
# conntrack, iproute2 and openssl.
set -euo pipefail

verb=${1:?up, load, kill, start or down}; S=$(realpath -m "${2:?state directory}"); shift 2
KUBENODE=${KUBENODE:-kubenode}
OWNER=/run/repl-node.owner
NS=repl-node HOST_IP=10.250.0.1 NODE_IP=10.250.0.2 POD_CIDR=10.22.0.0/16 SERVICE_CIDR=10.96.0.0/16
inside() { nsenter --net=/run/netns/$NS "$@"; }   # not `ip netns exec`: it hides /sys/fs/cgroup from the kubelet
spawn() { # NAME COMMAND...: setsid and nsenter exec, so $! is the component itself
  local name=$1; shift
  setsid nsenter --net=/run/netns/$NS "$@" >"$S/log/$name.log" 2>&1 & echo $! >"$S/run/$name.pid"
}
kubectl() { KUBECONFIG=$S/admin.kubeconfig "$KUBENODE" kubectl "$@"; }
wait_for() { for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; echo "timed out: $*" >&2; exit 1; }

network() {
  ip netns add $NS
  ip link add repl0 type veth peer name eth0 netns $NS
  ip addr add $HOST_IP/30 dev repl0; ip link set repl0 up
  ip -n $NS addr add $NODE_IP/30 dev eth0; ip -n $NS link set eth0 up; ip -n $NS link set lo up
  ip -n $NS route add default via $HOST_IP
  inside sysctl -qw net.ipv4.ip_forward=1
  ip route add $POD_CIDR via $NODE_IP; ip route add $SERVICE_CIDR via $NODE_IP   # tests reach pods and services
}

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$S/pki/$1.key"; }
identity() { # NAME SUBJECT [SUBJECT_ALT_NAMES]: a certificate and a kubeconfig that uses it
  key "$1"
  openssl req -new -key "$S/pki/$1.key" -subj "$2" 2>/dev/null | openssl x509 -req -CA "$S/pki/ca.crt" \
    -CAkey "$S/pki/ca.key" -CAcreateserial -days 30 -out "$S/pki/$1.crt" \
    -extfile <(printf 'extendedKeyUsage=clientAuth,serverAuth\n%s' "${3:+subjectAltName=$3}") 2>/dev/null
  cat >"$S/$1.kubeconfig" <<K
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://$NODE_IP:6443", certificate-authority: $S/pki/ca.crt}}]
users: [{name: u, user: {client-certificate: $S/pki/$1.crt, client-key: $S/pki/$1.key}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
current-context: c
K
}

certificates() {
  key ca; openssl req -x509 -new -key "$S/pki/ca.key" -subj /CN=ca -days 30 -out "$S/pki/ca.crt"
  key sa; openssl ec -in "$S/pki/sa.key" -pubout -out "$S/pki/sa.pub" 2>/dev/null
  identity admin /O=system:masters/CN=admin
  identity apiserver /O=system:masters/CN=apiserver \
    "IP:$NODE_IP,IP:127.0.0.1,IP:${SERVICE_CIDR%.0/16}.1,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  identity kubelet /O=system:nodes/CN=system:node:node1 "IP:$NODE_IP"
  identity controllers /CN=system:kube-controller-manager
  identity scheduler /CN=system:kube-scheduler
  identity proxy /CN=system:kube-proxy
}

apiserver() {
  spawn apiserver "$KUBENODE" kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
    --bind-address=0.0.0.0 --advertise-address=$NODE_IP --service-cluster-ip-range=$SERVICE_CIDR \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement \
    --allow-privileged --client-ca-file="$S/pki/ca.crt" \
    --tls-cert-file="$S/pki/apiserver.crt" --tls-private-key-file="$S/pki/apiserver.key" \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$S/pki/sa.pub" --service-account-signing-key-file="$S/pki/sa.key" \
    --kubelet-preferred-address-types=InternalIP --kubelet-certificate-authority="$S/pki/ca.crt" \
    --kubelet-client-certificate="$S/pki/apiserver.crt" --kubelet-client-key="$S/pki/apiserver.key"
}

control_plane() {
  spawn etcd "$KUBENODE" etcd --name node1 --data-dir "$S/etcd" --unsafe-no-fsync --log-level error \
    --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
    --initial-cluster node1=http://127.0.0.1:2380
  apiserver
  wait_for kubectl get --raw=/readyz   # RBAC's own roles exist only now: controllers started earlier exit
  controllers; scheduler
}

controller() { # NAME PROGRAM ARGUMENT...: one that reads the API as NAME
  local name=$1 program=$2 auth=(--kubeconfig --authentication-kubeconfig --authorization-kubeconfig); shift 2
  spawn "$name" "$KUBENODE" "$program" "${auth[@]/%/=$S/$name.kubeconfig}" --leader-elect=false "$@"
}
controllers() {
  controller controllers kube-controller-manager --service-account-private-key-file="$S/pki/sa.key" \
    --root-ca-file="$S/pki/ca.crt" --use-service-account-credentials
}
scheduler() { controller scheduler kube-scheduler; }

runtime() {
  cat >"$S/cni/10-bridge.conflist" <<K
{"cniVersion": "1.0.0", "name": "bridge", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$POD_CIDR"}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "$S/ipam"}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
K
  cat >"$S/containerd.toml" <<K
version = 2
root = "$S/containerd/root"
state = "$S/containerd/state"
[grpc]
  address = "$S/run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$S/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
K
  spawn containerd containerd -c "$S/containerd.toml"
}

kubelet() {
  spawn kubelet "$KUBENODE" kubelet --config="$S/kubelet.yaml" --kubeconfig="$S/kubelet.kubeconfig" \
    --root-dir="$S/kubelet" --hostname-override=node1 --node-ip=$NODE_IP
}

node() {
  echo "nameserver 127.0.0.1" >"$S/resolv.conf"
  cat >"$S/kubelet.yaml" <<K
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_IP
authentication: {anonymous: {enabled: false}, x509: {clientCAFile: $S/pki/ca.crt}, webhook: {enabled: true}}
authorization: {mode: Webhook}
tlsCertFile: $S/pki/kubelet.crt
tlsPrivateKeyFile: $S/pki/kubelet.key
containerRuntimeEndpoint: unix://$S/run/containerd.sock
cgroupDriver: cgroupfs
resolvConf: $S/resolv.conf
clusterDNS: [$NODE_IP]
clusterDomain: cluster.local
podLogsDir: $S/log/pods
failSwapOn: false
oomScoreAdj: 0
maxPods: 500
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 200Mi, nodefs.available: 2%, imagefs.available: 2%}
serializeImagePulls: false
kubeAPIQPS: 200
kubeAPIBurst: 400
K
  cat >"$S/proxy.yaml" <<K
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $S/proxy.kubeconfig}
clusterCIDR: $POD_CIDR
mode: iptables
oomScoreAdj: 0
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
iptables: {minSyncPeriod: 100ms, syncPeriod: 30s}
K
  cat >"$S/Corefile" <<K
.:53 {
  bind $NODE_IP
  kubernetes cluster.local in-addr.arpa { kubeconfig $S/admin.kubeconfig
    ttl 5 }
  ready 127.0.0.1:8181
}
K
  kubelet; proxy
  if command -v "${COREDNS:-coredns}" >/dev/null; then dns; fi
}
netpol() { # enforces NetworkPolicies, and does nothing else; needs ipset
  spawn netpol "${KUBE_ROUTER:-kube-router}" --kubeconfig="$S/admin.kubeconfig" --hostname-override=node1 --enable-cni=false \
    --run-router=false --run-service-proxy=false --run-firewall=true --service-cluster-ip-range=$SERVICE_CIDR --health-port=0
}
dns() { spawn dns "${COREDNS:-coredns}" -conf "$S/Corefile"; }
proxy() { spawn proxy "$KUBENODE" kube-proxy --config="$S/proxy.yaml" --hostname-override=node1; }

case $verb in
up)
  for program in "$KUBENODE" containerd runc iptables openssl; do
    command -v "$program" >/dev/null || { echo "missing: $program" >&2; exit 1; }
  done
  # One at a time on a machine: what a killed session has left is ended, a living one is left alone.
  if [ -f "$OWNER" ]; then
    other=$(cat "$OWNER")
    if [ -f "$other/run/session.pid" ] && kill -0 "$(cat "$other/run/session.pid")" 2>/dev/null; then
      echo "another node runs: $other" >&2; exit 1
    fi
    "$0" down "$other"
  fi
  mkdir -p "$S"/{pki,log,run,etcd,cni,kubelet,containerd}
  mount -t tmpfs -o size=8g,mode=711 images "$S/containerd" # images are written twice: to disk that is half a minute a gigabyte
  echo "$S" >"$OWNER"; echo "${SESSION:-0}" >"$S/run/session.pid"
  network; certificates; runtime; control_plane; node
  wait_for bash -c "KUBECONFIG=$S/admin.kubeconfig $KUBENODE kubectl wait --for=condition=Ready node/node1 --timeout=1s"
  if command -v "${KUBE_ROUTER:-kube-router}" >/dev/null; then netpol; fi   # it exits when the node is not there yet
  wait_for kubectl -n default get serviceaccount default ;;
load)
  for archive in "$@"; do ctr -a "$S/run/containerd.sock" -n k8s.io images import "$archive"; done ;;
kill) kill -KILL "$(cat "$S/run/$1.pid")" ;;
start)
  "$1"
  if [ "$1" = apiserver ]; then wait_for kubectl get --raw=/readyz; fi ;;
down)
  if [ "$(cat "$OWNER" 2>/dev/null)" != "$S" ]; then exit 0; fi
  stop() { for n in "$@"; do [ -f "$S/run/$n.pid" ] && kill "$(cat "$S/run/$n.pid")" 2>/dev/null || true; done; }
  tasks() { timeout 5 ctr -a "$S/run/containerd.sock" -n k8s.io tasks "$@" 2>/dev/null || true; }
  stop controllers   # nothing comes back while the kubelet takes its pods down, with their networks and cgroups
  KUBENODE=/proc/$(cat "$S/run/apiserver.pid" 2>/dev/null || true)/exe   # its own, so that nothing is built only to end it
  timeout 30 "$KUBENODE" kubectl --kubeconfig "$S/admin.kubeconfig" delete pods -A --all --grace-period=1 >/dev/null 2>&1 || true
  stop kubelet proxy dns netpol scheduler apiserver; sleep 1
  for t in $(tasks ls -q); do tasks kill -s KILL "$t"; sleep 0.2; tasks rm -f "$t"; done
  stop containerd etcd; sleep 1
  awk -v s="$S/" 'index($2, s) == 1 {print $2}' /proc/mounts | sort -r | xargs -r umount -l
  ip netns del $NS 2>/dev/null || true; ip link del repl0 2>/dev/null || true
  for c in /sys/fs/cgroup/*/kubepods; do
    if [ -d "$c" ]; then find "$c" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
  done
  rm -rf "$S" "$OWNER" ;;
esac
