"""Issues credentials for a single project, from a server that has STS. They can read, write and list the project's
files and its meta folder, read its generation, and do nothing else."""

import json
import threading
from typing import Any

from jupyter_repl_runner.contract.errors import InvalidRequest, Unavailable
from jupyter_repl_runner.contract.grant import Credentials, S3Settings
from jupyter_repl_runner.contract.refs import ProjectRef

from .keys import encode
from .s3_client import make_client
from .s3_errors import map_s3_errors

LIFETIME_SECONDS = 3600
ROLE_SESSION_LENGTH, FEDERATED_LENGTH = 64, 32
"""How many characters the name of a session may have. The bucket's logs show it."""
POLICY_LENGTH = 2048
"""How many characters the policy of a session may have on AWS."""
_ANY_ROLE = "arn:aws:iam::000000000000:role/jupyter-repl"
"""Servers other than AWS require a role, and ignore which one."""


class NoSts(Unavailable):
    """The server answered that it does not support STS."""

    def __init__(self) -> None:
        super().__init__("S3 has no STS.", hint="Use AWS, or a server that supports STS.")


class Sts:
    """`role`: the ARN of the role to assume. Without one, on AWS, GetFederationToken limits the server's own keys to
    the project. AWS allows that for the keys of an IAM user, not for those of a role."""

    def __init__(self, settings: S3Settings, role: str) -> None:
        self._settings = settings
        self._role = role
        self._making = threading.Lock()
        self._made: Any = None

    def mint(self, ref: ProjectRef) -> Credentials:
        """Returns credentials that `policy` limits to the project. Blocks. Raises NoSts, InvalidRequest if the bucket's
        prefix is too long for a policy, and what `map_s3_errors` raises."""
        name, limits = f"{ref.owner or 'repl'}.{ref.repl_id}", policy_text(self._settings, ref)
        asked = {"DurationSeconds": LIFETIME_SECONDS, "Policy": limits}
        with map_s3_errors(self._settings, ""):
            try:
                if self._settings.endpoint or self._role:
                    role = self._role or _ANY_ROLE
                    answer = self._client().assume_role(
                        RoleArn=role, RoleSessionName=name[:ROLE_SESSION_LENGTH], **asked
                    )
                else:
                    answer = self._client().get_federation_token(Name=name[:FEDERATED_LENGTH], **asked)
            except Exception as error:
                self._made = None  # the next client reads the server's own keys again
                if _says_no_sts(error):
                    raise NoSts from error
                raise
        keys = answer["Credentials"]
        return Credentials(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], keys["Expiration"].timestamp()
        )

    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = make_client("sts", self._settings, None)
            return self._made


def _says_no_sts(error: Exception) -> bool:
    """Returns True if the answer means that the server does not support STS. Any other failure leaves that open."""
    answer: Any = getattr(error, "response", None)
    if not isinstance(answer, dict):
        return False
    said = answer.get("Error", answer)  # some answer in S3's format, which boto3 does not expect from STS
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    # rclone: 'incorrect service. This endpoint belongs to "s3"'
    return status in (404, 405, 501) or "incorrect service" in str(said.get("Message"))


def policy_text(settings: S3Settings, ref: ProjectRef) -> str:
    """Returns the policy as JSON. Raises InvalidRequest if it is too long for AWS: with the longest owner and id there
    is room for a prefix of 100 characters."""
    text = json.dumps(policy(settings, ref), separators=(",", ":"))
    if len(text) > POLICY_LENGTH:
        raise InvalidRequest(
            f"The prefix of store_url is too long: keys for {ref} would need a policy of {len(text)} characters.",
            hint=f"S3 takes {POLICY_LENGTH}. Choose a prefix of at most 100 characters.",
        )
    return text


def policy(settings: S3Settings, ref: ProjectRef) -> dict[str, Any]:
    """Returns the IAM policy that limits credentials to the project."""
    bucket = f"arn:aws:s3:::{settings.bucket}"
    folders = [encode(settings.prefix, prefix) for prefix in (ref.code(), ref.meta_folder)]
    generation = encode(settings.prefix, ref.generation)
    objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    listing = {"StringLike": {"s3:prefix": [f"{folder}*" for folder in folders]}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": objects, "Resource": [f"{bucket}/{folder}*" for folder in folders]},
            {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"{bucket}/{generation}"]},
            {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [bucket], "Condition": listing},
        ],
    }
