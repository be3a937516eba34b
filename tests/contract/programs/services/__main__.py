"""Every resource type that the local deployer knows, in parts; `variant` is `before` or `after` a change."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

config = pulumi.Config()
after = config.require("variant") == "after"
prefix = f"{pulumi.get_stack()}-{config.require('part')}"
CODE = Path(__file__).with_name("code_of_services.py")
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
TAGS = {"part": "x", "stage": "late"} if after else {"part": "x", "early": "yes"}
FOREIGN_LAYER = "arn:aws:lambda:us-east-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:7"


def role() -> aws.iam.Role:
    """Make a role that everything may use."""
    return aws.iam.Role("role", name=f"{prefix}-role", assume_role_policy=TRUST, tags=TAGS)


def function(**more: Any) -> aws.lambda_.Function:
    """Make the function; its code says another word in the other variant."""
    word = "changed" if after else "first"
    code = pulumi.AssetArchive({"code_of_services.py": pulumi.FileAsset(str(CODE))})
    if after:
        code = pulumi.AssetArchive(
            {"code_of_services.py": pulumi.StringAsset(CODE.read_text().replace("WORD", "OTHER_WORD"))}
        )
    return aws.lambda_.Function(
        "function",
        name=f"{prefix}-function",
        role=role().arn,
        runtime="python3.13",
        handler="code_of_services.handler",
        code=code,
        timeout=6 if after else 5,
        environment={"variables": {"OTHER_WORD" if after else "WORD": word}},
        tags=TAGS,
        **more,
    )


def tables() -> None:
    """Tables, with everything that changes in place."""
    names = ["id", "team", "points"] if after else ["id", "team"]
    keys: list[Any] = [{"attribute_name": "team", "key_type": "HASH"}]
    indexes: list[Any] = [{"name": "by_team", "key_schemas": keys, "projection_type": "KEYS_ONLY"}]
    if after:
        points = [{"attribute_name": "points", "key_type": "HASH"}]
        indexes = [{"name": "by_points", "key_schemas": points, "projection_type": "ALL"}, indexes[0]]
    aws.dynamodb.Table(
        "table",
        name=f"{prefix}-table",
        billing_mode="PAY_PER_REQUEST",
        hash_key="id",
        attributes=[{"name": name, "type": "S"} for name in names],
        global_secondary_indexes=indexes,
        stream_enabled=after,
        stream_view_type="NEW_IMAGE" if after else None,
        ttl={"attribute_name": "expires_at", "enabled": True} if after else None,
        point_in_time_recovery={"enabled": after},
        server_side_encryption={"enabled": True},
        deletion_protection_enabled=False,
        tags=TAGS,
    )
    table_class = "STANDARD_INFREQUENT_ACCESS" if after else "STANDARD"
    provisioned = aws.dynamodb.Table(
        "keys",
        name=f"{prefix}-keys",
        hash_key="b" if after else "a",
        range_key="c",
        attributes=[{"name": name, "type": "S"} for name in ("b" if after else "a", "c", "d")],
        local_secondary_indexes=[{"name": "local", "range_key": "d", "projection_type": "ALL"}],
        read_capacity=1,
        write_capacity=2 if after else 1,
        table_class=table_class,
    )
    pulumi.export("arn", provisioned.arn)


def queues() -> None:
    """Queues with a dead-letter queue, policies, and a topic that is heard."""
    dead = aws.sqs.Queue("dead", name=f"{prefix}-dead", message_retention_seconds=1_209_600)
    redrive = pulumi.Output.json_dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 5 + after})
    queue = aws.sqs.Queue(
        "queue",
        name=f"{prefix}-queue",
        visibility_timeout_seconds=None if after else 60,
        delay_seconds=1 if after else 0,
        redrive_policy=redrive,
        sqs_managed_sse_enabled=True,
        tags=TAGS,
    )
    aws.sqs.QueuePolicy("queue", queue_url=queue.url, policy=json.dumps({**ALLOW, "Id": f"{after}"}))
    aws.sqs.RedriveAllowPolicy(
        "dead",
        queue_url=dead.url,
        redrive_allow_policy=pulumi.Output.json_dumps(
            {"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}
        ),
    )
    topic = aws.sns.Topic("topic", name=f"{prefix}-topic", display_name=f"{after}", tags=TAGS)
    aws.sns.TopicSubscription(
        "topic", topic=topic.arn, protocol="sqs", endpoint=queue.arn, raw_message_delivery=after
    )
    pulumi.export("queue", queue.url)
    pulumi.export("topic", topic.arn)


def functions() -> None:
    """A function with all that calls it."""
    made = function(
        layers=[FOREIGN_LAYER],
        reserved_concurrent_executions=-1 if after else 3,
        logging_config={"log_format": "JSON", "application_log_level": "WARN" if after else "INFO"},
    )
    aws.iam.RolePolicy(
        "policy", name="inline", role=f"{prefix}-role", policy=json.dumps(ALLOW), opts=depends(made)
    )
    aws.iam.RolePolicyAttachment(
        "managed",
        role=f"{prefix}-role",
        policy_arn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        opts=depends(made),
    )
    aws.cloudwatch.LogGroup(
        "logs", name=f"/aws/lambda/{prefix}-function", retention_in_days=30 if after else 7, tags=TAGS
    )
    url = aws.lambda_.FunctionUrl(
        "url",
        function_name=made.name,
        authorization_type="NONE",
        cors={"allow_origins": ["https://a.example"]} if after else None,
    )
    aws.lambda_.Permission(
        "url",
        statement_id="url",
        function=made.name,
        action="lambda:InvokeFunctionUrl",
        principal="*",
        function_url_auth_type="NONE",
    )
    aws.lambda_.FunctionEventInvokeConfig(
        "retries", function_name=made.name, maximum_retry_attempts=1 if after else 0
    )
    queue = aws.sqs.Queue("source", name=f"{prefix}-source")
    mapping = aws.lambda_.EventSourceMapping(
        "mapping",
        event_source_arn=queue.arn,
        function_name=made.name,
        batch_size=5 if after else 10,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config={"maximum_concurrency": 4 if after else 2},
        filter_criteria=None if after else {"filters": [{"pattern": json.dumps({"body": {"a": [1]}})}]},
    )
    pulumi.export("url", url.function_url)
    pulumi.export("mapping", mapping.uuid)


def events() -> None:
    """A pipe from a table to a queue, a schedule, alarms and a dashboard."""
    table = aws.dynamodb.Table(
        "source",
        name=f"{prefix}-source",
        billing_mode="PAY_PER_REQUEST",
        hash_key="id",
        attributes=[{"name": "id", "type": "S"}],
        stream_enabled=True,
        stream_view_type="NEW_IMAGE",
    )
    queue = aws.sqs.Queue("target", name=f"{prefix}-target")
    access = role()
    template = "<$.dynamodb.NewImage.id.S>"
    aws.pipes.Pipe(
        "pipe",
        name=f"{prefix}-pipe",
        role_arn=access.arn,
        source=table.stream_arn,
        target=queue.arn,
        description=f"{after}",
        source_parameters={
            "dynamodb_stream_parameters": {"starting_position": "TRIM_HORIZON", "batch_size": 1},
            "filter_criteria": {"filters": [{"pattern": json.dumps({"eventName": ["INSERT"]})}]},
        },
        target_parameters={"input_template": f"changed {template}" if after else template},
        tags=TAGS,
    )
    aws.scheduler.Schedule(
        "schedule",
        name=f"{prefix}-schedule",
        schedule_expression="rate(5 minutes)" if after else "rate(1 hour)",
        flexible_time_window={"mode": "OFF"},
        target={"arn": queue.arn, "role_arn": access.arn, "retry_policy": {"maximum_retry_attempts": 2}},
    )
    aws.cloudwatch.MetricAlarm(
        "alarm",
        name=f"{prefix}-alarm",
        namespace="AWS/SQS",
        metric_name="ApproximateAgeOfOldestMessage",
        dimensions={"QueueName": queue.name},
        statistic="Maximum",
        comparison_operator="GreaterThanThreshold",
        evaluation_periods=1,
        period=60,
        threshold=20 if after else 10.5,
        treat_missing_data="notBreaching",
        tags=TAGS,
    )
    metric: Any = {
        "namespace": "N",
        "metric_name": "M",
        "period": 60,
        "stat": "Sum",
        "dimensions": {"D": "x"},
    }
    aws.cloudwatch.MetricAlarm(
        "math",
        name=f"{prefix}-math",
        comparison_operator="GreaterThanThreshold",
        evaluation_periods=2 if after else 1,
        threshold=1,
        metric_queries=[
            {"id": "rate", "expression": "errors * 2", "return_data": True},
            {"id": "errors", "metric": metric},
        ],
    )
    widget = {"type": "text", "width": 6, "height": 2, "x": 0, "y": 0, "properties": {"markdown": f"{after}"}}
    aws.cloudwatch.Dashboard(
        "board", dashboard_name=f"{prefix}-board", dashboard_body=json.dumps({"widgets": [widget]})
    )
    pulumi.export("queue", queue.url)


def bulk() -> None:
    """A bucket with all that is set on it, and what reads it: a state machine, a workgroup, a database."""
    bucket = aws.s3.Bucket("bucket", bucket=f"{prefix}-bucket", force_destroy=True, tags=TAGS)
    aws.s3.BucketServerSideEncryptionConfiguration(
        "bucket",
        bucket=bucket.bucket,
        rules=[
            {"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms" if after else "AES256"}}
        ],
    )
    aws.s3.BucketPublicAccessBlock(
        "bucket", bucket=bucket.bucket, block_public_acls=True, block_public_policy=after
    )
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Sid": f"{after}"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.s3.BucketPolicy("bucket", bucket=bucket.bucket, policy=policy)
    rule: Any = {
        "id": "forget",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "expiration": {"days": 9 if after else 3},
    }
    aws.s3.BucketLifecycleConfiguration("bucket", bucket=bucket.bucket, rules=[rule])
    done = {"Type": "Pass", "Result": "changed" if after else "first", "End": True}
    machine = aws.sfn.StateMachine(
        "machine",
        name=f"{prefix}-machine",
        role_arn=role().arn,
        definition=json.dumps({"StartAt": "Done", "States": {"Done": done}}),
        tags=TAGS,
    )
    aws.athena.Workgroup(
        "workgroup",
        name=f"{prefix}-workgroup",
        description=f"{after}",
        force_destroy=True,
        configuration={
            "enforce_workgroup_configuration": True,
            "bytes_scanned_cutoff_per_query": 20_000_000 if after else 10_000_000,
            "result_configuration": {
                "output_location": pulumi.Output.concat("s3://", bucket.bucket, "/results/")
            },
        },
        tags=TAGS,
    )
    database = prefix.replace("-", "_")
    aws.glue.CatalogDatabase("database", name=database, description=f"{after}", tags=TAGS)
    pulumi.export("machine", machine.arn)
    pulumi.export("database", database)


def api() -> None:
    """A REST API that asks for a key."""
    made = function()
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": made.invoke_arn}
    route = {"security": [{"key": []}], "x-amazon-apigateway-integration": integration}
    body = pulumi.Output.json_dumps(
        {
            "openapi": "3.0.1",
            "paths": {"/{proxy+}": {"x-amazon-apigateway-any-method": route}},
            "components": {
                "securitySchemes": {"key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}
            },
        }
    )
    front = aws.apigateway.RestApi("api", name=f"{prefix}-api", description=f"{after}", body=body, tags=TAGS)
    aws.lambda_.Permission(
        "api", function=made.name, action="lambda:InvokeFunction", principal="apigateway.amazonaws.com"
    )
    deployed = aws.apigateway.Deployment("deployed", rest_api=front.id, triggers={"routes": f"{after}"})
    stage = aws.apigateway.Stage(
        "live", rest_api=front.id, deployment=deployed.id, stage_name="live", tags=TAGS
    )
    rate = 7 if after else 50
    aws.apigateway.MethodSettings(
        "all",
        rest_api=front.id,
        stage_name=stage.stage_name,
        method_path="*/*",
        settings={"throttling_rate_limit": rate, "throttling_burst_limit": 2 * rate},
    )
    key = aws.apigateway.ApiKey("key", name=f"{prefix}-key", description=f"{after}")
    plan = aws.apigateway.UsagePlan(
        "plan",
        name=f"{prefix}-plan",
        api_stages=[{"api_id": front.id, "stage": stage.stage_name}],
        throttle_settings={"rate_limit": rate, "burst_limit": 2 * rate},
    )
    aws.apigateway.UsagePlanKey("key", key_id=key.id, key_type="API_KEY", usage_plan_id=plan.id)
    aws.apigateway.Account("account", cloudwatch_role_arn=f"arn:aws:iam::000000000000:role/{prefix}")
    pulumi.export("url", stage.invoke_url)
    pulumi.export("key", key.value)
    pulumi.export("plan", plan.id)


def depends(*resources: pulumi.Resource) -> pulumi.ResourceOptions:
    """Make something after others."""
    return pulumi.ResourceOptions(depends_on=[*resources])


PARTS: dict[str, Callable[[], None]] = {
    "tables": tables,
    "queues": queues,
    "functions": functions,
    "events": events,
    "bulk": bulk,
    "api": api,
}
PARTS[config.require("part")]()
