#!/usr/bin/env bash
# The runner's real image, built by its Dockerfile on a Debian from debootstrap, without any registry of images.
#
#   image.sh STATE_DIR OUT.tar    the archive to load into a node; base and image are kept in STATE_DIR
#
# Needs root, debootstrap and buildah. Packages come from where this machine's pip and apt have them.
set -euo pipefail
S=$(realpath -m "${1:?state directory}") OUT=$(realpath -m "${2:?archive}")
cd "$(dirname "$0")/../.."

B=(buildah --storage-driver overlay --root "$S/storage" --runroot "$S/run")
mkdir -p "$S"
if ! "${B[@]}" inspect --type image localhost/repl-base:2 >/dev/null 2>&1; then
  rm -rf "$S/rootfs"
  mirror=$(sed -nE 's/^(deb|URIs:) *(\[[^]]*\] *)?([^ ]+).*/\3/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -1 || true)
  # The last four are for the tests of terminals: what draws on the whole screen.
  debootstrap --variant=minbase --include=python3,python3-venv,nodejs,git,ca-certificates,procps,htop,less,tmux,vim bookworm \
    "$S/rootfs" ${mirror:+"$mirror"} >"$S/debootstrap.log" 2>&1 || { tail -20 "$S/debootstrap.log" >&2; exit 1; }
  rm -rf "$S"/rootfs/var/cache/apt/archives/*.deb "$S"/rootfs/var/lib/apt/lists/* "$S"/rootfs/usr/share/{doc,man,locale}/*
  base=$("${B[@]}" from scratch)
  "${B[@]}" copy -q "$base" "$S/rootfs" / >/dev/null
  "${B[@]}" commit -q --rm "$base" localhost/repl-base:2 >/dev/null
  rm -rf "$S/rootfs"
fi

# What pip is set to here, and the certificates that it trusts, are for the build alone: a file that is mounted leaves
# nothing in the image, an environment would.
index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || true)}
{
  echo "[global]"
  if [ -n "$index" ]; then echo "index-url = $index"; fi
  if [ -n "${PIP_CERT:-}" ]; then echo "cert = $PIP_CERT"; fi
} >"$S/pip.conf"
pip=(-v "$S/pip.conf:/etc/pip.conf:ro")
if [ -n "${PIP_CERT:-}" ]; then pip+=(-v "$PIP_CERT:$PIP_CERT:ro"); fi
if [ -n "${HTTPS_PROXY:-}" ]; then pip+=(--build-arg "HTTPS_PROXY=$HTTPS_PROXY"); fi
"${B[@]}" bud -q --isolation chroot --network host -v /etc/ssl/certs:/etc/ssl/certs:ro "${pip[@]}" \
  --layers --build-arg BASE=localhost/repl-base:2 -f runner/Dockerfile -t localhost/jupyter-repl-runner:test . >"$S/build.log" 2>&1 ||
  { tail -30 "$S/build.log" >&2; exit 1; }
rm -f "$OUT"
"${B[@]}" push -q localhost/jupyter-repl-runner:test "docker-archive:$OUT:localhost/jupyter-repl-runner:test"
