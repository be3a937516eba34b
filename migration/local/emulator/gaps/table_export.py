"""What a point-in-time export leaves in S3.

ministack 1.5.33 accepts an export of any table and reports it complete, but writes no object. AWS refuses a
table without point-in-time recovery, takes a snapshot, and writes gzipped lines of `{"Item": …}`, a file a
partition, with two manifests and their checksums beside them. Filled by taking the snapshot when the export
is requested and writing it before the answer; it stays IN_PROGRESS for a second, as ministack has it. A time
in the past is refused, because what the table held then is not kept here.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
from typing import TYPE_CHECKING, Any, Final

from ministack.services import dynamodb, s3

from migration.local.emulator.gaps import seam
from migration.model.moments import moment_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Answer = tuple[int, dict[str, str], bytes]

_FILES: Final = 4
_OLDEST_S: Final = 60.0


def fill() -> None:
    """Fill the gap."""
    seam.replace(dynamodb, "_export_table_to_point_in_time", _writing)
    seam.replace(dynamodb, "_describe_export", _counting)


def _writing(export: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any]], Answer]:
    exports = seam.original(dynamodb, "_exports")

    def write(request: dict[str, Any]) -> Answer:
        if (refused := _refused(request)) is not None:
            return refused
        known = set(exports)
        answer = export(request)
        for arn in set(exports) - known:
            description = exports[arn]
            description.setdefault("ExportTime", description["StartTime"])
            try:
                _write(description)
            except LookupError as error:
                description.update(
                    ExportStatus="FAILED", FailureCode="S3NoSuchBucket", FailureMessage=str(error)
                )
            return _answer({"ExportDescription": description})
        return answer

    return write


def _counting(describe: Callable[[dict[str, Any]], Answer]) -> Callable[[dict[str, Any]], Answer]:
    """Tell what was exported, not what ministack counts when it is asked."""
    exports = seam.original(dynamodb, "_exports")

    def count(request: dict[str, Any]) -> Answer:
        answer = describe(request)
        description = exports.get(request.get("ExportArn"))
        if description is None or description["ExportStatus"] != "COMPLETED":
            return answer
        description.update(ItemCount=description["_items"], ExportManifest=description["_manifest"])
        return _answer({"ExportDescription": _shown(description)})

    return count


def _refused(request: dict[str, Any]) -> Answer | None:
    error: Callable[[str, str, int], Answer] = seam.original(dynamodb, "error_response_json")
    name = seam.original(dynamodb, "_table_name_from_arn")(request.get("TableArn") or "")
    if name in seam.original(dynamodb, "_tables") and not seam.original(dynamodb, "_pitr_settings").get(name):
        message = f"Point in time recovery is not enabled for table '{name}'"
        return error("PointInTimeRecoveryUnavailableException", message, 400)
    asked = request.get("ExportTime")
    if asked is not None and time.time() - float(asked) > _OLDEST_S:
        return error("InvalidExportTimeException", "the local AWS exports what a table holds now", 400)
    if (request.get("ExportType") or "FULL_EXPORT") != "FULL_EXPORT" or request.get("ExportFormat") == "ION":
        return error("ValidationException", "the local AWS exports whole tables as DYNAMODB_JSON", 400)
    return None


def _write(description: dict[str, Any]) -> None:
    folder = f"AWSDynamoDB/{description['ExportArn'].rpartition('/')[2]}"
    if description.get("S3Prefix"):
        folder = f"{description['S3Prefix']}/{folder}"
    bucket = description["S3Bucket"]
    _put(bucket, f"{folder}/_started", b"")
    files = [_put_file(bucket, folder, number, lines) for number, lines in enumerate(_lines(description))]
    manifest = b"".join(json.dumps(one).encode() + b"\n" for one in files)
    description["_items"] = sum(one["itemCount"] for one in files)
    description["_manifest"] = f"{folder}/manifest-summary.json"
    summary = json.dumps(_summary(description, f"{folder}/manifest-files.json")).encode()
    for name, body in (("manifest-files", manifest), ("manifest-summary", summary)):
        _put(bucket, f"{folder}/{name}.json", body)
        _put(bucket, f"{folder}/{name}.checksum", _md5(body).encode())


def _lines(description: dict[str, Any]) -> Iterator[list[bytes]]:
    """Spread the items over files by their partition key, as AWS's partitions do."""
    name = seam.original(dynamodb, "_table_name_from_arn")(description["TableArn"])
    files: list[list[bytes]] = [[] for _ in range(_FILES)]
    for partition, items in seam.original(dynamodb, "_tables")[name]["items"].items():
        lines = files[hashlib.md5(str(partition).encode(), usedforsecurity=False).digest()[0] % _FILES]
        lines += [json.dumps({"Item": item}).encode() for item in items.values()]
    return iter(files)


def _put_file(bucket: str, folder: str, number: int, lines: list[bytes]) -> dict[str, Any]:
    body = gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0)
    name = hashlib.sha256(f"{folder} {number}".encode()).hexdigest()[:26]
    key = f"{folder}/data/{name}.json.gz"
    etag = _put(bucket, key, body)
    return {"itemCount": len(lines), "md5Checksum": _md5(body), "etag": etag, "dataFileS3Key": key}


def _put(bucket: str, key: str, body: bytes) -> str:
    headers = {"content-type": "application/octet-stream", "content-length": str(len(body))}
    status, answered, text = seam.original(s3, "_put_object")(bucket, key, body, headers)
    if status >= 300:  # noqa: PLR2004 - redirects and errors
        raise LookupError(text.decode(errors="replace"))
    return str(answered["ETag"]).strip('"')


def _summary(description: dict[str, Any], manifest: str) -> dict[str, Any]:
    started = moment_text(description["StartTime"])
    return {
        "version": "2020-06-30",
        "exportArn": description["ExportArn"],
        "startTime": started,
        "endTime": moment_text(time.time()),
        "tableArn": description["TableArn"],
        "tableId": description["TableId"],
        "exportTime": started,
        "s3Bucket": description["S3Bucket"],
        "s3Prefix": description.get("S3Prefix"),
        "s3SseAlgorithm": description.get("S3SseAlgorithm", "AES256"),
        "s3SseKmsKeyId": description.get("S3SseKmsKeyId"),
        "manifestFilesS3Key": manifest,
        "billedSizeBytes": 0,
        "itemCount": description["_items"],
        "outputFormat": "DYNAMODB_JSON",
        "exportType": "FULL_EXPORT",
    }


def _answer(body: dict[str, Any]) -> Answer:
    answer: Answer = seam.original(dynamodb, "json_response")(body)
    return answer


def _shown(description: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in description.items() if not name.startswith("_")}


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
