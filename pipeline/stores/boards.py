"""Reading what a snapshot needs: program folds by scan (programs, not employees), boards from the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.domain.fold import Fold
from pipeline.domain.fold_rows import FRESHNESS
from pipeline.domain.ranking import Standing, board_shard, is_reserved
from pipeline.stores.errors import translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]


@dataclass(frozen=True, slots=True)
class ProgramFolds:
    """Every program's fold, and the time of the newest folded fact (None before the first)."""

    by_program: dict[str, Fold]
    newest_folded_at: str | None


@dataclass(frozen=True, slots=True)
class BoardReader:
    """Reads the aggregate tables. Its cost depends on programs, shards and board size, not on employees."""

    client: DynamoDBClient
    employee_progress: str
    program_progress: str
    board_shards: int

    def program_folds(self) -> ProgramFolds:
        """Sum each program's shards, reserved programs left out.

        Raises:
            UnavailableError: when DynamoDB does not answer.
        """
        folds: dict[str, Fold] = {}
        newest = None
        for item in self._scan_programs():
            program = item["program_id"]["S"]
            if program == FRESHNESS:
                newest = item["newest_folded_at"]["S"]
            elif not is_reserved(program):
                folds[program] = folds.get(program, Fold()) + _fold(item)
        return ProgramFolds(folds, newest)

    def best(self, board: str, size: int) -> list[Standing]:
        """Read the best `size` employees of each of a board's shards; the board's best are among them.

        Raises:
            UnavailableError: when DynamoDB does not answer.
        """
        return [
            _standing(item)
            for shard in range(self.board_shards)
            for item in self._query(board_shard(board, shard), size)
        ]

    def _scan_programs(self) -> Iterator[Item]:
        with translated():
            pages = self.client.get_paginator("scan").paginate(
                TableName=self.program_progress, ConsistentRead=True
            )
            for page in pages:
                yield from page["Items"]

    def _query(self, shard: str, size: int) -> list[Item]:
        with translated():
            pages = self.client.get_paginator("query").paginate(
                TableName=self.employee_progress,
                IndexName="by_score",
                KeyConditionExpression="board = :b",
                ExpressionAttributeValues={":b": {"S": shard}},
                ScanIndexForward=False,
                PaginationConfig={"MaxItems": size, "PageSize": size},
            )
            return [item for page in pages for item in page["Items"]]


def _fold(item: Item) -> Fold:
    return Fold(int(item["points"]["N"]), int(item["events"]["N"]), int(item["fingerprint"]["N"]))


def _standing(item: Item) -> Standing:
    return Standing(item["employee_id"]["S"], int(item["points"]["N"]), int(item["events"]["N"]))
