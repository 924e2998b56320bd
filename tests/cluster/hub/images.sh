#!/usr/bin/env bash
# The images of a hub's tests: the hub with its proxy and users' servers, and the product's shared service by its Dockerfile.
#
#   images.sh STATE_DIR WHEEL HUB.tar SERVICE.tar [JUPYTERHUB_VERSION]
#
# STATE_DIR is image.sh's, which has made the base before. Needs root and buildah.
set -euo pipefail
S=$(realpath -m "${1:?state directory}") WHEEL=$(realpath "${2:?wheel}")
HUB=$(realpath -m "${3:?archive}") SERVICE=$(realpath -m "${4:?archive}") VERSION=${5:-}
root=$(realpath "$(dirname "$0")/../../..")
uv=$(command -v uv)

B=(buildah --storage-driver overlay --root "$S/storage" --runroot "$S/run")
context=$(mktemp -d) conf=$(mktemp -d); trap 'rm -rf "$context" "$conf"' EXIT
mkdir -p "$context/requirements" "$context/.build/wheel" "$conf/bin" "$S/cache"
cp "$root/tests/cluster/hub/Containerfile" "$root/requirements/hub-test.txt" "$WHEEL" "$context"
cp "$root/requirements/hub.txt" "$context/requirements"; cp "$WHEEL" "$context/.build/wheel"
find "$context" -exec touch -d @0 {} +   # so that layers are found again
cp "$uv" "$conf/bin/uv"
# Where this machine gets packages from is mounted: an environment would stay in the image.
index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || true)}
{
  echo 'export PATH=/build/bin:$PATH UV_CACHE_DIR=/cache/uv UV_LINK_MODE=copy NPM_CONFIG_CACHE=/cache/npm'
  echo 'export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt'
  printf 'export NPM_CONFIG_REGISTRY=%q\n' "$(npm config get registry)"
  if [ -n "$index" ]; then printf 'export UV_DEFAULT_INDEX=%q\n' "$index"; fi
  if [ -n "${HTTPS_PROXY:-}" ]; then printf 'export HTTPS_PROXY=%q\n' "$HTTPS_PROXY"; fi
} >"$conf/env"
{
  echo "[global]"
  if [ -n "$index" ]; then echo "index-url = $index"; fi
  if [ -n "${PIP_CERT:-}" ]; then echo "cert = $PIP_CERT"; fi
} >"$conf/pip.conf"
shared=(-q --isolation chroot --network host -v /etc/ssl/certs:/etc/ssl/certs:ro -v "$conf/pip.conf:/etc/pip.conf:ro"
  -v "$conf:/build:ro" -v "$S/cache:/cache" --layers --build-arg BASE=localhost/repl-base:2)
if [ -n "${PIP_CERT:-}" ]; then shared+=(-v "$PIP_CERT:$PIP_CERT:ro"); fi

build() { # FILE NAME ARCHIVE ARGUMENT...
  local file=$1 name=$2 archive=$3; shift 3
  "${B[@]}" bud "${shared[@]}" "$@" -f "$file" -t "$name" "$context" >"$S/hub.log" 2>&1 || { tail -30 "$S/hub.log" >&2; exit 1; }
  rm -f "$archive"; "${B[@]}" push -q "$name" "docker-archive:$archive:$name"
}
build "$root/jupyter_repl_ext/hub/Dockerfile" localhost/jupyter-repl-hub:test "$SERVICE"
build "$context/Containerfile" localhost/repl-hub:test "$HUB" --build-arg "HUB=$VERSION"
