"""Provider functions a program may call: who and where am I, policy documents. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.errors import UnknownTypeError
from migration.local.deployer.policy_document import policy_document
from migration.local.deployer.values import reveal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from migration.local.deployer.values import Inputs


def answer(token: str, arguments: Inputs, region: str, account: str) -> Mapping[str, Any]:
    """Answer one function; an unknown one is an error that names it."""
    answers: dict[str, Callable[[], dict[str, Any]]] = {
        "aws:index/getCallerIdentity:getCallerIdentity": lambda: {
            "accountId": account,
            "arn": f"arn:aws:iam::{account}:root",
            "id": account,
            "userId": account,
        },
        "aws:index/getRegion:getRegion": lambda: {
            "description": region,
            "endpoint": f"ec2.{region}.amazonaws.com",
            "id": region,
            "name": region,
            "region": region,
        },
        "aws:index/getPartition:getPartition": lambda: {
            "dnsSuffix": "amazonaws.com",
            "id": "aws",
            "partition": "aws",
            "reverseDnsPrefix": "com.amazonaws",
        },
        "aws:iam/getPolicyDocument:getPolicyDocument": lambda: policy_document(reveal(dict(arguments))),
    }
    if token not in answers:
        raise UnknownTypeError("function", token)
    return answers[token]()
