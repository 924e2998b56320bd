"""The settings of projects in S3, as traits of the extension. Keys are never settings: boto3 finds them."""

from typing import Any

from traitlets import Bool, Enum, HasTraits, Integer, Unicode


class S3Traits(HasTraits):
    """A part of ReplExtension."""

    s3_endpoint = Unicode(
        config=True,
        help="""The address of a server of S3's kind that is not AWS, as https://minio.example.org:9000. Empty (the
        default): AWS. Also by the environment as S3_ENDPOINT, or as boto3's AWS_ENDPOINT_URL_S3.""",
    )
    s3_region = Unicode(
        config=True,
        help="""The bucket's region. Empty (the default): what the profile says, else us-east-1, which servers other
        than AWS take. Also by the environment as AWS_REGION.""",
    )
    s3_profile = Unicode(
        config=True,
        help="""The profile of ~/.aws whose keys are used. Empty (the default): the usual order, which is environment,
        default profile, web identity, the machine's role. Also by the environment as AWS_PROFILE.""",
    )
    s3_ca_bundle = Unicode(
        config=True,
        help="""The file of certificate authorities to trust, for a server with a certificate of one's own. Empty (the
        default): the usual ones. Also by the environment as AWS_CA_BUNDLE.""",
    )
    s3_path_style = Bool(
        None,
        allow_none=True,
        config=True,
        help="""Whether the bucket's name goes into the path of an address rather than into its host. None (the
        default): with an s3_endpoint, since few such servers have a host for each bucket.""",
    )
    s3_role_arn = Unicode(
        config=True,
        help="""The role of AWS that runners take on, each limited to its project. Empty (the default): the keys of a
        user of IAM are limited to the project themselves (sts:GetFederationToken); a machine's role can't be: see
        s3_runner_keys. Another server that has STS needs no role.""",
    )
    s3_runner_keys = Enum(
        ("scoped", "server"),
        "scoped",
        config=True,
        help="""Which keys pods get. `scoped` (the default): those of their project alone; where S3 gives none, a start
        is refused. `server`: where S3 gives none, the keys of the Jupyter server, which open all that it can open; a
        program that breaks out of its container has them then. REPLs of the spawner `local` run as the server's own
        user, and get the server's keys where there are no others.""",
    )
    s3_single_server = Bool(
        False,
        config=True,
        help="""Set it for a server of S3's kind that ignores conditions, if this machine's Jupyter servers are the only
        ones that use the bucket and prefix: a lock file then stands in for them. Otherwise such a store is refused.""",
    )
    s3_max_file_mb = Integer(
        512,
        min=1,
        max=5000,
        config=True,
        help="""Files over so many MB are not saved in S3; the tab names them. The default keeps a dataset that was
        downloaded by mistake from going back and forth. There is no way to save files of any size: 5000 is S3's own
        limit.""",
    )

    def s3_settings(self) -> dict[str, Any]:
        """The fields of S3Settings beside bucket and prefix."""
        path_style = bool(self.s3_endpoint) if self.s3_path_style is None else self.s3_path_style
        return {
            "endpoint": self.s3_endpoint,
            "region": self.s3_region,
            "profile": self.s3_profile,
            "ca_bundle": self.s3_ca_bundle,
            "path_style": path_style,
            "single_server": self.s3_single_server,
        }
