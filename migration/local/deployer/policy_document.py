"""The JSON that `aws.iam.get_policy_document` answers, computed as the AWS provider does.

Decides only the document's text: one value stands alone, several are a list in reverse order, as the provider
writes them, so that the same policy has the same text locally and in AWS.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VERSION = "2012-10-17"


def policy_document(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Build the answer from the camelCase arguments: `json`, `minifiedJson`, and the arguments themselves."""
    statements = [_statement(statement) for statement in arguments.get("statements") or []]
    before = _statements_of(arguments.get("sourcePolicyDocuments") or [])
    after = _statements_of(arguments.get("overridePolicyDocuments") or [])
    document: dict[str, Any] = {"Version": arguments.get("version") or _VERSION}
    if arguments.get("policyId"):
        document["Id"] = arguments["policyId"]
    document["Statement"] = _merged([*before, *statements], after)
    minified = json.dumps(document, separators=(",", ":"))
    return {**arguments, "json": json.dumps(document, indent=2), "minifiedJson": minified, "id": "policy"}


def _statement(given: Mapping[str, Any]) -> dict[str, Any]:
    parts = {
        "Sid": given.get("sid"),
        "Effect": given.get("effect") or "Allow",
        "Action": _one_or_many(given.get("actions")),
        "NotAction": _one_or_many(given.get("notActions")),
        "Resource": _one_or_many(given.get("resources")),
        "NotResource": _one_or_many(given.get("notResources")),
        "Principal": _principals(given.get("principals")),
        "NotPrincipal": _principals(given.get("notPrincipals")),
        "Condition": _conditions(given.get("conditions") or []),
    }
    return {key: value for key, value in parts.items() if value}


def _one_or_many(values: Sequence[str] | None) -> str | list[str] | None:
    if not values:
        return None
    return values[0] if len(values) == 1 else sorted(values, reverse=True)


def _principals(given: Sequence[Mapping[str, Any]] | None) -> str | dict[str, Any] | None:
    by_type: dict[str, list[str]] = {}
    for principal in given or []:
        by_type.setdefault(principal["type"], []).extend(principal["identifiers"])
    if by_type == {"*": ["*"]}:
        return "*"
    return {kind: _one_or_many(identifiers) for kind, identifiers in by_type.items()}


def _conditions(given: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    conditions: dict[str, dict[str, Any]] = {}
    for condition in given:
        conditions.setdefault(condition["test"], {})[condition["variable"]] = _one_or_many(
            condition["values"]
        )
    return conditions


def _statements_of(documents: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for document in documents:
        statements = json.loads(document)["Statement"]
        found.extend(statements if isinstance(statements, list) else [statements])
    return found


def _merged(base: list[dict[str, Any]], over: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let a statement of `over` take the place of the one with its Sid; add those without one."""
    by_sid = {statement["Sid"]: statement for statement in over if "Sid" in statement}
    kept = [by_sid.pop(statement.get("Sid", ""), statement) for statement in base]
    nameless = [statement for statement in over if "Sid" not in statement]
    return [*kept, *nameless, *by_sid.values()]
