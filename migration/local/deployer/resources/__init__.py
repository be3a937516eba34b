"""Which resource types can be deployed locally, and the handler of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.local.deployer.errors import UnknownTypeError
from migration.local.deployer.resources import (
    apigateway,
    apigateway_plans,
    apigateway_stages,
    athena,
    cloudwatch,
    dynamodb,
    iam,
    lambda_,
    lambda_triggers,
    pipes,
    s3,
    scheduler,
    sfn,
    sns,
    sqs,
)

if TYPE_CHECKING:
    from migration.local.deployer.aws import Aws
    from migration.local.deployer.resources.handler import Handler

_SERVICES = (
    apigateway,
    apigateway_plans,
    apigateway_stages,
    athena,
    cloudwatch,
    dynamodb,
    iam,
    lambda_,
    lambda_triggers,
    pipes,
    s3,
    scheduler,
    sfn,
    sns,
    sqs,
)
TYPES: Final[dict[str, type[Handler]]] = {
    handler.type: handler for service in _SERVICES for handler in service.HANDLERS
}


def handler_for(token: str, aws: Aws) -> Handler:
    """Give the handler of a resource type; an unknown type is an error that names it."""
    if token not in TYPES:
        raise UnknownTypeError("resource type", token)
    return TYPES[token](aws)
