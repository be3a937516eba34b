"""The fold as Athena reads it: the text parses as Trino's, and is the file that DuckDB runs."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

from migration.aws.bulk.fold_sql import FOLD, fold_of_export, table_of_export

QUERY = fold_of_export("facts_01_abc")


def test_the_query_ends_in_the_very_file_that_duckdb_runs() -> None:
    assert QUERY.endswith(FOLD)


def test_it_is_one_statement_of_trino_over_the_exports_table_alone() -> None:
    [statement] = sqlglot.parse(QUERY, read="trino")
    assert isinstance(statement, exp.Select)
    assert {table.name for table in statement.find_all(exp.Table)} == {"facts_01_abc", "facts_to_fold"}
    names = [column.alias_or_name for column in statement.selects]
    folds = [f"{lane}_{value}" for lane in ("live", "base") for value in ("points", "events", "fingerprint")]
    assert names == ["employee_id", "program_id", *folds]


def test_it_calls_only_functions_that_trino_has() -> None:
    text = re.sub(r"--.*", "", QUERY)
    called = set(re.findall(r"\b([a-z_0-9]+)\(", text))
    assert called == {"chr", "from_base", "grouping", "lower", "sha256", "substr", "sum", "to_hex", "to_utf8"}


def test_sums_of_fingerprints_have_room_for_a_billion_facts() -> None:
    kinds = {
        one.sql(dialect="trino") for one in sqlglot.parse_one(QUERY, read="trino").find_all(exp.DataType)
    }
    assert "DECIMAL(38, 0)" in kinds
    assert 10**9 * 16**15 < 10**38


def test_the_table_is_external_and_declares_what_the_query_reads() -> None:
    statement = table_of_export("facts_01_abc", "s3://bucket/exports/AWSDynamoDB/01-abc/data/")
    [parsed] = sqlglot.parse(statement, read="hive")
    assert isinstance(parsed, exp.Create)
    assert statement.startswith("CREATE EXTERNAL TABLE IF NOT EXISTS")
    for path in ("employee_id", "event_id", "program_id", "points", "lane"):
        assert f"{path}:struct<" in statement
        assert f"item.{path}." in QUERY
