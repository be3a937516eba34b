"""Each policy bites: one change to a good deployment gives a violation with the resource and the remedy."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from cutover_infra.openapi import ANY
from cutover_infra.policies import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from cutover_infra.policies.model import Declared
    from tests.infra.conftest import Deployed

    Props = dict[str, Any]
    Change = Callable[[Declared], Declared | None]


@dataclass(frozen=True)
class Bite:
    """Break one resource (type and logical name): the rule must name it, or `blamed`, and say the remedy."""

    rule: str
    type: str
    name: str
    change: Change
    remedy: str
    blamed: str = ""


def put(*path: str, to: object) -> Change:
    """Set a nested property."""

    def change(resource: Declared) -> Declared:
        props = copy.deepcopy(dict(resource.props))
        inner = props
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = to
        return replace(resource, props=props)

    return change


def rewrite(key: str, edit: Callable[[Props], object]) -> Change:
    """Edit a property that is JSON text."""

    def change(resource: Declared) -> Declared:
        document = json.loads(resource.props[key])
        edit(document)
        return replace(resource, props={**resource.props, key: json.dumps(document)})

    return change


def drop(_resource: Declared) -> None:
    """Take the resource away."""


def first(document: Props) -> Props:
    statement: Props = document["Statement"][0]
    return statement


BITES = [
    Bite(
        "encrypted-at-rest", "Table", "facts", put("serverSideEncryption", to=None), "server_side_encryption"
    ),
    Bite(
        "encrypted-at-rest", "Queue", "activities", put("sqsManagedSseEnabled", to=False), "sqs_managed_sse"
    ),
    Bite(
        "restorable-in-prod",
        "Table",
        "dedup",
        put("pointInTimeRecovery", "enabled", to=False),
        "cutover:pitr",
    ),
    Bite("protected-in-prod", "Table", "facts", lambda r: replace(r, protect=False), "cutover:protection"),
    Bite(
        "protected-in-prod", "Queue", "capture-dlq", lambda r: replace(r, protect=False), "cutover:protection"
    ),
    Bite("protected-in-prod", "Table", "facts", put("deletionProtectionEnabled", to=False), "in AWS"),
    Bite("never-replaced", "Table", "facts", put("name", to="facts-1234567"), "set name"),
    Bite("never-replaced", "Queue", "activities", lambda r: replace(r, deletes_first=True), "delete_before"),
    Bite("dead-letter-queues", "Queue", "activities", put("redrivePolicy", to=None), "make_queue"),
    Bite("dead-letter-queues", "Pipe", "capture", drop, "make_queue", blamed="capture-dlq"),
    Bite(
        "dead-letter-carriers",
        "Pipe",
        "capture",
        put("sourceParameters", "dynamodbStreamParameters", "deadLetterConfig", to=None),
        "dead_letter_config",
    ),
    Bite(
        "dead-letter-carriers",
        "Schedule",
        "snapshot",
        put("target", "deadLetterConfig", to=None),
        "dead_letter",
    ),
    Bite("dead-letter-queues", "Pipe", "mirror", drop, "make_queue", blamed="mirror-pipe-dlq"),
    Bite("hidden-long-enough", "Function", "mirror", put("timeout", to=90), "to 541", blamed="mirror"),
    Bite("dead-letters-heard", "MetricAlarm", "capture-dlq-depth", drop, "alarms.py", blamed="capture-dlq"),
    Bite(
        "patient-redrive",
        "Queue",
        "activities",
        rewrite("redrivePolicy", lambda policy: policy.update(maxReceiveCount=4)),
        "5 or more",
    ),
    Bite(
        "bounded-mappings", "EventSourceMapping", "aggregate", put("scalingConfig", to=None), "maximum_conc"
    ),
    Bite(
        "bounded-mappings",
        "EventSourceMapping",
        "aggregate",
        put("functionResponseTypes", to=[]),
        "ReportBatch",
    ),
    Bite("hidden-long-enough", "Queue", "activities", put("visibilityTimeoutSeconds", to=360), "to 361"),
    Bite("hidden-long-enough", "Function", "aggregate", put("timeout", to=90), "to 541", blamed="activities"),
    Bite(
        "folded-once",
        "Function",
        "aggregate",
        put("environment", "variables", "DEDUP_TTL_DAYS", to="33"),
        "than 33",
    ),
    Bite(
        "folded-once",
        "Queue",
        "activities",
        put("messageRetentionSeconds", to=12 * 86_400),
        "than 41",
        blamed="aggregate",
    ),
    Bite("queues-over-tls", "QueuePolicy", "activities-dlq", drop, "without TLS", blamed="activities-dlq"),
    Bite(
        "queues-over-tls",
        "QueuePolicy",
        "activities",
        rewrite("policy", lambda policy: first(policy).update(Effect="Allow")),
        "without TLS",
        blamed="activities",
    ),
    Bite(
        "least-privilege",
        "RolePolicy",
        "ingest",
        rewrite("policy", lambda policy: first(policy).update(Action=["dynamodb:*"])),
        "dynamodb:*",
    ),
    Bite(
        "least-privilege",
        "RolePolicy",
        "ingest",
        rewrite("policy", lambda policy: first(policy).update(Resource="*")),
        "name its ARN",
    ),
    Bite(
        "least-privilege",
        "RolePolicy",
        "ingest",
        rewrite(
            "policy", lambda policy: first(policy).update(Resource="arn:aws:logs:eu-west-1:123456789012:*")
        ),
        "name its ARN",
    ),
    Bite(
        "own-policies",
        "RolePolicyAttachment",
        "api-logs",
        put("policyArn", to="arn:aws:iam::aws:policy/X"),
        "X",
    ),
    Bite(
        "own-policies",
        "Role",
        "ingest",
        put("managedPolicyArns", to=["arn:aws:iam::aws:policy/X"]),
        "make_role",
    ),
    Bite(
        "one-principal",
        "Role",
        "ingest",
        rewrite("assumeRolePolicy", lambda policy: first(policy).update(Principal={"AWS": "*"})),
        "trust(service)",
    ),
    Bite(
        "one-principal",
        "Role",
        "capture-pipe",
        rewrite("assumeRolePolicy", lambda policy: first(policy).pop("Condition")),
        "any account",
    ),
    Bite(
        "own-role",
        "Function",
        "serve",
        put("role", to="arn:aws:iam::123456789012:role/cutover-prod-ingest"),
        "shares its role",
    ),
    Bite(
        "closed-in-prod",
        "RestApi",
        "pipeline",
        rewrite("body", lambda body: body["paths"]["/leaderboard"][ANY].update(security=[])),
        "ANY /leaderboard",
    ),
    Bite(
        "closed-in-prod",
        "RestApi",
        "entry",
        rewrite("body", lambda body: body["paths"]["/activities"][ANY].pop("security")),
        "ANY /activities",
    ),
    Bite("closed-in-prod", "Permission", "ingest-api", put("principal", to="*"), "api_gateway"),
    Bite("limited-in-prod", "MethodSettings", "entry", drop, "throttle_rate"),
    Bite("limited-in-prod", "Stage", "entry", put("accessLogSettings", to=None), "access_log_settings"),
    Bite("tagged", "Table", "facts", put("tags", "cost-center", to=""), "cost_center"),
    Bite("tagged", "Role", "capture-pipe", put("tags", to=None), "project, stack, component, cost-center"),
    Bite("tagged", "Queue", "activities", put("tags", "cost-center", to="marketing"), "tagging()"),
    Bite("logs-forget", "LogGroup", "ingest", put("retentionInDays", to=0), "retention_in_days"),
    Bite("own-log-group", "LogGroup", "ingest", drop, "Function", blamed="ingest"),
    Bite("bounded-concurrency", "Function", "ingest", put("reservedConcurrentExecutions", to=-1), "reserve"),
    Bite(
        "bounded-concurrency",
        "Function",
        "aggregate",
        put("reservedConcurrentExecutions", to=5),
        "burn receives",
    ),
    Bite(
        "guarded-buckets", "BucketPublicAccessBlock", "exports", put("blockPublicPolicy", to=False), "public"
    ),
    Bite("guarded-buckets", "BucketServerSideEncryptionConfiguration", "exports", drop, "is not encrypted"),
    Bite("guarded-buckets", "BucketPolicy", "exports", drop, "answers without TLS"),
    Bite(
        "guarded-buckets",
        "BucketLifecycleConfiguration",
        "exports",
        put("rules", to=[{"id": "forget", "status": "Disabled", "expiration": {"days": 7}}]),
        "keeps objects for ever",
    ),
    Bite(
        "bounded-scans",
        "Workgroup",
        "exports",
        put("configuration", "bytesScannedCutoffPerQuery", to=None),
        "bytes_scanned_cutoff_per_query",
    ),
    Bite(
        "bounded-scans",
        "Workgroup",
        "exports",
        put("configuration", "enforceWorkgroupConfiguration", to=False),
        "enforce_workgroup_configuration",
    ),
    Bite(
        "bounded-scans",
        "Workgroup",
        "exports",
        put("configuration", "resultConfiguration", "encryptionConfiguration", to=None),
        "encryption_configuration",
    ),
    Bite(
        "bounded-maps",
        "StateMachine",
        "segments",
        rewrite("definition", lambda it: it["States"]["Copy segments"].update(MaxConcurrency=101)),
        "MaxConcurrency",
    ),
    Bite(
        "bounded-maps",
        "StateMachine",
        "segments",
        rewrite("definition", lambda it: it["States"]["Copy segments"].pop("MaxConcurrency")),
        "MaxConcurrency",
    ),
]


@pytest.mark.parametrize("bite", BITES, ids=lambda bite: f"{bite.rule}-{bite.name}-{bite.remedy[:12]}")
def test_a_broken_deployment_is_named_with_its_remedy(bite: Bite, deploy: Callable[..., Deployed]) -> None:
    broken = []
    hits = 0
    for resource in deploy("prod", "expand").resources:
        is_type = resource.type.startswith("aws:") and resource.type.endswith(f":{bite.type}")
        hit = is_type and resource.name == bite.name
        hits += hit
        result = bite.change(resource) if hit else resource
        broken += [result] if result else []
    assert hits == 1, "the change must find its resource"

    (rule,) = [rule for rule in RULES if rule.name == bite.rule]
    found = list(rule.violations(broken))

    assert found, "the rule did not bite"
    assert {violation.urn.rsplit("::", 1)[-1] for violation in found} >= {bite.blamed or bite.name}
    assert any(bite.remedy in violation.message for violation in found)


def test_an_open_function_url_bites_in_prod_only(deploy: Callable[..., Deployed]) -> None:
    (rule,) = [rule for rule in RULES if rule.name == "closed-in-prod"]
    in_dev = deploy("dev", "expand").resources
    in_prod = [replace(each, urn=each.urn.replace(":dev:", ":prod:", 1)) for each in in_dev]

    assert not list(rule.violations(in_dev))
    assert {found.message.split(":")[0] for found in rule.violations(in_prod)} >= {
        "FunctionUrl ingest",
        "FunctionUrl entry-ingest",
        "Permission serve-url",
    }


def test_every_rule_is_shown_to_bite() -> None:
    assert {bite.rule for bite in BITES} == {rule.name for rule in RULES}
