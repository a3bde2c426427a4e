"""Services that are asked to end while orders come in: what is in flight ends, or is handed back at once."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.events import Queues
from tests.support.processes import stopped
from tests.support.trial import Trial

pytestmark = pytest.mark.asyncio(loop_scope="module")

# well below the 30 s of a visibility time-out and an outbox lease, and above a saga's longest pause after an outage
HANDED_BACK_WITHIN_S = 20.0
LEASED = "SELECT count(*) FROM saga WHERE lease_until > now()"
CLAIMED = "SELECT count(*) FROM outbox_event WHERE sent_at IS NULL AND available_at > now() + interval '1 second'"


@pytest.mark.parametrize("service", ["order", "inventory", "processing", "notification"])
async def test_nothing_is_left_to_a_time_out_when_a_service_ends(trial: Trial, service: str) -> None:
    left: dict[str, int] = {}

    async def end() -> None:
        await asyncio.sleep(2)
        async with stopped(trial.system, service):
            left.update(await left_behind(trial, service))
            await asyncio.sleep(1)

    await trial.during(end, seconds=6, settled_within_s=HANDED_BACK_WITHIN_S)
    assert set(left.values()) <= {0}, left
    log = trial.system.stack.processes[f"{service}-service"].log.read_text(encoding="utf-8")
    assert "shutdown timed out" not in log
    assert '"message":"service stopped"' in log


async def left_behind(trial: Trial, service: str) -> dict[str, int]:
    """Count what nobody can take on before a time-out has passed."""
    counts: dict[str, int] = {}
    if service == "order":
        counts["claimed events"] = trial.system.rows("orders", CLAIMED)[0][0]
    if service == "processing":
        counts["leased sagas"] = trial.system.rows("processing", LEASED)[0][0]
        counts["claimed events"] = trial.system.rows("processing", CLAIMED)[0][0]
    if service in {"processing", "notification"}:
        client = trial.system.sqs()
        try:
            counts["hidden messages"] = await Queues(client).hidden(f"{service}-queue")
        finally:
            client.close()
    return counts
