"""The verdict: for each promise, what in the evidence breaks it. Decides only; all facts come with the evidence."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.chaos.evidence import Evidence, Struck, epoch_s
from tests.support.system import TERMINAL

__all__ = ["PROMISES", "Promise", "Violation", "open_after", "percentile", "recovery_s", "violations"]

ENDS = {"CLOSED": "order-processed", "FAILED": "order-failed", "CANCELLED": "order-cancelled"}
SAGA_ENDS = {"CLOSED": "DONE", "FAILED": "FAILED"}
OPEN_LIMIT_S = 60.0
RECOVERY_LIMIT_S = 35.0
STOP_LIMIT_S = 10.0
MEMORY_LIMIT_MB = 300.0
# a process that is killed leaves part of a line, to which the next process adds its first
_KILLED = re.compile(r"(\S+) was terminated by SIGKILL")
_EXITED = re.compile(r"(\S+) exited with status (\d+)")


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that must not happen; *order* is the one that it happened to, if it is about an order."""

    what: str
    order: int | None = None


Check = Callable[[Evidence], Iterator[Violation]]


@dataclass(frozen=True, slots=True)
class Promise:
    """A row of the verdict: *count* says of how many things *check* found the violations."""

    name: str
    what: str
    count: Callable[[Evidence], int]
    check: Check


