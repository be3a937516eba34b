"""An S3 bucket as all of ours are: encrypted, reached over TLS only, closed to the public, and forgetting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from cutover_infra.access import document

if TYPE_CHECKING:
    from cutover_infra.component import Component, Deployment


def make_bucket(owner: Component, deployment: Deployment, thing: str, days: int) -> aws.s3.Bucket:
    """Make the bucket `cutover-<stack>-<thing>-<account>` for objects that can be made again.

    Args:
        owner: the component it belongs to.
        deployment: what is being deployed.
        thing: its name; the account's id makes it unique in the world.
        days: how long an object is kept.
    """
    bucket = aws.s3.Bucket(
        thing,
        bucket=pulumi.Output.concat(deployment.name(thing), "-", deployment.account_id),
        force_destroy=True,
        opts=owner.child(),
    )
    _encrypt(owner, thing, bucket)
    _close(owner, thing, bucket)
    aws.s3.BucketLifecycleConfiguration(
        thing,
        bucket=bucket.bucket,
        rules=[
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                id="forget",
                status="Enabled",
                filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
                abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                    days_after_initiation=1
                ),
            )
        ],
        opts=owner.child(),
    )
    return bucket


def _encrypt(owner: Component, thing: str, bucket: aws.s3.Bucket) -> None:
    rule = aws.s3.BucketServerSideEncryptionConfigurationRuleArgs
    default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs
    aws.s3.BucketServerSideEncryptionConfiguration(
        thing,
        bucket=bucket.bucket,
        rules=[rule(apply_server_side_encryption_by_default=default(sse_algorithm="AES256"))],
        opts=owner.child(),
    )


def _close(owner: Component, thing: str, bucket: aws.s3.Bucket) -> None:
    block = aws.s3.BucketPublicAccessBlock(
        thing,
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=owner.child(),
    )
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket.arn, pulumi.Output.concat(bucket.arn, "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    # S3 takes one change of who may do what at a time.
    aws.s3.BucketPolicy(
        thing, bucket=bucket.bucket, policy=document([statement]), opts=owner.child(depends_on=[block])
    )
