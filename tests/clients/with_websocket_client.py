"""Follows /ws with websocket-client: python with_websocket_client.py ws://127.0.0.1:8082/ws [LAST_ID]."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

from websocket import WebSocketException, create_connection

SILENCE_LIMIT_S = 45  # a heartbeat comes every 15 s


def follow(url: str, last: str = "") -> Iterator[dict[str, Any]]:
    """Yield what is pushed after the id *last*, or from now on; never ends."""
    retry_s = 1.0
    joint = "&" if "?" in url else "?"
    while True:
        address = f"{url}{joint}lastEventId={last}" if last else url
        with (
            suppress(OSError, WebSocketException),
            closing(create_connection(address, timeout=SILENCE_LIMIT_S)) as socket,
        ):
            while message := socket.recv():
                frame = json.loads(message)
                last = frame.get("id", last)
                if frame["type"] == "bye":
                    retry_s = frame["retryMs"] / 1000
                elif frame["type"] == "event":
                    yield frame["data"]
                elif frame["type"] == "reset":
                    yield frame
        time.sleep(retry_s)


if __name__ == "__main__":
    for told in follow(*sys.argv[1:]):
        print(json.dumps(told), flush=True)
