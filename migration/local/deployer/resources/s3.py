"""S3 buckets, and what is set on them one by one: encryption, public access, policy, lifecycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.resources.handler import (
    Handler,
    changed,
    pascal,
    pick,
    tag_list,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOME = "us-east-1"  # the one region that a bucket must not be told to be in


class Bucket(Handler):
    """`aws.s3.Bucket`; its id is its name."""

    type = "aws:s3/bucket:Bucket"
    name_input = "bucket"
    replace_on = frozenset({"bucket"})

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Make the bucket."""
        place: Any = {} if self.aws.region == _HOME else {"LocationConstraint": self.aws.region}
        more: Any = {"CreateBucketConfiguration": place} if place else {}
        self.aws.s3.create_bucket(Bucket=inputs["bucket"], **more)
        self._tag(inputs)

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN."""
        self.aws.s3.get_bucket_location(Bucket=physical_id)
        return {"arn": f"arn:aws:s3:::{physical_id}", "tagsAll": inputs.get("tags", {})}

    def update(self, _physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Set the tags; all else of a bucket is resources of its own."""
        if changed(old, new, ["tags"]):
            self._tag(new)

    def delete(self, physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Remove it; what is in it only where the program says so."""
        if inputs.get("forceDestroy"):
            self._empty(physical_id)
        self.aws.s3.delete_bucket(Bucket=physical_id)

    def _empty(self, bucket: str) -> None:
        for page in self.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            keys: Any = [{"Key": one["Key"]} for one in page.get("Contents", [])]
            if keys:
                self.aws.s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})

    def _tag(self, inputs: Mapping[str, Any]) -> None:
        if tags := tag_list(inputs.get("tags")):
            self.aws.s3.put_bucket_tagging(Bucket=inputs["bucket"], Tagging={"TagSet": tags})
        else:
            self.aws.s3.delete_bucket_tagging(Bucket=inputs["bucket"])


class _OfBucket(Handler):
    """A resource that is one setting of a bucket; its id is the bucket's name."""

    name_input = None
    replace_on = frozenset({"bucket"})
    id_form = "{bucket}"
    put_whole = True


class BucketServerSideEncryptionConfiguration(_OfBucket):
    """`aws.s3.BucketServerSideEncryptionConfiguration`."""

    type = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Set it."""
        special = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
        rules: Any = {"Rules": pascal(inputs["rules"], special)}
        self.aws.s3.put_bucket_encryption(Bucket=inputs["bucket"], ServerSideEncryptionConfiguration=rules)

    def read(self, physical_id: str, _inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether it is set."""
        self.aws.s3.get_bucket_encryption(Bucket=physical_id)
        return {}

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Go back to S3's own."""
        self.aws.s3.delete_bucket_encryption(Bucket=physical_id)


class BucketPublicAccessBlock(_OfBucket):
    """`aws.s3.BucketPublicAccessBlock`."""

    type = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Set it."""
        names = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        block: Any = pick(inputs, {name: name[:1].upper() + name[1:] for name in names})
        self.aws.s3.put_public_access_block(Bucket=inputs["bucket"], PublicAccessBlockConfiguration=block)

    def read(self, physical_id: str, _inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether it is set."""
        self.aws.s3.get_public_access_block(Bucket=physical_id)
        return {}

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it."""
        self.aws.s3.delete_public_access_block(Bucket=physical_id)


class BucketPolicy(_OfBucket):
    """`aws.s3.BucketPolicy`."""

    type = "aws:s3/bucketPolicy:BucketPolicy"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Set it."""
        self.aws.s3.put_bucket_policy(Bucket=inputs["bucket"], Policy=inputs["policy"])

    def read(self, physical_id: str, _inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether it is set."""
        self.aws.s3.get_bucket_policy(Bucket=physical_id)
        return {}

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it."""
        self.aws.s3.delete_bucket_policy(Bucket=physical_id)


class BucketLifecycleConfiguration(_OfBucket):
    """`aws.s3.BucketLifecycleConfiguration`."""

    type = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Set it."""
        rules: Any = {"Rules": pascal(inputs["rules"], {"id": "ID"})}
        self.aws.s3.put_bucket_lifecycle_configuration(Bucket=inputs["bucket"], LifecycleConfiguration=rules)

    def read(self, physical_id: str, _inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether it is set."""
        self.aws.s3.get_bucket_lifecycle_configuration(Bucket=physical_id)
        return {}

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it."""
        self.aws.s3.delete_bucket_lifecycle(Bucket=physical_id)


HANDLERS = (
    Bucket,
    BucketServerSideEncryptionConfiguration,
    BucketPublicAccessBlock,
    BucketPolicy,
    BucketLifecycleConfiguration,
)
