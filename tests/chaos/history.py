"""The history of one order across the services: what customers asked, what each service stored, told and logged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import orjson

from tests.chaos.evidence import Evidence, epoch_s

__all__ = ["history"]

_COMMON = frozenset({"time", "level", "logger", "service", "message", "exc_info"})


def history(evidence: Evidence, order_id: int) -> list[str]:
    """Return a line for each thing that happened to an order, in the order of time."""
    return [
        f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f} {text}"
        for at, text in sorted(
            [*_stored(evidence, order_id), *_logged(evidence, order_id), *_struck(evidence, order_id)]
        )
    ]


def _stored(evidence: Evidence, order_id: int) -> Iterator[tuple[float, str]]:
    for at, asked in evidence.ledger.calls.get(order_id, []):
        yield at, f"customer: {asked}"
    if order := evidence.orders.get(order_id):
        yield epoch_s(order["updatedAt"]), f"order: {order['status']} in version {order['version']}"
    for saga in evidence.sagas.get(order_id, []):
        for step in saga["steps"]:
            yield (
                epoch_s(step["at"]),
                f"saga of version {saga['version']}: {step['state']}, {saga['attempts']} attempts",
            )
    for each in evidence.notifications:
        if each["orderId"] == order_id:
            yield epoch_s(each["recordedAt"]), f"notification {each['id']}: {each['kind']}, of {each['occurredAt']}"


def _logged(evidence: Evidence, order_id: int) -> Iterator[tuple[float, str]]:
    of_order = [line for line in evidence.lines if _names(line.fields, order_id)]
    traces = {line.fields["traceId"] for line in of_order if "traceId" in line.fields}
    for line in evidence.lines:
        if line in of_order or (line.fields.get("traceId") in traces and line.fields["level"] != "INFO"):
            more = {name: value for name, value in line.fields.items() if name not in _COMMON}
            yield (
                epoch_s(line.fields["time"]),
                f"{line.process}: {line.fields['message']} {orjson.dumps(more).decode()}",
            )


def _names(fields: dict[str, object], order_id: int) -> bool:
    return (
        fields.get("orderId") == order_id
        or fields.get("subject") == str(order_id)
        or str(fields.get("operationId", "")).startswith(f"{order_id}:")
    )


def _struck(evidence: Evidence, order_id: int) -> Iterator[tuple[float, str]]:
    """Yield the faults between the first call of the order and its end."""
    began = min((at for at, _ in evidence.ledger.calls.get(order_id, [])), default=0.0)
    for each in evidence.struck:
        if each.ended > began:
            yield each.began, f"fault: {each.planned.fault.name} of {each.planned.target} begins"
            yield each.ended, f"fault: {each.planned.fault.name} of {each.planned.target} ends"
