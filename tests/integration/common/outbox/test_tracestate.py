"""The outbox gets a tracestate while relays of the version without one claim."""

from __future__ import annotations

from service_common.outbox.table import OutboxTable
from service_common.postgres import Database
from tests.support.upgrades import apply_all_but, upgrade_under_load

PACKAGE = "service_common.outbox.migrations"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
# as the former version does
INSERT = "INSERT INTO outbox_event (destination, type, traceparent) VALUES ('q', 'paid', %s)"
CLAIM = """
    SELECT id, destination, type, subject, event_key, data, traceparent, occurred_at
    FROM claim_outbox_events('{}', '{}', 1, make_interval(secs => 3600))
"""


async def test_former_relays_claim_during_and_after_the_upgrade(database_url: str) -> None:
    async with Database.open(database_url, size=1) as database:  # one session, which keeps its plans
        await apply_all_but(database, (PACKAGE,), ("0005_claimed_columns.sql", "0006_tracestate.sql"))

        async def relay() -> None:
            await database.execute(INSERT, (TRACEPARENT,))
            [(*_, traceparent, _at)] = await database.fetch(CLAIM)
            assert traceparent == TRACEPARENT

        await relay()
        await upgrade_under_load(database_url, (PACKAGE,), relay)
        await relay()
        await database.execute(INSERT, (TRACEPARENT,))
        await database.execute(
            "INSERT INTO outbox_event (destination, type, traceparent, tracestate) VALUES ('q', 'paid', %s, 'a=1')",
            (TRACEPARENT,),
        )
        rows = await OutboxTable(database).claim(9, 3600)
        assert [(row.traceparent, row.tracestate) for row in rows] == [(TRACEPARENT, None), (TRACEPARENT, "a=1")]
        assert [row.event("/test").tracestate for row in rows] == [None, "a=1"]
