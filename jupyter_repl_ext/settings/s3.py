"""The settings of projects in S3, as traits of the extension. Keys are never settings: boto3 finds them."""

from typing import Any

from traitlets import Bool, Enum, HasTraits, Integer, Unicode


class S3Traits(HasTraits):
    """A part of ReplExtension."""

    s3_endpoint = Unicode(
        config=True,
        help="""The address of an S3-compatible server other than AWS, such as https://minio.example.org:9000. Empty
        (the default): AWS. Environment variables: S3_ENDPOINT, or boto3's AWS_ENDPOINT_URL_S3.""",
    )
    s3_region = Unicode(
        config=True,
        help="""The bucket's region. Empty (the default): the profile's region, else us-east-1, which servers other than
        AWS accept. Environment variable: AWS_REGION.""",
    )
    s3_profile = Unicode(
        config=True,
        help="""The profile of ~/.aws whose keys are used. Empty (the default): the usual order, which is environment,
        default profile, web identity, the machine's role. Environment variable: AWS_PROFILE.""",
    )
    s3_ca_bundle = Unicode(
        config=True,
        help="""The file of certificate authorities to trust, for a server whose certificate is signed by your own
        authority. Empty (the default): the usual ones. Environment variable: AWS_CA_BUNDLE.""",
    )
    s3_path_style = Bool(
        None,
        allow_none=True,
        config=True,
        help="""True: an address has the bucket's name in its path. False: in its host name. None (the default): True if
        s3_endpoint is set, because few such servers have a host for each bucket.""",
    )
    s3_role_arn = Unicode(
        config=True,
        help="""The AWS role to assume for the keys of a REPL; they are limited to its project. Empty (the default): the
        Jupyter server's own keys are limited to the project (sts:GetFederationToken). AWS allows that for the keys of
        an IAM user, but not for those of a machine's role: see s3_runner_keys. Other servers with STS need no role.""",
    )
    s3_runner_keys = Enum(
        ("scoped", "server"),
        "scoped",
        config=True,
        help="""The keys for S3 that pods get. `scoped` (the default): keys for their project alone; if S3 issues none,
        a start is refused. `server`: if S3 issues none, the keys of the Jupyter server, which give access to everything
        that the server can access; a program that breaks out of its container then has them. REPLs of the spawner
        `local` run as the server's own user, and get the server's keys if S3 issues no others.""",
    )
    s3_single_server = Bool(
        False,
        config=True,
        help="""Set it for an S3-compatible server that ignores conditions on requests, if only Jupyter servers on this
        machine use the bucket and prefix: a lock file then replaces the conditions. Without this setting, such a store
        is refused.""",
    )
    s3_max_file_mb = Integer(
        512,
        min=1,
        max=5000,
        config=True,
        help="""The size in MB above which files are not saved in S3; the tab names these files. The default prevents
        transfers of a dataset that was downloaded by mistake. The limit can't be switched off: 5000 is S3's own
        limit.""",
    )

    def s3_settings(self) -> dict[str, Any]:
        """Returns the fields of S3Settings other than bucket and prefix."""
        path_style = bool(self.s3_endpoint) if self.s3_path_style is None else self.s3_path_style
        return {
            "endpoint": self.s3_endpoint,
            "region": self.s3_region,
            "profile": self.s3_profile,
            "ca_bundle": self.s3_ca_bundle,
            "path_style": path_style,
            "single_server": self.s3_single_server,
        }
