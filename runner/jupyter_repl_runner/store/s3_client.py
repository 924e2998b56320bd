"""Makes clients of S3 and STS. The only module that uses boto3; it imports boto3 when it makes the first client."""

import threading
from functools import cache
from typing import Any

from jupyter_repl_runner.contract.grant import Credentials, S3Settings

CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 4, 10, 2
"""Short: the caller is a person who waits, or sync, which retries by itself."""
THREADS = 16
"""How many requests of one store may run at once."""

_making = threading.Lock()


def make_client(service: str, settings: S3Settings, credentials: Credentials | None) -> Any:
    """Returns a boto3 client for "s3" or "sts". Blocks for half a second the first time, and for 50 ms if boto3 has to
    find the keys itself."""
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
        # Not every S3-compatible server supports the newer checksums. Content is verified by its sha256 instead.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with _making:  # making clients from one session is not thread-safe
        return session.client(
            service,
            endpoint_url=settings.endpoint or None,
            region_name=settings.region or session.region_name or "us-east-1",
            verify=settings.ca_bundle or None,
            config=config,
            **keys,
        )


def warm_up() -> None:
    """Load boto3 and its data now, so that the first real client is made quickly. Blocks for half a second."""
    make_client("s3", S3Settings("none", region="us-east-1"), Credentials("none", "none")).close()


def find_credentials(settings: S3Settings) -> Credentials | None:
    """Returns the keys that boto3 finds in environment, profile, web identity or instance metadata, or None. Blocks."""
    found = _new_session(settings.profile).get_credentials()
    if found is None:
        return None
    keys = found.get_frozen_credentials()
    expires = getattr(found, "_expiry_time", None)
    return Credentials(keys.access_key, keys.secret_key, keys.token or "", expires.timestamp() if expires else 0.0)


@cache
def _session() -> Any:
    """The session of all clients that get their keys from the caller. It has no keys itself. It caches the descriptions
    of the services, which take 50 ms to read."""
    return _new_session("")


def _new_session(profile: str) -> Any:
    import boto3

    return boto3.Session(profile_name=profile or None)
