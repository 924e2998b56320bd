"""Translates failures of S3, and of the network to it, into errors for people.

Matches error codes and class names as text, so that boto3 is not imported here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_repl_runner.contract.errors import Conflict, FileNotFound, NoPermissions, ReplError, Unavailable
from jupyter_repl_runner.contract.grant import S3Settings


class _Kind(Unavailable):
    """A kind of Unavailable that only callers of S3 distinguish; its code on the wire is Unavailable."""

    @property
    def code(self) -> str:
        return Unavailable.__name__


class Denied(_Kind):
    """The keys in use have no permission for the request."""


class Refused(_Kind):
    """S3 rejects the request for this object; requests for other objects may succeed."""


REFUSED = Denied, Refused
"""Errors that may concern a single object, so the caller can go on with the others."""


class Unreachable(_Kind):
    """S3 gave no verdict on the request: it was not reached, was busy, or failed internally."""


_BY_CODE: dict[str, tuple[type[ReplError], str, str]] = {
    "NoSuchKey": (FileNotFound, "There is no {key}.", "It may have been deleted."),
    "404": (FileNotFound, "There is no {key}.", "It may have been deleted."),
    "NotFound": (FileNotFound, "There is no {key}.", "It may have been deleted."),
    "PreconditionFailed": (Conflict, "{key} was changed meanwhile.", "Reload it, then try again."),
    "412": (Conflict, "{key} was changed meanwhile.", "Reload it, then try again."),
    "ConditionalRequestConflict": (Conflict, "{key} is just being changed.", "Try again."),
    "NoSuchBucket": (Unavailable, "There is no bucket {bucket}.", "Create it, or name another in store_url."),
    "InvalidAccessKeyId": (Unavailable, "S3 does not know the access key.", "Check AWS_ACCESS_KEY_ID, or the profile."),
    "SignatureDoesNotMatch": (Unavailable, "S3 refuses the secret key.", "Check AWS_SECRET_ACCESS_KEY."),
    "ExpiredToken": (Unavailable, "The keys for S3 have expired.", "Log in again, then retry."),
    "ExpiredTokenException": (Unavailable, "The keys for S3 have expired.", "Log in again, then retry."),
    "InvalidToken": (Unavailable, "S3 refuses the session's token.", "Check AWS_SESSION_TOKEN."),
    "InvalidTokenId": (Unavailable, "S3 refuses the session's token.", "Check AWS_SESSION_TOKEN."),
    "AccessDenied": (Denied, "S3 does not allow this with these keys.", "They must read, write and list {bucket}."),
    "403": (Denied, "S3 does not allow this with these keys.", "They must read, write and list {bucket}."),
    "InvalidObjectState": (NoPermissions, "{key} is in an archive storage class.", "Restore it in S3 first."),
    "RequestTimeTooSkewed": (Unavailable, "This machine's clock and S3's differ too much.", "Set the clock."),
    "InternalError": (Unreachable, "S3 reports an internal error.", "Try again in a moment."),
    **dict.fromkeys(
        (
            *("SlowDown", "ServiceUnavailable", "Throttling", "ThrottlingException", "ThrottledException"),
            *("RequestLimitExceeded", "RequestThrottled", "TooManyRequestsException", "RequestTimeout"),
            *("429", "500", "502", "503", "504"),
        ),
        (Unreachable, "S3 is busy.", "Try again in a moment."),
    ),
    "XMinioStorageFull": (Unavailable, "The disk of S3 is full.", "Make room there."),
    "QuotaExceeded": (Unavailable, "The bucket's quota is used up.", "Make room there."),
}
_OF_THE_WAY = frozenset({"401", "407", "408", "425", "429"})
"""HTTP statuses that come from authentication, a proxy, a timeout or throttling, and say nothing about the object."""
_BY_TYPE: dict[str, tuple[str, str]] = {
    "NoCredentialsError": (
        "There are no keys for S3.",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile.",
    ),
    "PartialCredentialsError": ("A part of the keys for S3 is missing.", "Set both, id and secret."),
    "ProfileNotFound": ("The AWS profile does not exist.", "Check ~/.aws/config."),
    "SSLError": ("The certificate of S3 is not trusted.", "Set s3_ca_bundle to the certificate of its CA."),
    "EndpointConnectionError": ("S3 can't be reached at {endpoint}.", "Check that it runs, and check the network."),
    "ConnectTimeoutError": ("S3 does not answer at {endpoint}.", "Check the network."),
    "ReadTimeoutError": ("S3 does not answer.", "Try again in a moment."),
    "ConnectionClosedError": ("S3 closed the connection.", "Try again in a moment."),
    "ResponseStreamingError": ("The answer of S3 was cut off.", "Try again in a moment."),
    "IncompleteReadError": ("The answer of S3 was cut off.", "Try again in a moment."),
    "ProtocolError": ("The answer of S3 was cut off.", "Try again in a moment."),
    "IncompleteRead": ("The answer of S3 was cut off.", "Try again in a moment."),
    "ModuleNotFoundError": ("The packages for S3 are not installed.", 'pip install "jupyter-repl-ext[s3]"'),
}


@contextmanager
def map_s3_errors(settings: S3Settings, key: str) -> Iterator[None]:
    """Turn an error of boto3 in the block into a ReplError about `key`."""
    try:
        yield
    except ReplError:
        raise
    except Exception as error:
        raise _translate(error, settings, key) from error


def _translate(error: Exception, settings: S3Settings, key: str) -> ReplError:
    words = {"key": key or "the object", "bucket": settings.bucket, "endpoint": settings.endpoint or "AWS"}
    answer: Any = getattr(error, "response", None)
    if isinstance(answer, dict):
        said = answer.get("Error", answer)
        code = str(said.get("Code", ""))
        status = str(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        kind, message, hint = _BY_CODE.get(code) or _BY_CODE.get(status) or _unknown(said, status)
        return kind(message.format(**words), hint.format(**words))
    for base in type(error).__mro__:
        if base.__name__ in _BY_TYPE:
            message, hint = _BY_TYPE[base.__name__]
            return Unreachable(message.format(**words), hint.format(**words))
    return Unavailable(f"S3: {error}", hint="Try again in a moment.")


def _unknown(said: Any, status: str) -> tuple[type[ReplError], str, str]:
    words = str(said.get("Message") or said.get("Code")).replace("{", "{{").replace("}", "}}")
    is_refused = status.startswith("4") and status not in _OF_THE_WAY
    return Refused if is_refused else Unavailable, f"S3 says: {words}", "Try again in a moment."
