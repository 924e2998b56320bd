"""Deletes a folder with all its content, at any depth and with any modes. All calls block."""

import os
import secrets
import sys
from contextlib import suppress
from itertools import count
from logging import getLogger

from .root import FOLDER

log = getLogger(__name__)


def remove_tree(path: str | os.PathLike[str], *, dir_fd: int | None = None) -> bool:
    """Delete a folder; returns True if all of it is gone. What can't be deleted stays, everything else is deleted, and
    the first error is logged.

    Does not recurse and uses no long paths: an inner folder is moved up to `path` before it is emptied. Every step uses
    descriptors, so a folder that a program replaces by a link is not followed.
    """
    _allow(path, dir_fd)
    try:
        top = os.open(path, FOLDER, dir_fd=dir_fd)
    except OSError as error:
        return _failed(path, error)
    try:
        _clear(top)
        os.rmdir(path, dir_fd=dir_fd)
    except OSError as error:
        return _failed(path, error)
    finally:
        os.close(top)
    return True


def _clear(top: int) -> None:
    """Empty the folder `top`. Raises the first error once everything else is gone."""
    errors: list[OSError] = []
    token, numbers = secrets.token_hex(8), count()
    todo = [""]  # the folder itself
    while todo:
        name = todo.pop()
        try:
            descriptor = os.open(name, FOLDER, dir_fd=top) if name else os.dup(top)
        except OSError as error:
            errors.append(error)
            continue
        try:
            for entry in list(os.scandir(descriptor)):
                try:
                    if not entry.is_dir(follow_symlinks=False):
                        os.unlink(entry.name, dir_fd=descriptor)
                        continue
                    _allow(entry.name, descriptor)
                    moved = f"{token}-{next(numbers)}" if name else entry.name
                    if name:
                        os.rename(entry.name, moved, src_dir_fd=descriptor, dst_dir_fd=top)
                    todo.append(moved)
                except OSError as error:
                    errors.append(error)
            if name:
                os.rmdir(name, dir_fd=top)
        except OSError as error:
            errors.append(error)
        finally:
            os.close(descriptor)
    if errors:
        raise errors[0]


def _allow(name: str | os.PathLike[str], folder: int | None) -> None:
    """Give the owner all permissions on a folder. Never follows a link."""
    if sys.platform != "linux":
        return
    with suppress(OSError):
        descriptor = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.chmod(f"/proc/self/fd/{descriptor}", 0o700)
        finally:
            os.close(descriptor)


def _failed(path: str | os.PathLike[str], error: OSError) -> bool:
    if isinstance(error, FileNotFoundError):
        return True
    log.warning("%s could not be deleted: %s", os.fspath(path), error.strerror)
    return False
