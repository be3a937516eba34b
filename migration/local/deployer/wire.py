"""The SDK's wire format to values and back. Whole numbers come back as int: the wire has only floats.

Relative asset paths are taken from the program's folder, where the Pulumi CLI would run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import struct_pb2

from migration.local.deployer import sdk
from migration.local.deployer.archives import Archive, Asset
from migration.local.deployer.values import UNKNOWN, Secret, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def decode(struct: struct_pb2.Struct, folder: Path) -> dict[str, Value]:
    """Read a property map, sorted, as the wire has no order; null properties are left out."""
    values = {key: _decoded(value, folder) for key, value in sorted(struct.fields.items())}
    return {key: value for key, value in values.items() if value is not None}


def encode(values: Mapping[str, Value]) -> struct_pb2.Struct:
    """Write a property map. Archives are left out: the SDK then keeps what the program passed."""
    struct = struct_pb2.Struct()
    struct.update(
        {key: _encoded(value) for key, value in values.items() if not isinstance(value, Archive | Asset)}
    )
    return struct


def _decoded(value: struct_pb2.Value, folder: Path) -> Value:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if sdk.SIGNATURE in fields:
            return _special(fields, folder)
        return {key: _decoded(item, folder) for key, item in sorted(fields.items())}
    if kind == "list_value":
        return [_decoded(item, folder) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "string_value" and value.string_value == sdk.UNKNOWN_TEXT:
        return UNKNOWN
    return None if kind == "null_value" else getattr(value, kind)


def _special(fields: Mapping[str, struct_pb2.Value], folder: Path) -> Value:
    signature = fields[sdk.SIGNATURE].string_value
    if signature == sdk.SECRET:
        return Secret(_decoded(fields["value"], folder))
    if signature in {sdk.ASSET, sdk.ARCHIVE}:
        kind = Asset if signature == sdk.ASSET else Archive
        if "path" in fields:
            return kind(path=(folder / fields["path"].string_value).resolve())
        if "text" in fields:
            return Asset(text=fields["text"].string_value)
        if "assets" in fields:
            return Archive(assets=_decoded(fields["assets"], folder))
    raise ValueError(f"cannot take this kind of value locally (its fields are {sorted(fields)})")


def _encoded(value: Value) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, Secret):
        return {sdk.SIGNATURE: sdk.SECRET, "value": _encoded(value.value)}
    if isinstance(value, Unknown):
        return sdk.UNKNOWN_TEXT
    if isinstance(value, dict):
        return {key: _encoded(item) for key, item in value.items()}
    return [_encoded(item) for item in value] if isinstance(value, list) else value
