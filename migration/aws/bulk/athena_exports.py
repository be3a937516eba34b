"""Snapshots as DynamoDB exports them to S3, folded there by Athena with the fold's own SQL file.

    facts ══ point-in-time export ══► s3://…/data/*.json.gz ══ Athena: fold.sql ══► a row an aggregate, as CSV

Neither takes any of the table's capacity. Everything is begun with a token, so that a process that was killed
finds what it began. The result is downloaded and set against `base_*` on this machine.
"""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from migration.aws.bulk.fold_sql import fold_of_export, table_of_export
from migration.aws.bulk.history_bulk import folded_by_athena
from migration.aws.transport.clients import translated
from migration.model.errors import RemoteError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import ExportDescriptionTypeDef
    from mypy_boto3_s3 import S3Client

    from migration.backfill.history import FoldedHistory
    from migration.model.clock import Clock
    from migration.model.fold import Fold, Row

PREFIX: Final = "exports"
_NO_RECOVERY: Final = "PointInTimeRecoveryUnavailableException"
_ENDED_BADLY: Final = frozenset({"FAILED", "CANCELLED"})
_LOOK_EVERY_S: Final = 0.5
ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True)
class AthenaExports:
    """One stack's exports.

    Attributes:
        dynamodb, athena, s3, clock: AWS.
        table: the facts.
        migration: whose folds they are.
        bucket: where exports go.
        workgroup, database: where Athena folds.
    """

    dynamodb: DynamoDBClient
    athena: AthenaClient
    s3: S3Client
    clock: Clock
    table: str
    migration: str
    bucket: str
    workgroup: str
    database: str

    def snapshot(self, token: str) -> str:
        """Request a full export of now, which DynamoDB tells by its own clock."""
        with translated(f"exporting {self.table}"):
            table = self.dynamodb.describe_table(TableName=self.table)["Table"]
        # The table's id, so that a table that was made anew is exported anew.
        words = f"{table['TableArn']} {table.get('TableId')} {self.migration} {token}"
        for attempt in range(ATTEMPTS):
            export = self._request(table["TableArn"], f"{words} {attempt}")
            if export["ExportStatus"] != "FAILED":  # as it is, for hours, when asked for again by its token
                break
        return export["ExportArn"]

    def _request(self, table_arn: str, words: str) -> ExportDescriptionTypeDef:
        with translated(f"exporting {self.table}"):
            try:
                answer = self.dynamodb.export_table_to_point_in_time(
                    TableArn=table_arn,
                    ClientToken=str(uuid.uuid5(uuid.NAMESPACE_URL, words)),
                    S3Bucket=self.bucket,
                    S3Prefix=PREFIX,
                    S3SseAlgorithm="AES256",
                    ExportFormat="DYNAMODB_JSON",
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == _NO_RECOVERY:
                    raise _cannot_export(self.table) from error
                raise
        return answer["ExportDescription"]

    def exporting(self, snapshot: str) -> str | None:
        """Ask DynamoDB how far the export is."""
        with translated(f"reading the export {snapshot}"):
            found = self.dynamodb.describe_export(ExportArn=snapshot)["ExportDescription"]
        if found["ExportStatus"] == "FAILED":
            raise RemoteError(
                f"the export {snapshot} failed: {found.get('FailureCode')}: {found.get('FailureMessage')}",
                hint="mend what it says; starting again exports again",
                next_command="cutover backfill start",
            )
        return None if found["ExportStatus"] == "COMPLETED" else f"the export {snapshot.rpartition('/')[2]}"

    def fold(self, snapshot: str) -> str:
        """Let Athena read the export, and start the fold; gives the query's id."""
        export = snapshot.rpartition("/")[2]
        table = f"facts_{export.replace('-', '_')}"
        location = f"s3://{self.bucket}/{PREFIX}/AWSDynamoDB/{export}/data/"
        made = self._start(table_of_export(table, location))
        while self.folding(made) is not None:
            self.clock.sleep(_LOOK_EVERY_S)
        return self._start(fold_of_export(table))

    def folding(self, fold: str) -> str | None:
        """Ask Athena how far the query is."""
        state, why = self._state(fold)
        if state in _ENDED_BADLY:
            raise RemoteError(
                f"Athena's query {fold} is {state}: {why}",
                hint="its workgroup limits how much a query may scan; starting again folds the same export",
                next_command="cutover backfill start",
            )
        return None if state == "SUCCEEDED" else f"the query {fold}"

    @contextmanager
    def folded(self, fold: str, bases: Iterable[tuple[Row, Fold]]) -> Iterator[FoldedHistory]:
        """Download the result and set it against what is installed."""
        with tempfile.TemporaryDirectory(prefix="cutover-") as folder:
            result = Path(folder) / "fold.csv"
            with translated(f"reading the result of {fold}"):
                found = self.athena.get_query_execution(QueryExecutionId=fold)["QueryExecution"]
                place = urlsplit(found["ResultConfiguration"]["OutputLocation"])
                self.s3.download_file(place.netloc, place.path.lstrip("/"), str(result))
            with folded_by_athena(result, bases) as folded:
                yield folded

    def _start(self, statement: str) -> str:
        """Start a query, or find it; one that ended badly is started anew."""
        words = f"{self.workgroup} {self.database} {statement}"
        for attempt in range(ATTEMPTS):
            with translated("asking Athena"):
                query = self.athena.start_query_execution(
                    QueryString=statement,
                    ClientRequestToken=hashlib.sha256(f"{words} {attempt}".encode()).hexdigest(),
                    QueryExecutionContext={"Database": self.database},
                    WorkGroup=self.workgroup,
                )["QueryExecutionId"]
            if self._state(query)[0] not in _ENDED_BADLY:
                break
        return query

    def _state(self, query: str) -> tuple[str | None, str | None]:
        with translated(f"reading the query {query}"):
            status = self.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        return status.get("State"), status.get("StateChangeReason")


def _cannot_export(table: str) -> UsageError:
    return UsageError(
        f"{table} cannot be exported: point-in-time recovery is off",
        hint="set cutover:pitr to true and deploy, or fold on this machine with --engine machine",
        next_command="cutover backfill start --engine machine",
    )
