"""Lambda functions.

A layer that the local AWS does not hold is left out of the function: what it brings comes from the local
interpreter. A new function answers at once locally, so nothing waits for it to become active.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.archives import Archive
from migration.local.deployer.aws import found
from migration.local.deployer.resources.handler import (
    Handler,
    cased,
    changed,
    pick,
    pick_nested,
    tag_changes,
    tolerating_absence,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTINGS = cased("description", "handler", "memorySize", "role", "runtime", "timeout", kmsKeyArn="KMSKeyArn")
_NESTED = cased("deadLetterConfig", "ephemeralStorage", "loggingConfig", "tracingConfig")
_CODE = ("code", "sourceCodeHash", "architectures")


class LambdaFunction(Handler):
    """`aws.lambda_.Function` with its code as an archive; its id is its name."""

    type = "aws:lambda/function:Function"
    replace_on = frozenset({"name", "packageType"})

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Make the function, then reserve its concurrency."""
        self.aws.lambda_.create_function(
            FunctionName=inputs["name"],
            Code={"ZipFile": _zip(inputs)},
            Publish=inputs.get("publish", False),
            Tags=inputs.get("tags") or {},
            **pick(inputs, {"architectures": "Architectures"}),
            **self._settings(inputs),
        )
        self._reserve(inputs["name"], inputs)

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARNs, the version and what AWS knows of the code."""
        answer = self.aws.lambda_.get_function(FunctionName=physical_id)
        settings = answer["Configuration"]
        arn = settings["FunctionArn"]
        version = self._version(physical_id) if inputs.get("publish") else "$LATEST"
        invoke = f"arn:aws:apigateway:{self.aws.region}:lambda:path/2015-03-31/functions/"
        return {
            "arn": arn,
            "invokeArn": f"{invoke}{arn}/invocations",
            "qualifiedArn": f"{arn}:{version}",
            "qualifiedInvokeArn": f"{invoke}{arn}:{version}/invocations",
            "version": version,
            "lastModified": settings["LastModified"],
            "sourceCodeSize": settings["CodeSize"],
            "tagsAll": inputs.get("tags", {}),
        }

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Change code, settings, concurrency and tags; publish a version if asked to."""
        lambda_ = self.aws.lambda_
        code = changed(old, new, _CODE)
        if code:
            architectures = pick(new, {"architectures": "Architectures"})
            lambda_.update_function_code(FunctionName=physical_id, ZipFile=_zip(new), **architectures)
        settings = changed(old, new, (*_SETTINGS, *_NESTED, "environment", "layers"))
        if settings:
            lambda_.update_function_configuration(FunctionName=physical_id, **self._settings(new))
        if changed(old, new, ("reservedConcurrentExecutions",)):
            self._reserve(physical_id, new)
        if new.get("publish") and (code or settings or not old.get("publish")):
            lambda_.publish_version(FunctionName=physical_id)
        self._tag(physical_id, old, new)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove the function with all its versions."""
        self.aws.lambda_.delete_function(FunctionName=physical_id)

    def _settings(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        environment = (inputs.get("environment") or {}).get("variables") or {}
        return {
            **pick(inputs, _SETTINGS),
            **pick_nested(inputs, _NESTED),
            "Environment": {"Variables": environment},
            "Layers": [arn for arn in inputs.get("layers") or [] if self._holds_layer(arn)],
        }

    def _holds_layer(self, arn: str) -> bool:
        """Tell a layer that was published here from one the local AWS only has a name for."""
        layer = found(lambda: self.aws.lambda_.get_layer_version_by_arn(Arn=arn))
        return layer is not None and layer["Content"].get("CodeSize", 0) > 0

    def _reserve(self, name: str, inputs: Mapping[str, Any]) -> None:
        reserved = inputs.get("reservedConcurrentExecutions", -1)
        if reserved >= 0:
            self.aws.lambda_.put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=reserved
            )
        else:
            with tolerating_absence():
                self.aws.lambda_.delete_function_concurrency(FunctionName=name)

    def _version(self, name: str) -> str:
        pages = self.aws.lambda_.get_paginator("list_versions_by_function").paginate(FunctionName=name)
        versions = [version["Version"] for page in pages for version in page["Versions"]]
        return max((version for version in versions if version.isdigit()), key=int, default="$LATEST")

    def _tag(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        added, removed = tag_changes(old, new)
        if added or removed:
            arn = self.aws.lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
            if added:
                self.aws.lambda_.tag_resource(Resource=arn, Tags=added)
            if removed:
                self.aws.lambda_.untag_resource(Resource=arn, TagKeys=removed)


def _zip(inputs: Mapping[str, Any]) -> bytes:
    code = inputs.get("code")
    if not isinstance(code, Archive):
        raise TypeError("its code must be an archive; images and code in S3 do not run locally")
    return code.read()


HANDLERS = (LambdaFunction,)
