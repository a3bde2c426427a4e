"""What the alarms of compose/aws/alarms.yaml make of a recorded run."""

from __future__ import annotations

import lzma
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from orderstream_local.layout import ROOT, SERVICES
from tests.support.cloudwatch.alarm_state import State
from tests.support.cloudwatch.watch import MINUTE_S, CloudWatch, Template
from tests.support.template import read_template

__all__ = ["RECORDINGS", "Outcome", "evaluate", "watching"]

RECORDINGS = ROOT / "tests" / "alarms" / "recordings"
# minutes to the first evaluation, the first of which is not whole: an alarm on silence looks at three
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """The history of the alarms in a run.

    Attributes:
        minutes: the evaluated minutes, since the epoch.
        struck: the minute in which the fault began; `mended` is the one in which it ended.
        states: alarm to its state after each of the minutes.
    """

    minutes: range
    struck: int
    mended: int
    states: Mapping[str, list[State]]

    @property
    def rang(self) -> dict[str, int]:
        """The alarms that rang, and how many minutes after the fault."""
        return {
            name: self.minutes[states.index("ALARM")] - self.struck
            for name, states in self.states.items()
            if "ALARM" in states
        }

    @property
    def ringing(self) -> set[str]:
        """The alarms that still ring at the end."""
        return {name for name, states in self.states.items() if states[-1] == "ALARM"}


def watching(**parameters: object) -> CloudWatch:
    """Return CloudWatch with the resources of the template."""
    return CloudWatch(Template(read_template("alarms.yaml"), **parameters))


def evaluate(name: str) -> Outcome:
    """Evaluate the recording of a scenario, minute by minute."""
    first, *lines = lzma.decompress((RECORDINGS / f"{name}.jsonl.xz").read_bytes()).splitlines()
    times = orjson.loads(first)
    cloudwatch = watching()
    recorded = set()
    for line in lines:
        fields = orjson.loads(line)
        _take(cloudwatch, line, fields)
        recorded.add(fields.get("service"))
    began, struck, mended, ended = (_minute(times[when]) for when in ("began", "struck", "mended", "ended"))
    for service in SERVICES:  # one that was made after the recording is not silent
        if f"{service}-service" not in recorded:
            for minute in range(began, ended):
                cloudwatch.ingest(f"{service}-service-logs", b'{"message":"service measured"}', minute * MINUTE_S)
    minutes = range(began + WARM_UP, ended)
    return Outcome(minutes, struck, mended, cloudwatch.history(minutes, from_minute=began + 1))


def _take(cloudwatch: CloudWatch, text: bytes, fields: dict[str, Any]) -> None:
    at_s = _epoch_s(fields["time"])
    if "queue" in fields and "visible" in fields:
        cloudwatch.put(("AWS/SQS", "ApproximateNumberOfMessagesVisible", fields["queue"]), fields["visible"], at_s)
        cloudwatch.put(("AWS/SQS", "ApproximateAgeOfOldestMessage", fields["queue"]), fields["oldestS"], at_s)
    else:
        cloudwatch.ingest(f"{fields['service']}-logs", text, at_s)


def _epoch_s(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _minute(text: str) -> int:
    return int(_epoch_s(text) // MINUTE_S)
