"""Rules for what moves data in bulk: buckets that are closed and forget, bounds on functions and on scans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cutover_infra.policies.model import (
    BUCKET,
    FUNCTION,
    STATE_MACHINE,
    WORKGROUP,
    Declared,
    ResourceRule,
    Rule,
    StackRule,
    Violation,
    denies_plain,
    of_type,
    parsed,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_BLOCK: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
_LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
_BLOCKS: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def guarded(resources: Sequence[Declared]) -> Iterator[Violation]:
    """A bucket is encrypted, closed to the public, reached over TLS only, and forgets."""
    needed: dict[str, tuple[str, Callable[[Declared], bool]]] = {
        "is not encrypted": (_ENCRYPTION, lambda one: bool(one.get("rules"))),
        "can be opened to the public": (_BLOCK, lambda one: all(one.get(name) is True for name in _BLOCKS)),
        "answers without TLS": (_POLICY, lambda one: denies_plain(parsed(one.get("policy")))),
        "keeps objects for ever": (_LIFECYCLE, lambda one: any(map(_expires, one.get("rules") or []))),
    }
    for bucket in of_type(resources, BUCKET):
        for problem, (kind, holds) in needed.items():
            ours = [one for one in of_type(resources, kind) if one.get("bucket") == bucket.get("bucket")]
            if not any(map(holds, ours)):
                yield violation(bucket, f"{problem}; make it with make_bucket")


def scans_little(resource: Declared) -> Iterator[str]:
    """A workgroup encrypts results, limits what a query reads, and lets no client choose otherwise."""
    if resource.type != WORKGROUP:
        return
    configuration = resource.get("configuration") or {}
    if not configuration.get("bytesScannedCutoffPerQuery"):
        yield "lets a query read and cost without limit; set bytes_scanned_cutoff_per_query"
    if not configuration.get("enforceWorkgroupConfiguration"):
        yield "lets clients choose other settings; set enforce_workgroup_configuration"
    result = configuration.get("resultConfiguration") or {}
    if not (result.get("encryptionConfiguration") or {}).get("encryptionOption"):
        yield "writes results unencrypted; set encryption_configuration"


def fans_within_reserve(resources: Sequence[Declared]) -> Iterator[Violation]:
    """A map runs no more functions at once than are reserved for it, so that none is throttled."""
    reserved = {
        function.get("arn"): function.get("reservedConcurrentExecutions")
        for function in of_type(resources, FUNCTION)
    }
    for machine in of_type(resources, STATE_MACHINE):
        for state in _maps(parsed(machine.get("definition"))):
            at_once = state.get("MaxConcurrency") or 0
            called = [reserved.get(arn) or 0 for arn in _functions(state)]
            if not at_once or any(at_once > most > 0 for most in called):
                yield violation(
                    machine, "calls more functions at once than are reserved; set MaxConcurrency to that"
                )


def _maps(definition: dict[str, Any]) -> list[dict[str, Any]]:
    return [state for state in definition.get("States", {}).values() if state["Type"] == "Map"]


def _functions(state: dict[str, Any]) -> list[str]:
    tasks = state["ItemProcessor"]["States"].values()
    return [task["Parameters"]["FunctionName"] for task in tasks if task["Type"] == "Task"]


def _expires(rule: dict[str, Any]) -> bool:
    return rule.get("status") == "Enabled" and bool((rule.get("expiration") or {}).get("days"))


RULES: Final[tuple[Rule, ...]] = (
    StackRule("guarded-buckets", "Buckets are encrypted, closed, over TLS only, and forget.", guarded),
    ResourceRule("bounded-scans", "Athena's workgroups limit what a query reads.", scans_little),
    StackRule("bounded-maps", "Maps call no more functions at once than are reserved.", fans_within_reserve),
)
