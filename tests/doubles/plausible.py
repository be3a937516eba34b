"""What a resource's outputs would look like in AWS, made from its inputs alone, by one rule for every type.

For runs without AWS. The values are well formed (ARNs, URLs, ids) and the same in every run, but nothing
answers under them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from migration.local.deployer.registration import Registered
from migration.local.deployer.values import reveal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migration.local.deployer.registration import Registration

ACCOUNT: Final = "123456789012"

_API: Final = "arn:aws:apigateway:{region}::"
_LAMBDA: Final = "arn:aws:lambda:{region}:{account}:"
_INVOKE: Final = _API.replace("::", ":lambda:path/2015-03-31/functions/")

# Per type: its id, and the outputs that are not inputs. A type that is not here gets an ARN from its name.
_OUTPUTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "aws:dynamodb/table:Table": (
        "{name}",
        {
            "arn": "arn:aws:dynamodb:{region}:{account}:table/{name}",
            "streamArn": "arn:aws:dynamodb:{region}:{account}:table/{name}/stream/2026-01-01T00:00:00.000",
            "streamLabel": "2026-01-01T00:00:00.000",
        },
    ),
    "aws:sqs/queue:Queue": (
        "https://sqs.{region}.amazonaws.com/{account}/{name}",
        {
            "arn": "arn:aws:sqs:{region}:{account}:{name}",
            "url": "https://sqs.{region}.amazonaws.com/{account}/{name}",
        },
    ),
    "aws:iam/role:Role": (
        "{name}",
        {"arn": "arn:aws:iam::{account}:role/{name}", "uniqueId": "AROA{HASH}"},
    ),
    "aws:lambda/function:Function": (
        "{name}",
        {
            "arn": _LAMBDA + "function:{name}",
            "invokeArn": _INVOKE + _LAMBDA + "function:{name}/invocations",
            "qualifiedArn": _LAMBDA + "function:{name}:1",
            "version": "1",
        },
    ),
    "aws:lambda/functionUrl:FunctionUrl": (
        "{functionName}",
        {
            "functionUrl": "https://{hash}.lambda-url.{region}.on.aws/",
            "functionArn": _LAMBDA + "function:{functionName}",
            "urlId": "{hash}",
        },
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        "{hash}",
        {"arn": _LAMBDA + "event-source-mapping:{hash}", "uuid": "{hash}"},
    ),
    "aws:cloudwatch/logGroup:LogGroup": (
        "{name}",
        {"arn": "arn:aws:logs:{region}:{account}:log-group:{name}"},
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        "{name}",
        {"arn": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}"},
    ),
    "aws:cloudwatch/dashboard:Dashboard": (
        "{dashboardName}",
        {"dashboardArn": "arn:aws:cloudwatch::{account}:dashboard/{dashboardName}"},
    ),
    "aws:scheduler/schedule:Schedule": (
        "default/{name}",
        {"arn": "arn:aws:scheduler:{region}:{account}:schedule/default/{name}"},
    ),
    "aws:pipes/pipe:Pipe": ("{name}", {"arn": "arn:aws:pipes:{region}:{account}:pipe/{name}"}),
    "aws:s3/bucket:Bucket": ("{bucket}", {"arn": "arn:aws:s3:::{bucket}"}),
    "aws:sfn/stateMachine:StateMachine": (
        "arn:aws:states:{region}:{account}:stateMachine:{name}",
        {"arn": "arn:aws:states:{region}:{account}:stateMachine:{name}"},
    ),
    "aws:athena/workgroup:Workgroup": (
        "{name}",
        {"arn": "arn:aws:athena:{region}:{account}:workgroup/{name}"},
    ),
    "aws:glue/catalogDatabase:CatalogDatabase": (
        "{account}:{name}",
        {"arn": "arn:aws:glue:{region}:{account}:database/{name}"},
    ),
    "aws:sns/topic:Topic": (
        "arn:aws:sns:{region}:{account}:{name}",
        {"arn": "arn:aws:sns:{region}:{account}:{name}"},
    ),
    "aws:apigateway/restApi:RestApi": (
        "{hash10}",
        {
            "arn": _API + "/restapis/{hash10}",
            "executionArn": "arn:aws:execute-api:{region}:{account}:{hash10}",
            "rootResourceId": "root{hash10}",
        },
    ),
    "aws:apigateway/deployment:Deployment": ("{hash10}", {"createdDate": "2026-01-01T00:00:00Z"}),
    "aws:apigateway/stage:Stage": (
        "ags-{restApi}-{stageName}",
        {
            "arn": _API + "/restapis/{restApi}/stages/{stageName}",
            "executionArn": "arn:aws:execute-api:{region}:{account}:{restApi}/{stageName}",
            "invokeUrl": "https://{restApi}.execute-api.{region}.amazonaws.com/{stageName}",
        },
    ),
    "aws:apigateway/apiKey:ApiKey": ("{hash10}", {"arn": _API + "/apikeys/{hash10}", "value": "key-{hash}"}),
    "aws:apigateway/usagePlan:UsagePlan": ("{hash10}", {"arn": _API + "/usageplans/{hash10}"}),
}


def plausible(registration: Registration, region: str) -> Registered:
    """Make an id and outputs for a resource; a component has none."""
    if not registration.custom:
        return Registered()
    inputs = reveal(dict(registration.inputs))
    digest = hashlib.sha256(registration.urn.encode()).hexdigest()
    words = _Words(
        {key: value for key, value in inputs.items() if isinstance(value, str)},
        region=region,
        account=ACCOUNT,
        hash=digest[:32],
        hash10=digest[:10],
        HASH=digest[:16].upper(),
        name=inputs.get("name") or f"{registration.name}-{digest[:7]}",
    )
    fallback = f"arn:aws:{registration.type.split(':')[1].split('/')[0]}:{{region}}:{{account}}:{{name}}"
    identifier, outputs = _OUTPUTS.get(registration.type, ("{name}", {"arn": fallback}))
    made = {key: template.format_map(words) for key, template in outputs.items()}
    named = {"name": words["name"], "tagsAll": inputs.get("tags", {})}
    return Registered(identifier.format_map(words), {**named, **made, **registration.inputs})


class _Words(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key
