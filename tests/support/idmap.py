"""Mounts a folder of another user so that this user owns what root creates in it, as if this process were in the pod.

Root may do anything in a pod's volume, but root owns what it creates there, and the pod's user can't read that with
mode 600. An idmapped mount (Linux 5.12) swaps the two users; `mount` of Debian 12 can't make one yet.
"""

import ctypes
import os
import subprocess
from pathlib import Path

_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_CLONE, _CLOEXEC, _EMPTY_PATH, _FROM_EMPTY_PATH, _IDMAP = 1, os.O_CLOEXEC, 0x1000, 0x4, 0x100000
_HERE = -100

_libc = ctypes.CDLL(None, use_errno=True)


class _Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def mount(source: Path, target: Path, uid: int) -> None:
    """Needs root. Raises OSError."""
    target.mkdir(parents=True, exist_ok=True)
    tree = _call(_OPEN_TREE, _HERE, os.fsencode(source), _CLONE | _CLOEXEC)
    users = _user_namespace(uid)
    try:
        attributes = _Attributes(_IDMAP, 0, 0, users)
        _call(_MOUNT_SETATTR, tree, b"", _EMPTY_PATH, ctypes.byref(attributes), ctypes.sizeof(attributes))
        _call(_MOVE_MOUNT, tree, b"", _HERE, os.fsencode(target), _FROM_EMPTY_PATH)
    finally:
        os.close(users)
        os.close(tree)


def unmount(target: Path) -> None:
    subprocess.run(["umount", "--lazy", str(target)], check=True, timeout=20)


def _user_namespace(uid: int) -> int:
    """Returns a descriptor of a user namespace in which root and the user have swapped their numbers."""
    command = ["unshare", "--user", "sh", "-c", "echo; exec sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()  # now it is in its namespace
        for kind in ("uid", "gid"):
            Path(f"/proc/{holder.pid}/{kind}_map").write_text(f"0 {uid} 1\n{uid} 0 1\n")
        found = os.open(f"/proc/{holder.pid}/ns/user", os.O_RDONLY)
        holder.kill()
    return found


def _call(number: int, *arguments: object) -> int:
    done = int(_libc.syscall(number, *arguments))
    if done < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done
