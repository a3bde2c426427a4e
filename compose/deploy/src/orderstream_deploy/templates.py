"""The templates in S3, where CloudFormation reads nested stacks, in a folder for each content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orderstream_local.layout import COMPOSE

from .clients import Aws

__all__ = ["ROOT_TEMPLATE", "bucket_of_templates", "read_templates", "upload_templates"]

ROOT_TEMPLATE = "stage.yaml"


def read_templates(folder: Path = COMPOSE / "aws") -> dict[str, str]:
    """Return the templates by name."""
    return {each.name: each.read_text(encoding="utf-8") for each in sorted(folder.glob("*.yaml"))}


def bucket_of_templates(aws: Aws) -> str:
    """Return the name of the bucket, one for each account and region."""
    return f"orderstream-{aws.region}-{aws.account}-templates"


def upload_templates(aws: Aws, templates: Mapping[str, str]) -> str:
    """Put the *templates* into the bucket, which is made if there is none, and return the URL of their folder."""
    s3, bucket = aws.client("s3"), bucket_of_templates(aws)
    _make_bucket(s3, bucket, aws.region)
    digest = hashlib.sha256("\0".join(f"{name}\0{text}" for name, text in templates.items()).encode()).hexdigest()[:16]
    for name, text in templates.items():
        s3.put_object(Bucket=bucket, Key=f"{digest}/{name}", Body=text.encode(), ContentType="application/yaml")
    host = aws.endpoint_url or f"https://s3.{aws.region}.amazonaws.com"
    return f"{host}/{bucket}/{digest}"


def _make_bucket(s3: Any, bucket: str, region: str) -> None:
    if any(each["Name"] == bucket for each in s3.list_buckets()["Buckets"]):
        return
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **place)
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
