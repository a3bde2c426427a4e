"""Follows /stream with sseclient-py and requests: python with_sseclient.py http://127.0.0.1:8082/stream [LAST_ID]."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import requests
from sseclient import SSEClient

SILENCE_LIMIT_S = 45  # a heartbeat comes every 15 s


def follow(url: str, last: str = "") -> Iterator[dict[str, Any]]:
    """Yield what is pushed after the id *last*, or from now on; never ends."""
    retry_s = 1.0
    while True:
        headers = {"Last-Event-ID": last} if last else {}
        # it also gives the block that a lost connection cuts short
        with (
            suppress(requests.RequestException, json.JSONDecodeError),
            requests.get(url, headers=headers, stream=True, timeout=(10, SILENCE_LIMIT_S)) as response,
        ):
            response.raise_for_status()
            for event in SSEClient(response.iter_content(chunk_size=None)).events():
                data = json.loads(event.data)
                last = event.id or last
                retry_s = int(event.retry or retry_s * 1000) / 1000
                if event.event in {"message", "reset"}:
                    yield data
        time.sleep(retry_s)


if __name__ == "__main__":
    for told in follow(*sys.argv[1:]):
        print(json.dumps(told), flush=True)
