"""The front door around both sides' real handlers, each with a DynamoDB of the caller's choice."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import boto3

from benchmarks.systems import LEGACY_ENVIRONMENT, quiet
from legacy import tables as legacy_tables
from migration.door import control, ingest, sides
from pipeline.handlers import ingest as pipeline_ingest
from pipeline.stores import clients

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Handler = Callable[[dict[str, Any], object], dict[str, Any]]

CONTROL_TABLE: Final = "control"
_ENDPOINT: Final = "AWS_ENDPOINT_URL_DYNAMODB"
_ENVIRONMENT: Final = {
    **LEGACY_ENVIRONMENT,
    "AWS_REGION": os.environ["AWS_DEFAULT_REGION"],
    "LEGACY_HANDLER": "legacy.ingest.handler",
    "PIPELINE_HANDLER": "pipeline.handlers.ingest.handler",
    "FACTS_TABLE": "facts",
    "CONTROL_TABLE": CONTROL_TABLE,
    "BAKED_CONTROL": '{"stage":"off"}',
}
_CACHES: Final = (
    legacy_tables.dynamodb,
    legacy_tables.table,
    clients.dynamodb,
    pipeline_ingest.facts,
    control.control,
    ingest.mirror,
    sides.handler_of,
)


def set_stage(url: str, migration: str, stage: str, write_weight: int = 0) -> None:
    """Write a control item."""
    item: Any = {
        "migration": {"S": migration},
        "record": {"S": "state"},
        "stage": {"S": stage},
        "write_weight": {"N": str(write_weight)},
        "read_weight": {"N": "0"},
        "epoch": {"N": "1"},
    }
    boto3.client("dynamodb", endpoint_url=url).put_item(TableName=CONTROL_TABLE, Item=item)


@contextmanager
def door(migration: str, url: str, mirror_url: str | None = None) -> Iterator[Handler]:
    """Give the door of a fresh process: connections are made, and the stage is read, when first needed.

    Args:
        migration: whose control item is read.
        url: the DynamoDB of both sides and of the control table.
        mirror_url: that of the forward mirror, if it is another.
    """
    with patch.dict(os.environ, {**_ENVIRONMENT, _ENDPOINT: url, "MIGRATION": migration}), quiet():
        _forget()
        control.control()
        legacy_tables.dynamodb()
        clients.dynamodb()
        with patch.dict(os.environ, {_ENDPOINT: mirror_url or url}):
            ingest.mirror()
        yield ingest.handler
        _forget()


def _forget() -> None:
    for cached in _CACHES:
        cached.cache_clear()
