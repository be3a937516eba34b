"""Provider functions a program may call: who and where am I. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.local.deployer.errors import UnknownTypeError

if TYPE_CHECKING:
    from collections.abc import Mapping


def answer(token: str, region: str, account: str) -> Mapping[str, str]:
    """Answer one function; an unknown one is an error that names it."""
    answers = {
        "aws:index/getCallerIdentity:getCallerIdentity": {
            "accountId": account,
            "arn": f"arn:aws:iam::{account}:root",
            "id": account,
            "userId": account,
        },
        "aws:index/getRegion:getRegion": {
            "description": region,
            "endpoint": f"ec2.{region}.amazonaws.com",
            "id": region,
            "name": region,
            "region": region,
        },
    }
    if token not in answers:
        raise UnknownTypeError("function", token)
    return answers[token]
