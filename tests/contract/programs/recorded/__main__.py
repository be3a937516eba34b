"""A program with a bit of everything that a recording has to show."""

import pulumi
import pulumi_aws as aws
from helper_of_recorded import RUNS  # type: ignore[import-not-found]  # only the program's own path has it

RUNS.append(1)
config = pulumi.Config()
aws_config = pulumi.Config("aws")


class Storage(pulumi.ComponentResource):
    """A component with options that its children inherit."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        super().__init__("recorded:index:Storage", name, None, opts)
        self.table = aws.dynamodb.Table(
            "facts",
            name="facts",
            hash_key="id",
            attributes=[aws.dynamodb.TableAttributeArgs(name="id", type="S")],
            stream_enabled=True,
            stream_view_type="NEW_IMAGE",
            read_capacity=3,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["read_capacity", "tags"]),
        )
        self.register_outputs({"table": self.table.name})


storage = Storage("storage", pulumi.ResourceOptions(protect=True, retain_on_delete=True))
queue = aws.sqs.Queue("activities", visibility_timeout_seconds=60)
caller = aws.get_caller_identity()
policy = pulumi.Output.json_dumps({"Resource": queue.arn, "Condition": storage.table.arn})
role = aws.iam.Role(
    "aggregate",
    name="aggregate",
    assume_role_policy=policy,
    opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="former")], delete_before_replace=True),
)
function = aws.lambda_.Function(
    "aggregate",
    name="aggregate",
    role=role.arn,
    handler="code.handler",
    runtime="python3.13",
    code=pulumi.AssetArchive({"code.py": pulumi.StringAsset("def handler(event, context): return 1\n")}),
    environment=aws.lambda_.FunctionEnvironmentArgs(
        variables={"QUEUE_URL": queue.url, "TOKEN": config.require_secret("token")}
    ),
    opts=pulumi.ResourceOptions(depends_on=[storage]),
)
url = aws.lambda_.FunctionUrl(
    "aggregate",
    function_name=function.name,
    authorization_type="NONE",
    opts=pulumi.ResourceOptions(replace_on_changes=["cors"]),
)
bucket = aws.s3.Bucket("never-local")
found = aws.sqs.Queue.get("found", "https://sqs.us-east-1.amazonaws.com/123456789012/found")

pulumi.export("account", caller.account_id)
pulumi.export("region", aws_config.get("region"))
pulumi.export("runs", len(RUNS))
pulumi.export("stream", storage.table.stream_arn)
pulumi.export("url", pulumi.Output.concat(url.function_url, "activities"))
pulumi.export("found", found.arn)
pulumi.export("absent", None)
pulumi.export("nested", {"absent": None, "token": config.require_secret("token")})
