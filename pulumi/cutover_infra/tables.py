"""A DynamoDB table as all of ours are: paid by request, encrypted, restorable and protected as set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cutover_infra.component import Component, Deployment


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What tells one table from another.

    Attributes:
        hash_key: the partition key, a text.
        range_key: the sort key, a text.
        ttl: the attribute with the epoch second after which an item may go.
        stream: whether inserts can be followed, by their new image.
        index: a global secondary index.
        index_keys: the index's key attributes and their types.
    """

    hash_key: str
    range_key: str | None = None
    ttl: str | None = None
    stream: bool = False
    index: aws.dynamodb.TableGlobalSecondaryIndexArgs | None = None
    index_keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, str]:
        """The key attributes and their types."""
        ranges = {self.range_key: "S"} if self.range_key else {}
        return {self.hash_key: "S", **ranges, **self.index_keys}


def make_table(owner: Component, deployment: Deployment, thing: str, shape: Shape) -> aws.dynamodb.Table:
    """Make the table `cutover-<stack>-<thing>`."""
    settings = deployment.settings
    return aws.dynamodb.Table(
        thing,
        name=deployment.name(thing),
        billing_mode="PAY_PER_REQUEST",
        hash_key=shape.hash_key,
        range_key=shape.range_key,
        attributes=[
            aws.dynamodb.TableAttributeArgs(name=name, type=kind) for name, kind in shape.attributes.items()
        ],
        global_secondary_indexes=[shape.index] if shape.index else None,
        stream_enabled=shape.stream or None,
        stream_view_type="NEW_IMAGE" if shape.stream else None,
        ttl=aws.dynamodb.TableTtlArgs(attribute_name=shape.ttl, enabled=True) if shape.ttl else None,
        point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=settings.pitr),
        server_side_encryption=aws.dynamodb.TableServerSideEncryptionArgs(enabled=True),
        deletion_protection_enabled=settings.protection,
        opts=owner.child(stateful=settings.protection),
    )
