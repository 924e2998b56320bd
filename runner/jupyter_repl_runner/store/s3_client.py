"""Clients of S3 and STS; the only module that knows boto3, which it imports when the first one is made."""

import threading
from functools import cache
from typing import Any

from jupyter_repl_runner.contract.grant import Credentials, S3Settings

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 4, 10, 2
"""Short: the caller is a person who waits, or sync, which retries by itself."""
THREADS = 16
"""Requests of one store under way at once."""

_making = threading.Lock()


def make_client(service: str, settings: S3Settings, credentials: Credentials | None) -> Any:
    """A client of boto3 for "s3" or "sts". Blocks for half a second the first time, and for 50 ms where boto3 has to
    look for the keys."""
    from botocore.config import Config

    session = _session() if credentials is not None else _new_session(settings.profile)
    keys = {}
    if credentials is not None:
        keys = {
            "aws_access_key_id": credentials.access_key,
            "aws_secret_access_key": credentials.secret_key,
            "aws_session_token": credentials.token or None,
        }
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=THREADS,
        s3={"addressing_style": "path"} if settings.path_style else None,
        # Not every server of S3's kind knows the newer checksums; content is checked by its sha256.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with _making:  # a session may make one client at a time only
        return session.client(
            service,
            endpoint_url=settings.endpoint or None,
            region_name=settings.region or session.region_name or "us-east-1",
            verify=settings.ca_bundle or None,
            config=config,
            **keys,
        )


def warm_up() -> None:
    """Load what the first client of a process waits for. Blocks for half a second."""
    make_client("s3", S3Settings("none", region="us-east-1"), Credentials("none", "none")).close()


def find_credentials(settings: S3Settings) -> Credentials | None:
    """What boto3 finds in environment, profile, web identity or instance; None if nothing. Blocks."""
    found = _new_session(settings.profile).get_credentials()
    if found is None:
        return None
    keys = found.get_frozen_credentials()
    expires = getattr(found, "_expiry_time", None)
    return Credentials(keys.access_key, keys.secret_key, keys.token or "", expires.timestamp() if expires else 0.0)


@cache
def _session() -> Any:
    """For clients that are given their keys: it has read the descriptions of the services, which takes 50 ms, and
    knows no keys of its own."""
    return _new_session("")


def _new_session(profile: str) -> Any:
    import boto3

    return boto3.Session(profile_name=profile or None)
