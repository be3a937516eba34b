"""A table is exported by the local AWS as AWS does, and Athena reads the export as it does there."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from migration.aws.transport.clients import connect_bulk
from migration.local.emulator.gaps.athena_dialect import duckdb_type
from tests.contract.emulator_aws import eventually
from tests.contract.engines import unique

if TYPE_CHECKING:
    from migration.local.emulator import Emulator
    from tests.contract.emulator_aws import Clients

pytestmark = pytest.mark.slow
ITEMS: list[Any] = [
    {"id": {"S": f"item {n}"}, "n": {"N": str(n)}, "deep": {"M": {"B": {"S": "x"}}}} for n in range(30)
]


class Account:
    """A table that can be exported, a bucket, and Athena."""

    def __init__(self, emulator: Emulator, aws: Clients) -> None:
        clients, glue = connect_bulk("us-east-1", emulator.endpoint), boto3.Session()
        self.dynamodb, self.s3, self.athena = aws.dynamodb, clients.s3, clients.athena
        self.glue = glue.client("glue", **emulator.client_arguments)
        self.table, self.bucket = aws.table(), unique("exports")
        self.s3.create_bucket(Bucket=self.bucket)
        for item in ITEMS:
            self.dynamodb.put_item(TableName=self.table, Item=item)

    def recover(self) -> None:
        self.dynamodb.update_continuous_backups(
            TableName=self.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )

    def export(self, **more: Any) -> Any:
        arn = self.dynamodb.describe_table(TableName=self.table)["Table"]["TableArn"]
        asked = {"TableArn": arn, "S3Bucket": self.bucket, "S3Prefix": "some/place", **more}
        return self.dynamodb.export_table_to_point_in_time(**asked)["ExportDescription"]

    def complete(self, arn: str) -> Any:
        def ended() -> Any:
            found = self.dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
            return found if found["ExportStatus"] != "IN_PROGRESS" else None

        return eventually(ended)

    def read(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def ask(self, database: str, query: str) -> Any:
        started = self.athena.start_query_execution(
            QueryString=query,
            QueryExecutionContext={"Database": database},
            ResultConfiguration={"OutputLocation": f"s3://{self.bucket}/results/"},
        )["QueryExecutionId"]

        def ended() -> Any:
            found = self.athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]
            return found if found["Status"]["State"] in {"SUCCEEDED", "FAILED"} else None

        found = eventually(ended)
        assert found["Status"]["State"] == "SUCCEEDED", found
        bucket, _, key = found["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
        assert (bucket, key) == (self.bucket, f"results/{started}.csv")
        assert self.read(key) is not None
        return self.athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]


@pytest.fixture
def account(emulator: Emulator, aws: Clients) -> Account:
    return Account(emulator, aws)


def refusal(account: Account, **more: Any) -> str:
    with pytest.raises(ClientError) as caught:
        account.export(**more)
    return str(caught.value.response["Error"]["Code"])


def test_an_export_is_the_table_when_it_was_requested_in_files_with_manifests(account: Account) -> None:
    account.recover()
    begun = account.export(ClientToken="one")
    assert begun["ExportStatus"] == "IN_PROGRESS"
    account.dynamodb.put_item(TableName=account.table, Item={"id": {"S": "too late"}})
    assert account.export(ClientToken="one")["ExportArn"] == begun["ExportArn"]

    done = account.complete(begun["ExportArn"])

    assert (done["ExportStatus"], done["ItemCount"]) == ("COMPLETED", len(ITEMS))
    assert done["ExportTime"] <= done["EndTime"]
    folder = f"some/place/AWSDynamoDB/{begun['ExportArn'].rpartition('/')[2]}"
    assert done["ExportManifest"] == f"{folder}/manifest-summary.json"
    summary = json.loads(account.read(done["ExportManifest"]))
    assert (summary["itemCount"], summary["outputFormat"]) == (len(ITEMS), "DYNAMODB_JSON")
    manifest = account.read(summary["manifestFilesS3Key"])
    assert account.read(f"{folder}/manifest-files.checksum").decode() == md5(manifest)
    found = []
    for line in manifest.splitlines():
        file = json.loads(line)
        body = account.read(file["dataFileS3Key"])
        assert file["dataFileS3Key"].startswith(f"{folder}/data/")
        assert file["md5Checksum"] == md5(body)
        lines = gzip.decompress(body).splitlines()
        assert len(lines) == file["itemCount"]
        found += [json.loads(one)["Item"] for one in lines]
    assert sorted(found, key=str) == sorted(ITEMS, key=str)


def md5(body: bytes) -> str:
    return b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


def test_what_cannot_be_exported_is_refused_or_fails(account: Account) -> None:
    assert refusal(account) == "PointInTimeRecoveryUnavailableException"
    account.recover()
    assert refusal(account, ExportTime=time.time() - 3600) == "InvalidExportTimeException"
    assert refusal(account, ExportFormat="ION") == "ValidationException"
    begun = account.export(S3Bucket="no-such-bucket-anywhere")
    failed = account.complete(begun["ExportArn"])
    assert (failed["ExportStatus"], failed["FailureCode"]) == ("FAILED", "S3NoSuchBucket")


def test_athena_reads_declared_types_in_any_case_and_speaks_trino(account: Account) -> None:
    database = unique("database").replace("-", "_")
    account.glue.create_database(DatabaseInput={"Name": database})
    lines = [{"Item": {"T": {"S": "2026-03-01"}, "N": {"N": "007"}}}, {"Item": {"T": {"S": "é"}}}]
    body = gzip.compress("".join(f"{json.dumps(line)}\n" for line in lines).encode())
    account.s3.put_object(Bucket=account.bucket, Key="data/x.json.gz", Body=body)
    account.s3.put_object(Bucket=account.bucket, Key="data/empty.json.gz", Body=gzip.compress(b""))
    account.ask(
        database,
        "CREATE EXTERNAL TABLE t (item struct<T:struct<S:string>,n:struct<N:string>>) "
        f"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://{account.bucket}/data/'",
    )
    rows = account.ask(
        database,
        "SELECT item.t.s AS t, item.n.n AS n, "
        "from_base(substr(lower(to_hex(sha256(to_utf8(item.t.s)))), 1, 15), 16) AS hash FROM t ORDER BY 1",
    )
    texts = [[one.get("VarCharValue") for one in row["Data"]] for row in rows]
    digests = [int(hashlib.sha256(text.encode()).hexdigest()[:15], 16) for text in ("2026-03-01", "é")]
    assert texts[1:] == [["2026-03-01", "007", str(digests[0])], ["é", None, str(digests[1])]]


def test_types_are_translated_also_nested_ones() -> None:
    nested = "struct<a:array<struct<b:map<string,bigint>>>,c:int>"
    expected = 'STRUCT("a" STRUCT("b" MAP(VARCHAR, BIGINT))[], "c" INTEGER)'
    assert duckdb_type(nested) == expected
    with pytest.raises(ValueError, match="is no type"):
        duckdb_type("string>")
