"""What calls a Lambda function, and how: URLs, permissions, event source mappings, asynchronous calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from migration.local.deployer.resources.handler import Handler, cased, pascal, pick, pick_nested

if TYPE_CHECKING:
    from collections.abc import Mapping


class _OfFunction(Handler):
    """A resource that is one setting of a function, or of a version of it."""

    name_input = None
    replace_on = frozenset({"functionName", "qualifier"})

    def identify(self, inputs: Mapping[str, Any]) -> str:
        """Name it by its function and qualifier."""
        return "/".join(filter(None, (inputs["functionName"], inputs.get("qualifier"))))


class FunctionUrl(_OfFunction):
    """`aws.lambda_.FunctionUrl`; its id is the function's name. Its URL answers on this machine."""

    type = "aws:lambda/functionUrl:FunctionUrl"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Give the function a URL."""
        self.aws.lambda_.create_function_url_config(**_target(inputs), **_url_settings(inputs))

    def read(self, _physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the URL in the path form, because names under `lambda-url` do not resolve locally."""
        answer = self.aws.lambda_.get_function_url_config(**_target(inputs))
        url_id = (urlsplit(answer["FunctionUrl"]).hostname or "").partition(".")[0]
        return {
            "functionArn": answer["FunctionArn"],
            "functionUrl": f"{self.aws.endpoint}/_aws/lambda-url/{url_id}/",
            "urlId": url_id,
        }

    def update(self, _physical_id: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Change its authorization, CORS or mode."""
        self.aws.lambda_.update_function_url_config(**_target(new), **_url_settings(new))

    def delete(self, _physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Take the URL away."""
        self.aws.lambda_.delete_function_url_config(**_target(inputs))


_PERMISSION = cased(
    "statementId",
    "action",
    "principal",
    "eventSourceToken",
    "functionUrlAuthType",
    "invokedViaFunctionUrl",
    "qualifier",
    "sourceAccount",
    "sourceArn",
    principalOrgId="PrincipalOrgID",
)


class Permission(Handler):
    """`aws.lambda_.Permission`, one statement of a function's policy; its id is the statement's."""

    type = "aws:lambda/permission:Permission"
    name_input = "statementId"
    replace_on = frozenset({"function", *_PERMISSION})

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Add the statement."""
        self.aws.lambda_.add_permission(FunctionName=inputs["function"], **pick(inputs, _PERMISSION))

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether the function's policy has it."""
        target = {"FunctionName": inputs["function"], **pick(inputs, {"qualifier": "Qualifier"})}
        answer = self.aws.lambda_.get_policy(**target)
        statements = json.loads(answer["Policy"])["Statement"]
        return {} if any(statement["Sid"] == physical_id for statement in statements) else None

    def delete(self, physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Take the statement out."""
        qualifier = pick(inputs, {"qualifier": "Qualifier"})
        self.aws.lambda_.remove_permission(
            FunctionName=inputs["function"], StatementId=physical_id, **qualifier
        )

    def slot(self, inputs: Mapping[str, Any]) -> object:
        """Statements share a function's policy."""
        return (inputs["function"], inputs.get("qualifier"), inputs["statementId"])


_MAPPING = cased(
    "batchSize",
    "bisectBatchOnFunctionError",
    "enabled",
    "functionName",
    "functionResponseTypes",
    "maximumBatchingWindowInSeconds",
    "maximumRecordAgeInSeconds",
    "maximumRetryAttempts",
    "parallelizationFactor",
    "tumblingWindowInSeconds",
)


_MAPPING_NESTED = cased("destinationConfig", "filterCriteria", "metricsConfig", "scalingConfig")


class EventSourceMapping(Handler):
    """`aws.lambda_.EventSourceMapping`; its id is its UUID."""

    type = "aws:lambda/eventSourceMapping:EventSourceMapping"
    name_input = None
    replace_on = frozenset({"eventSourceArn", "startingPosition", "startingPositionTimestamp"})

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Connect the source to the function."""
        source = {"eventSourceArn": "EventSourceArn", "startingPosition": "StartingPosition"}
        answer = self.aws.lambda_.create_event_source_mapping(
            **pick(inputs, source), **pick(inputs, _MAPPING), **pick_nested(inputs, _MAPPING_NESTED)
        )
        return answer["UUID"]

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the UUID, the ARNs and whether it is enabled."""
        answer = self.aws.lambda_.get_event_source_mapping(UUID=physical_id)
        made = f"arn:aws:lambda:{self.aws.region}:{self.aws.account}:event-source-mapping:{physical_id}"
        return {
            "uuid": physical_id,
            "arn": answer.get("EventSourceMappingArn", made),
            "functionArn": answer["FunctionArn"],
            "state": answer["State"],
            "tagsAll": inputs.get("tags", {}),
        }

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Change its settings; what the program dropped is set to nothing."""
        dropped: dict[str, Any] = {_MAPPING_NESTED[name]: {} for name in old if name in _MAPPING_NESTED}
        self.aws.lambda_.update_event_source_mapping(
            UUID=physical_id, **pick(new, _MAPPING), **{**dropped, **pick_nested(new, _MAPPING_NESTED)}
        )

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Disconnect them."""
        self.aws.lambda_.delete_event_source_mapping(UUID=physical_id)

    def find(self, inputs: Mapping[str, Any]) -> str | None:
        """Look for the mapping of this source and function."""
        pair = {"EventSourceArn": inputs["eventSourceArn"], "FunctionName": inputs["functionName"]}
        mappings = self.aws.lambda_.list_event_source_mappings(**pair)["EventSourceMappings"]
        return mappings[0]["UUID"] if mappings else None

    def slot(self, inputs: Mapping[str, Any]) -> object:
        """AWS takes one mapping for each source and function."""
        return (inputs["eventSourceArn"], inputs["functionName"])


class EventInvokeConfig(_OfFunction):
    """`aws.lambda_.FunctionEventInvokeConfig`; its id is the function's name."""

    type = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    put_whole = True

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Say how often an asynchronous call is tried, and where it goes when that fails."""
        limits = cased("maximumEventAgeInSeconds", "maximumRetryAttempts")
        self.aws.lambda_.put_function_event_invoke_config(
            **_target(inputs),
            **pick(inputs, limits),
            DestinationConfig=pascal(inputs.get("destinationConfig") or {}),
        )

    def read(self, _physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether it is set."""
        self.aws.lambda_.get_function_event_invoke_config(**_target(inputs))
        return {}

    def delete(self, _physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Go back to AWS's defaults."""
        self.aws.lambda_.delete_function_event_invoke_config(**_target(inputs))


def _target(inputs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - keywords of several calls
    return {"FunctionName": inputs["functionName"], **pick(inputs, {"qualifier": "Qualifier"})}


def _url_settings(inputs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - keywords of two calls
    return {
        "AuthType": inputs["authorizationType"],
        "InvokeMode": inputs.get("invokeMode", "BUFFERED"),
        "Cors": pascal(inputs.get("cors") or {}),
    }


HANDLERS = (FunctionUrl, Permission, EventSourceMapping, EventInvokeConfig)