def percentile(values: list[float], share: float) -> float:
    """Return the value below which that share of the *values* is; 0 without values."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def recovery_s(evidence: Evidence) -> list[float]:
    """Return how long each message of a killed consumer took, from the kill or the end of another fault in between."""
    others = [each for each in evidence.struck if each.planned.fault.name != "kill"]
    return [_calm_s(others, killed, ended) for killed, ended in evidence.recovered]


def open_after(evidence: Evidence, struck: Struck) -> tuple[int, float, float]:
    """Return how many orders a fault left open, the longest time until one ended, and the same after later faults."""
    left = [
        epoch_s(order["updatedAt"])
        for order in evidence.orders.values()
        if epoch_s(order["createdAt"]) < struck.ended < epoch_s(order["updatedAt"]) and order["status"] in TERMINAL
    ]
    calm_s = max((_calm_s(evidence.struck, struck.ended, ended) for ended in left), default=0.0)
    return len(left), max(left, default=struck.ended) - struck.ended, calm_s


def _calm_s(faults: list[Struck], since: float, until: float) -> float:
    """Return the time from the end of the last of the *faults* between two times, at least from the first."""
    between = (min(each.ended, until) for each in faults if each.began < until and each.ended > since)
    return until - max([since, *between])


def _accepted(evidence: Evidence) -> Iterator[Violation]:
    for order_id in evidence.ledger.accepted.values():
        if order_id not in evidence.orders:
            yield Violation("accepted and not there", order_id)
    for order_id, order in evidence.orders.items():
        if order["status"] not in TERMINAL:
            yield Violation(f"is {order['status']}", order_id)
        if order_id in evidence.ledger.cancelled and order["status"] != "CANCELLED":
            yield Violation(f"cancelled, and is {order['status']}", order_id)


def _keys(evidence: Evidence) -> Iterator[Violation]:
    ledger = evidence.ledger
    for key in ledger.unanswered:
        yield Violation(f"the key {key} was never answered")
    for key, first, second in ledger.conflicts:
        yield Violation(f"the key {key} gave order {first} and order {second}", first)
    for key, order_id in evidence.repeated.items():
        if order_id != ledger.accepted.get(key):
            yield Violation(f"the key {key}, repeated, gave {order_id}", ledger.accepted.get(key))
    for order_id in evidence.orders.keys() - set(ledger.accepted.values()):
        yield Violation("stored, and no customer was told of it", order_id)


def _stock(evidence: Evidence) -> Iterator[Violation]:
    sold: Counter[str] = Counter()
    for order in evidence.orders.values():
        if order["status"] == "CLOSED":
            for item in order["orderItems"]:
                sold[item["productId"]] += item["quantity"]
    for product, stocked in evidence.ledger.stocked.items():
        left = evidence.shelves.get(product)
        if left is None or left + sold[product] != stocked:
            yield Violation(f"{product}: {stocked} put in, {sold[product]} sold, {left} left")
    if evidence.lowest < 0:
        yield Violation(f"a stock of {evidence.lowest} was seen")


def _events(evidence: Evidence) -> Iterator[Violation]:
    """Each saga and each notification has its cause, and each order what follows from it."""
    for order_id in (
        evidence.sagas.keys() | {each["orderId"] for each in evidence.notifications}
    ) - evidence.orders.keys():
        yield Violation("has a saga or a notification, and was never stored", order_id)
    for order_id, order in evidence.orders.items():
        states = {saga["version"]: saga["state"] for saga in evidence.sagas.get(order_id, [])}
        expected = SAGA_ENDS.get(order["status"])
        if expected is not None and states.pop(order["version"], None) != expected:
            yield Violation(
                f"is {order['status']}, and the saga of version {order['version']} is not {expected}", order_id
            )
        if set(states.values()) - {"RELEASED"} or max(states, default=0) > order["version"]:
            yield Violation(f"is {order['status']} in version {order['version']}, with sagas {states}", order_id)


def _notifications(evidence: Evidence) -> Iterator[Violation]:
    told: dict[int, list[str]] = defaultdict(list)
    for each in evidence.notifications:
        told[each["orderId"]].append(each["type"])
    for order_id, order in evidence.orders.items():
        story = told[order_id]
        changes = story.count("order-updated")
        if (
            story != ["order-created", *["order-updated"] * changes, ENDS.get(order["status"])]
            or changes >= order["version"]
        ):
            yield Violation(f"is {order['status']} in version {order['version']}, and was told as {story}", order_id)


def _pushes(evidence: Evidence) -> Iterator[Violation]:
    for number, watcher in enumerate(evidence.watchers, 1):
        who = f"watcher {number} ({watcher.protocol}, {watcher.connections} connections)"
        if watcher.resets:
            yield Violation(f"{who} was reset")
        twice = [after for before, after in pairwise(watcher.seen) if after <= before]
        wanted = [each for each in evidence.notifications if not watcher.orders or each["orderId"] in watcher.orders]
        missed = [each["id"] for each in wanted if _place(each["id"]) not in watcher.told]
        other = [each for each in evidence.notifications if _differs(watcher.told.get(_place(each["id"])), each)]
        for what, found in (("again or late", twice), ("never", missed), ("as something else", other)):
            if found:
                yield Violation(f"{who} saw {len(found)} {what}, such as {found[0]}")


def _place(event_id: str) -> int:
    return int(event_id.rpartition("-")[2])


def _differs(told: dict[str, Any] | None, recorded: dict[str, Any]) -> bool:
    return told is not None and told != {name: value for name, value in recorded.items() if name != "recordedAt"}


def _poison(evidence: Evidence) -> Iterator[Violation]:
    for each in evidence.poison:
        if each.at > evidence.queues_lost_at and each.body not in evidence.letters:
            yield Violation(f"not in the dead-letter queue of {each.queue}: {each.body}")
    for letter in set(evidence.letters) - {each.body for each in evidence.poison}:
        yield Violation(f"a good message was dead-lettered: {letter}")


def _memory(evidence: Evidence) -> Iterator[Violation]:
    for process, peak in evidence.peak_rss_mb.items():
        if peak > MEMORY_LIMIT_MB:
            yield Violation(f"{process} had {peak:.0f} MB")


def _logs(evidence: Evidence) -> Iterator[Violation]:
    killed = Counter(match[1] for _, text in evidence.exits if (match := _KILLED.match(text)))
    for process, torn in evidence.torn.items():
        if torn > killed[process]:
            yield Violation(f"{process} has {torn} lines that are no JSON, and was killed {killed[process]} times")
    for process, (wrote, there) in evidence.counted.items():
        if there < wrote:
            yield Violation(f"{process} says that it wrote {wrote} lines, and its log has {there}")
    for service in {process.partition("-")[0] for process in evidence.torn} - evidence.delivered:
        yield Violation(f"the last lines of {service} did not reach CloudWatch Logs")


def _stops(evidence: Evidence) -> Iterator[Violation]:
    for stop in evidence.stops:
        others = [each for each in evidence.struck if each.began < stop.at and each.ended > stop.at - stop.took_s - 1]
        if stop.took_s > STOP_LIMIT_S:
            yield Violation(f"{stop.process} took {stop.took_s:.1f} s to end")
        if stop.held and all(each.planned.fault.name == "terminate" for each in others):
            yield Violation(f"{stop.process} ended with {stop.held} messages in its hands")
    for line in evidence.lines:
        if line.fields.get("message") == "shutdown timed out":
            yield Violation(f"{line.process}: shutdown timed out, {line.fields.get('tasks')}")


def _errors(evidence: Evidence) -> Iterator[Violation]:
    for line in evidence.lines:
        if line.fields.get("level") in {"ERROR", "CRITICAL"} and line.fields.get("message") != "shutdown timed out":
            known = {
                name: line.fields[name] for name in ("path", "task", "reason", "error", "code") if name in line.fields
            }
            trace = str(line.fields.get("exc_info", "")).strip().rpartition("\n")[2]
            yield Violation(f"{line.process}: {line.fields['level']} {line.fields['message']} {known} {trace}".strip())


def _answers(evidence: Evidence) -> Iterator[Violation]:
    if evidence.ledger.statuses[500]:
        yield Violation(f"{evidence.ledger.statuses[500]} orders of customers were answered with 500")
    for line in evidence.lines:
        if line.fields.get("message") == "request handled" and line.fields.get("status") == 500:
            yield Violation(f"{line.process}: {line.fields['method']} {line.fields['path']} was answered with 500")


def _alive(evidence: Evidence) -> Iterator[Violation]:
    yield from map(Violation, evidence.unrecovered)
    for process, wrong in evidence.alive.items():
        if wrong:
            yield Violation(f"{process} {wrong}")


def _open(evidence: Evidence) -> Iterator[Violation]:
    for struck in evidence.struck:
        _, _, calm_s = open_after(evidence, struck)
        if calm_s > OPEN_LIMIT_S:
            yield Violation(f"{struck.planned.fault.name} of {struck.planned.target}: {calm_s:.0f} s")


def _recovery(evidence: Evidence) -> Iterator[Violation]:
    if evidence.orphaned:
        yield Violation(f"{evidence.orphaned} messages of killed consumers were never processed")
    p99 = percentile(recovery_s(evidence), 0.99)
    if p99 > RECOVERY_LIMIT_S:
        yield Violation(f"p99 is {p99:.1f} s")


PROMISES = (
    Promise("I1", "an accepted order reaches one terminal status", lambda e: len(e.ledger.accepted), _accepted),
    Promise("I2", "a key gives one order; what nobody was told of is not there", lambda e: len(e.ledger.wanted), _keys),
    Promise("I3", "stock + closed orders = stock put in, never below 0", lambda e: len(e.ledger.stocked), _stock),
    Promise("I4", "what follows from an order happens, and nothing else", lambda e: len(e.sagas), _events),
    Promise("I5", "CREATED once and first, one terminal notification", lambda e: len(e.notifications), _notifications),
    Promise(
        "I6",
        "who resumes misses nothing and sees nothing twice",
        lambda e: sum(w.connections for w in e.watchers),
        _pushes,
    ),
    Promise("I7", "what can't be understood is dead-lettered, nothing else is", lambda e: len(e.poison), _poison),
    Promise(
        "I8",
        f"deaf and hostile clients cost bounded memory ({MEMORY_LIMIT_MB:.0f} MB)",
        lambda e: len(e.peak_rss_mb),
        _memory,
    ),
    Promise("I9", "log lines are JSON, counted and delivered", lambda e: len(e.lines), _logs),
    Promise(
        "I10", f"SIGTERM: over within {STOP_LIMIT_S:.0f} s, nothing left in flight", lambda e: len(e.stops), _stops
    ),
    Promise("errors", "no ERROR or CRITICAL line", lambda e: len(e.lines), _errors),
    Promise("500", "no request is answered with 500", lambda e: e.ledger.statuses.total(), _answers),
    Promise("alive", "each process works, at the latest a minute after a fault", lambda e: len(e.alive), _alive),
    Promise("open", f"no order is open {OPEN_LIMIT_S:.0f} s after a fault", lambda e: len(e.struck), _open),
    Promise(
        "recovery", f"messages of killed consumers: p99 {RECOVERY_LIMIT_S:.0f} s", lambda e: len(e.recovered), _recovery
    ),
)


def violations(evidence: Evidence) -> dict[str, list[Violation]]:
    """Return what breaks each promise, by its name."""
    return {promise.name: list(promise.check(evidence)) for promise in PROMISES}
