"""The command line of the runner: one program, a verb for each process. Each verb imports only what it needs."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

DISTRIBUTIONS = ("jupyter-repl-ext", "jupyter-repl-runner")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and return its exit code."""
    options = _parser().parse_args(arguments)
    return int(options.verb(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("jupyter-repl-runner", description="The process beside a REPL's files.")
    verbs = parser.add_subparsers(required=True)

    serve = verbs.add_parser("serve", help="serve files, terminals and runs of one project")
    _where(serve)
    serve.add_argument("--ready", type=int, default=-1, help="a descriptor to write to when listening")
    serve.add_argument("--guarded", action="store_true", help="end when standard input ends")
    serve.set_defaults(verb=_serve)

    sync = verbs.add_parser("sync", help="restore a project from S3, then carry every change back")
    _where(sync)
    sync.add_argument("--grants", type=int, default=-1, help="a socket on which the server answers requests for grants")
    sync.add_argument("--ready", type=int, default=-1, help="a descriptor to write to when the main file is there")
    sync.add_argument("--guarded", action="store_true", help="end when standard input ends")
    sync.set_defaults(verb=_sync)

    guard = verbs.add_parser("guard", help="start `serve` and `sync`; end the REPL when the runner or the server ends")
    guard.add_argument("--directory", required=True, help="the REPL's private directory")
    guard.add_argument("--lock", type=int, required=True, help="the locked directory's descriptor")
    guard.add_argument("--control", type=int, required=True, help="a pipe that closes when the server ends")
    guard.add_argument("--ready", type=int, required=True, help="passed on to `serve`")
    guard.add_argument("--grants", type=int, default=-1, help="passed on to `sync`; without it, no `sync` is started")
    guard.set_defaults(verb=_guard)

    verbs.add_parser("version", help="print the version").set_defaults(verb=_version)
    return parser


def _where(verb: argparse.ArgumentParser) -> None:
    where = verb.add_mutually_exclusive_group(required=True)
    where.add_argument("--directory", help="the REPL's private directory")
    where.add_argument("--pod", action="store_true", help="in a pod: wait for an assignment")


def _serve(options: argparse.Namespace) -> int:
    if options.pod:
        from jupyter_repl_runner.guard.init import with_init

        return with_init(_serve_pod)
    from pathlib import Path

    from jupyter_repl_runner.serve.app import ServeOptions, serve

    return serve(ServeOptions(Path(options.directory), options.ready, options.guarded))


def _serve_pod() -> int:
    from jupyter_repl_runner.contract.pod import RUNNER_PORT

    with _listening(RUNNER_PORT) as listener:
        from jupyter_repl_runner.serve.pod import serve_pod

        return serve_pod(listener)


def _sync(options: argparse.Namespace) -> int:
    if options.pod:
        from jupyter_repl_runner.contract.pod import SYNC_PORT

        listener = None
        with suppress(OSError):  # a program of the person holds the port: saving goes on without it
            listener = _listening(SYNC_PORT)
        from jupyter_repl_runner.sync.pod import sync_pod

        return sync_pod(listener, lambda: _listening(SYNC_PORT))
    from pathlib import Path

    from jupyter_repl_runner.sync.app import SyncOptions, sync

    return sync(SyncOptions(Path(options.directory), options.grants, options.ready, options.guarded))


def _listening(port: int) -> "socket.socket":
    """Open the port before the slow imports: a client that connects meanwhile waits, and need not retry."""
    import socket

    is_dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if is_dual else socket.AF_INET
    listener = socket.create_server(("", port), family=family, backlog=128, dualstack_ipv6=is_dual)
    listener.setblocking(False)
    return listener


def _guard(options: argparse.Namespace) -> int:
    from jupyter_repl_runner.guard.guard import guard

    return guard(options.directory, options.lock, options.control, options.ready, options.grants)


def _version(_: argparse.Namespace) -> int:
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in DISTRIBUTIONS:
        try:
            found.append(version(name))
        except PackageNotFoundError:
            continue
    if len(found) == 2:
        print(f"Both {' and '.join(DISTRIBUTIONS)} are installed: uninstall one.", file=sys.stderr)
        return 1
    print(found[0] if found else "unknown")
    return 0
