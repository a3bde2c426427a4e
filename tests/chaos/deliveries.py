"""Which consumer holds which message, seen on the wires to SQS, and how soon those of a dead one are processed."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import orjson

from tests.chaos.network import Request, Response, Wire

__all__ = ["Deliveries"]

# of the queues of the template; a consumer that wants a message back sooner or later than this returns it
VISIBILITY_TIMEOUT_S = 30


class Deliveries:
    """Follows messages from their receipt to their deletion; times are in seconds since the epoch.

    Attributes:
        recovered: of each message that a killed consumer held, when that was killed and when the message was deleted.
        received_at: when a process last had an answer to ReceiveMessage.
    """

    def __init__(self) -> None:
        self.recovered: list[tuple[float, float]] = []
        self.received_at: dict[str, float] = {}
        self._message_of: dict[str, str] = {}
        self._held: dict[str, set[str]] = defaultdict(set)
        self._orphaned: dict[str, float] = {}
        self._receipt: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    @property
    def orphaned(self) -> int:
        """How many messages of killed consumers were not processed yet."""
        return len(self._orphaned)

    def held(self, process: str) -> int:
        """Count the messages that a process has neither deleted nor returned."""
        return len(self._held[process])

    async def receipt(self, process: str, within_s: float) -> None:
        """Wait until a process receives a message, or for so long."""
        self._receipt[process].clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._receipt[process].wait(), within_s)

    def killed(self, process: str) -> None:
        """Note that a process was killed, and what it held."""
        now = time.time()
        self._orphaned |= dict.fromkeys(self._held.pop(process, ()), now)

    def lost(self) -> None:
        """Note that the queues were lost with all messages."""
        self._held.clear()
        self._orphaned.clear()

    def observe(self, wire: Wire, request: Request, response: Response) -> None:
        """Note an answer of SQS that a process got."""
        _, _, operation = request.operation.partition("AmazonSQS.")
        if response.status != 200 or not operation:
            return
        try:
            answer: dict[str, Any] = orjson.loads(response.body or b"{}")
        except orjson.JSONDecodeError:  # a truncated one, of which the process knows no more
            return
        if operation == "ReceiveMessage":
            self.received_at[wire.caller] = time.time()
            for message in answer.get("Messages") or ():
                self._message_of[message["ReceiptHandle"]] = message["MessageId"]
                self._held[wire.caller].add(message["MessageId"])
                self._receipt[wire.caller].set()
        elif operation.startswith("DeleteMessage"):
            for entry in _succeeded(request, answer):
                self._deleted(self._message_of.get(entry["ReceiptHandle"], ""))
        elif operation.startswith("ChangeMessageVisibility"):
            for entry in _succeeded(request, answer):
                if entry["VisibilityTimeout"] != VISIBILITY_TIMEOUT_S:
                    self._held[wire.caller].discard(self._message_of.get(entry["ReceiptHandle"], ""))

    def _deleted(self, message: str) -> None:
        for held in self._held.values():
            held.discard(message)
        if (killed_at := self._orphaned.pop(message, None)) is not None:
            self.recovered.append((killed_at, time.time()))


def _succeeded(request: Request, answer: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Return the entries of a request, a batch or not, that SQS carried out."""
    body = orjson.loads(request.body)
    done = {entry["Id"] for entry in answer.get("Successful") or ()}
    return [entry for entry in body["Entries"] if entry["Id"] in done] if "Entries" in body else [body]
