"""The only file that knows inside parts of the Pulumi SDK, which is therefore pinned to one minor version.

The smoke test `tests/contract/test_deployer_sdk.py` fails when an upgrade moves one of them. Decides nothing.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from google.protobuf import empty_pb2
from pulumi.runtime import Settings, configure, rpc, run_in_stack, set_all_config
from pulumi.runtime.proto import engine_pb2, resource_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

# The marks that tell special values from plain maps (sdk/go/common/resource/properties.go of pulumi/pulumi).
SIGNATURE = rpc._special_sig_key  # noqa: SLF001 - has no public name
SECRET = rpc._special_secret_sig  # noqa: SLF001 - same
ASSET = rpc._special_asset_sig  # noqa: SLF001 - same
ARCHIVE = rpc._special_archive_sig  # noqa: SLF001 - same
UNKNOWN_TEXT = rpc.UNKNOWN

DeploymentInfo = resource_pb2.DeploymentInfo
InvokeResponse = resource_pb2.ResourceInvokeResponse
ReadResponse = resource_pb2.ReadResourceResponse
RegisterResponse = resource_pb2.RegisterResourceResponse
# Secrets alone: without the others the SDK resolves aliases itself, sends ids for resources, and refuses by
# name what this deployer cannot do (transforms, hooks, deletedWith).
FEATURES = (resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,)
ERROR, WARNING, INFO = engine_pb2.ERROR, engine_pb2.WARNING, engine_pb2.INFO


def engine(log: Callable[[Any], None]) -> SimpleNamespace:
    """Make the object that gets the program's `pulumi.log` messages."""
    return SimpleNamespace(Log=log, RequirePulumiVersion=lambda _request: empty_pb2.Empty())


def nothing() -> object:
    """Answer a call that has no answer."""
    return empty_pb2.Empty()


__all__ = [
    "ARCHIVE",
    "ASSET",
    "ERROR",
    "FEATURES",
    "INFO",
    "SECRET",
    "SIGNATURE",
    "UNKNOWN_TEXT",
    "WARNING",
    "DeploymentInfo",
    "InvokeResponse",
    "ReadResponse",
    "RegisterResponse",
    "Settings",
    "configure",
    "engine",
    "nothing",
    "run_in_stack",
    "set_all_config",
]
