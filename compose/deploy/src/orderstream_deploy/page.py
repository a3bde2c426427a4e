"""The page in its bucket, with the headers that nginx sends for files, and what it has to know."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orderstream_local.layout import SERVICES

__all__ = ["config_of_page", "empty_bucket", "index_parameter", "objects_of_page", "upload_page"]

_HASHED = re.compile(r"-[\w-]{8}\.\w+$")


def index_parameter(folder: Path) -> str:
    """Return the page's index.html as page.yaml takes it: a JSON string."""
    return json.dumps((folder / "index.html").read_text(encoding="utf-8"), ensure_ascii=True)


def config_of_page(outputs: Mapping[str, str]) -> dict[str, Any]:
    """Return /config.json: all services below /api, and how to sign in."""
    auth = {
        "issuer": outputs["AuthIssuer"],
        "clientId": outputs["AuthAudience"].partition(",")[0],
        "scope": "openid profile",
        "rolesClaim": "cognito:groups",
    }
    return {**dict.fromkeys(SERVICES, "/api"), "auth": auth}


def objects_of_page(folder: Path) -> Iterator[tuple[str, Path, dict[str, str]]]:
    """Yield key, file and headers of each object; compressed copies stay behind, CloudFront compresses."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.suffix not in {".br", ".gz"} and file.name != "index.html":
            immutable = "public, max-age=31536000, immutable" if _HASHED.search(file.name) else "no-cache"
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            yield file.relative_to(folder).as_posix(), file, {"CacheControl": immutable, "ContentType": kind}


def upload_page(s3: Any, bucket: str, folder: Path, config: Mapping[str, Any]) -> int:
    """Put the page into the *bucket* and return the number of objects. What earlier pages need is left there."""
    number = 0
    for key, file, headers in objects_of_page(folder):
        s3.put_object(Bucket=bucket, Key=key, Body=file.read_bytes(), **headers)
        number += 1
    body = json.dumps(config).encode()
    s3.put_object(Bucket=bucket, Key="config.json", Body=body, ContentType="application/json", CacheControl="no-store")
    return number + 1


def empty_bucket(s3: Any, bucket: str) -> None:
    """Remove all objects, so that the bucket can be deleted."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        if found := page.get("Contents"):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": each["Key"]} for each in found]})
