"""Rules for what holds data: encrypted, restorable and protected in prod, and never replaced by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutover_infra.policies.model import QUEUE, STATEFUL, TABLE, Declared, ResourceRule, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator


def encrypted(resource: Declared) -> Iterator[str]:
    """A table and a queue are encrypted at rest."""
    if resource.type == TABLE and not resource.get("serverSideEncryption", "enabled"):
        yield "is not encrypted; set server_side_encryption enabled"
    keyed = resource.get("sqsManagedSseEnabled") or resource.get("kmsMasterKeyId")
    if resource.type == QUEUE and not keyed:
        yield "is not encrypted; set sqs_managed_sse_enabled"


def restorable(resource: Declared) -> Iterator[str]:
    """A table in prod has point-in-time recovery."""
    if resource.type == TABLE and resource.in_prod and not resource.get("pointInTimeRecovery", "enabled"):
        yield "cannot be restored; set cutover:pitr to true"


def protected(resource: Declared) -> Iterator[str]:
    """A table and a queue in prod cannot be deleted, neither by Pulumi nor, for a table, in AWS."""
    if resource.type not in STATEFUL or not resource.in_prod:
        return
    if not resource.protect:
        yield "is not protected from deletion by Pulumi; set cutover:protection to true"
    if resource.type == TABLE and not resource.get("deletionProtectionEnabled"):
        yield "is not protected from deletion in AWS; set cutover:protection to true"


def kept(resource: Declared) -> Iterator[str]:
    """What holds data keeps its name and is never deleted to be replaced."""
    if resource.type not in STATEFUL:
        return
    if not str(resource.get("name") or "").startswith("cutover-"):
        yield "has no name of its own, so a rename would replace it; set name to deployment.name(...)"
    if resource.deletes_first:
        yield "would be deleted before it is replaced; drop delete_before_replace"


RULES: Final[tuple[Rule, ...]] = (
    ResourceRule("encrypted-at-rest", "Tables and queues are encrypted.", encrypted),
    ResourceRule("restorable-in-prod", "Tables in prod have point-in-time recovery.", restorable),
    ResourceRule("protected-in-prod", "Tables and queues in prod cannot be deleted.", protected),
    ResourceRule("never-replaced", "Tables and queues keep their name and are not deleted first.", kept),
)
