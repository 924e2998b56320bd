"""terminado's PTY, spawned with clean signals; the only module that knows terminado."""

import asyncio
import errno
import fcntl
import os
import signal
import struct
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from ptyprocess import PtyProcess
from terminado.management import PtyWithClients

from jupyter_repl_runner import processes
from jupyter_repl_runner.contract.errors import Unavailable

READ_BYTES = 1 << 12
_TIOCSIG = {"linux": 0x40045436, "darwin": 0x2000745F}.get(sys.platform, 0)


class Pty(PtyWithClients):
    """One program on a pseudo-terminal, in bytes. Reading and writing never block; closing is the caller's duty.

    terminado's own class decodes its output and can't reset signals in the child, so spawning is done here.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: str, size: tuple[int, int]) -> None:
        """`size` is (rows, columns). Raises Unavailable if the program or the folder is not there."""
        self.clients = []
        try:
            self.ptyproc = PtyProcess.spawn(
                list(argv), env=dict(env), cwd=cwd, dimensions=size, preexec_fn=_reset_signals
            )
        except (OSError, AttributeError) as error:
            raise Unavailable(
                f"{os.path.basename(argv[0])} could not be started: {error}", hint="Is it installed?"
            ) from error
        self.ptyproc.delayafterterminate = 0.05
        os.set_blocking(self.fd, False)
        self.size = size
        self._exit = -1

    @property
    def fd(self) -> int:
        return int(self.ptyproc.fd)

    @property
    def pid(self) -> int:
        return int(self.ptyproc.pid)

    def read(self) -> bytes | None:
        """Returns the bytes that are there now; None if there are none, empty bytes at the end."""
        try:
            return os.read(self.fd, READ_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno == errno.EIO:  # how Linux reports the end: no process holds the other side
                return b""
            raise

    def write(self, data: bytes | memoryview) -> int:
        """Returns how many bytes the PTY took: 0 while its buffer is full, all of them if the program has ended."""
        try:
            return os.write(self.fd, data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)

    def interrupt(self) -> None:
        """Type the terminal's own interrupt character, ahead of everything that waits to be written."""
        try:
            attributes = termios.tcgetattr(self.fd)
        except (termios.error, ValueError):
            return
        character, raises_signal = attributes[6][termios.VINTR], attributes[3] & termios.ISIG
        taken = self.write(character if isinstance(character, bytes) else b"\x03")
        if not taken and raises_signal and _TIOCSIG:
            # The program reads nothing, so the character would wait behind a full buffer: signal its group instead.
            with suppress(OSError):
                termios.tcflush(self.fd, termios.TCOFLUSH)
                fcntl.ioctl(self.fd, _TIOCSIG, int(signal.SIGINT))

    def resize(self, rows: int, columns: int) -> None:
        """Set the size. The program gets one SIGWINCH if the size changes, else none."""
        if (rows, columns) != self.size:
            self.size = (rows, columns)
            with suppress(OSError):
                fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def has_foreground_program(self) -> bool:
        """Returns True if a program other than the first one (the shell) is in the foreground."""
        with suppress(OSError):
            return os.tcgetpgrp(self.fd) != self.pid
        return False

    def folder(self) -> str | None:
        """The working directory of the foreground program, or of the first one if that can't be read, else None."""
        candidates = [self.pid]
        with suppress(OSError):
            candidates.insert(0, os.tcgetpgrp(self.fd))
        for pid in candidates:
            if found := processes.folder(pid):
                return found
        return None

    def when_ended(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
        """Call `call` once when the first program has ended, even if others still hold the terminal. It is never called
        on systems that don't report the end (macOS)."""
        if not hasattr(os, "pidfd_open"):
            return
        try:
            self._exit = os.pidfd_open(self.pid)
        except ProcessLookupError:  # it has ended already, and was reaped
            loop.call_soon(call)
            return
        except OSError:  # the system does not report the end, or has no descriptor left
            return

        def ended() -> None:
            self.forget_end(loop)
            call()

        loop.add_reader(self._exit, ended)

    def forget_end(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop waiting for the end. Idempotent."""
        descriptor, self._exit = self._exit, -1
        if descriptor >= 0:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def poll(self) -> int | None:
        """Reap the first program if it has ended. Returns its wait status, or None while it runs."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return 0
        if pid == 0:
            return None
        self.ptyproc.terminated = True  # reaped here: ptyprocess must not wait for a pid that may be reused
        return status

    def hang_up(self) -> None:
        """Close our side: the kernel sends SIGHUP to the foreground group. Idempotent."""
        if not self.ptyproc.closed:
            # Not ptyprocess's close(): it sleeps, and an exit would stall every terminal.
            self.ptyproc.closed = True
            with suppress(OSError):
                self.ptyproc.fileobj.close()


def _reset_signals() -> None:
    """A server that was started by `script &` ignores SIGINT. In a shell that inherits this, ^C does nothing."""
    for number in signal.valid_signals():
        with suppress(OSError, ValueError):  # SIGKILL, SIGSTOP, and what the C library keeps for itself
            signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
