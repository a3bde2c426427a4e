"""The safeguards of the system: where each is, how it is taken out, and the tests that fail without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "SAFEGUARDS", "Safeguard", "markdown"]

ROOT = Path(__file__).parents[2]

COMMON = "packages/common/src/service_common"
ORDER = "packages/order/src/order_service"
INVENTORY = "packages/inventory/src/inventory_service"
PROCESSING = "packages/processing/src/processing_service"
NOTIFICATION = "packages/notification/src/notification_service"


@dataclass(frozen=True, slots=True)
class Safeguard:
    """A safeguard, and the edit that removes it.

    Attributes:
        holds: what holds because of it.
        file: where it is; *old* occurs there once, and *new* in its place takes it out.
        reason: a pattern that the report of the failures matches, so that they fail because of the edit.
        tests: each of them fails without it.
    """

    name: str
    holds: str
    file: str
    old: str
    new: str
    reason: str
    tests: tuple[str, ...]

    def edited(self) -> str:
        """Return the file without the safeguard.

        Raises:
            ValueError: the edit does not apply exactly once.
        """
        text = (ROOT / self.file).read_text("utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.old!r} is {text.count(self.old)} times in {self.file}")
        return text.replace(self.old, self.new)


SAFEGUARDS = (
    Safeguard(
        "idempotency key",
        "a repeated request places no second order",
        f"{ORDER}/migrations/0005_customers.sql",
        "IF p_key IS NOT NULL THEN",
        "IF false THEN",
        "assert",
        ("tests/contract/test_order_repository.py::test_same_key_makes_one_order",),
    ),
    Safeguard(
        "access of an endpoint",
        "only those call an endpoint that it is for",
        f"{COMMON}/auth/access_control.py",
        "if principal.kind not in allowed:",
        "if not allowed:",
        "assert",
        ("tests/integration/common/auth/test_access_control.py::test_caller_without_the_role_is_refused",),
    ),
    Safeguard(
        "customer of an order",
        "a customer cancels no order of another",
        f"{ORDER}/sql/cancel_order.sql",
        " OR orders.customer_id = %(customer_id)s",
        " OR true",
        "assert",
        ("tests/contract/test_order_repository.py::test_order_of_another_customer_does_not_exist",),
    ),
    Safeguard(
        "scope of a caller",
        "a customer sees and hears what is its own",
        f"{COMMON}/auth/principal.py",
        "return OneCustomer(self.subject)",
        "return ALL_CUSTOMERS",
        "assert",
        ("tests/integration/notification/test_scope.py::test_customer_hears_own_notifications_whatever_it_asks_for",),
    ),
    Safeguard(
        "scope of a stream",
        "a filter by order does not reach beyond the scope",
        f"{NOTIFICATION}/push/hub.py",
        "if wanted.scope.includes(each.customer_id) and ",
        "if ",
        "assert",
        ("tests/unit/notification/push/test_hub.py::test_filter_by_order_does_not_reach_beyond_the_scope",),
    ),
    Safeguard(
        "signature of a token",
        "a token that the issuer did not sign is refused",
        f"{COMMON}/auth/tokens.py",
        "if not valid:",
        "if valid is None:",
        "DID NOT RAISE",
        ("tests/unit/common/auth/test_tokens.py::test_signature_of_another_key_is_refused",),
    ),
    Safeguard(
        "version check",
        "an order that was changed is not closed with its former items",
        f"{ORDER}/migrations/0010_settle_free_orders.sql",
        "orders.status = 'CREATED' AND orders.version = r.version",
        "orders.status = 'CREATED'",
        "assert",
        ("tests/contract/test_order_repository.py::test_another_version_is_not_settled",),
    ),
    Safeguard(
        "status check",
        "an order has one end",
        f"{ORDER}/migrations/0010_settle_free_orders.sql",
        "orders.status = 'CREATED' AND orders.version = r.version",
        "orders.version = r.version",
        "assert",
        ("tests/contract/test_order_repository.py::test_order_is_settled_once",),
    ),
    Safeguard(
        "reconciliation",
        "an order whose message was lost is announced again",
        f"{ORDER}/sql/announce_late_orders.sql",
        "WHERE o.status = 'CREATED'",
        "WHERE o.status = 'LATE'",
        "assert",
        ("tests/integration/order/test_postgres.py::test_late_order_is_announced_to_the_processing_queue_again",),
    ),
    Safeguard(
        "guarded decrement",
        "no more is taken than is in stock",
        f"{INVENTORY}/migrations/0002_take_stock.sql",
        " WHEN bool_or(stock < quantity) THEN 'short'",
        "",
        "IntegrityError.*inventory_stock_check",
        (
            "tests/contract/test_inventory_repository.py"
            "::test_short_operation_takes_nothing_and_reports_every_short_item",
        ),
    ),
    Safeguard(
        "operation id",
        "a repeated step takes stock once",
        f"{PROCESSING}/saga.py",
        "return operation_id(self.order_id, self.version, self.restarts)",
        "return operation_id(self.order_id, self.version, id(self))",
        "assert",
        ("tests/integration/processing/test_engine.py::test_crash_at_any_point_changes_no_result[CREATED-3-2-after]",),
    ),
    Safeguard(
        "tombstone",
        "what was released before it took anything takes nothing later",
        f"{INVENTORY}/migrations/0004_release_to_the_same_product.sql",
        """INSERT INTO stock_operation (id, released_at)
    VALUES (operation_id, clock_timestamp())
    ON CONFLICT (id) DO NOTHING;
    IF FOUND THEN""",
        """PERFORM FROM stock_operation WHERE id = operation_id;
    IF NOT FOUND THEN""",
        "Released",
        ("tests/contract/test_inventory_repository.py::test_operation_released_before_takes_nothing",),
    ),
    Safeguard(
        "SKIP LOCKED (stock)",
        "a locked product does not delay the others",
        f"{INVENTORY}/migrations/0005_locked_products.sql",
        "FOR NO KEY UPDATE SKIP LOCKED",
        "FOR NO KEY UPDATE",
        "BusyError",
        (
            "tests/integration/inventory/test_locked_products.py::test_operations_on_other_products_do_not_wait",
            "tests/integration/inventory/test_locked_products.py::test_batch_is_carried_out_but_for_the_locked_product",
        ),
    ),
    Safeguard(
        "lease of a saga",
        "two engines never run a saga at the same time",
        f"{PROCESSING}/migrations/0007_claimed_columns.sql",
        "            AND (lease_until IS NULL OR lease_until <= now())\n",
        "",
        "assert",
        ("tests/contract/test_saga_repository.py::test_new_saga_is_claimed_by_its_starter",),
    ),
    Safeguard(
        "bit of a settled order",
        "an event of an order whose saga was deleted starts nothing",
        f"{PROCESSING}/migrations/0011_retention.sql",
        "        RETURN NULL;\n",
        "        RETURN NEW;\n",
        "assert",
        ("tests/contract/test_saga_repository.py::test_forgotten_saga_of_a_settled_order_starts_nothing_again",),
    ),
    Safeguard(
        "fence of a saga",
        "an engine that lost its lease changes nothing",
        f"{PROCESSING}/migrations/0010_failed_attempts.sql",
        "            AND saga.fence = change.fence\n",
        "",
        "assert not True",
        (
            "tests/contract/test_saga_repository.py::test_saga_can_be_claimed_after_its_lease",
            "tests/contract/test_saga_repository.py::test_restart_invalidates_the_claim_of_the_released_run",
        ),
    ),
    Safeguard(
        "confirmation first",
        "a late duplicate takes no stock for an order that was withdrawn",
        f"{PROCESSING}/step_runner.py",
        "if saga.restarts:  # by reconciliation",
        "if saga.restarts < 0:  # by reconciliation",
        "assert",
        (
            "tests/integration/processing/test_engine.py"
            "::test_late_duplicate_takes_no_stock_for_an_order_that_was_withdrawn",
        ),
    ),
    Safeguard(
        "foreign answers",
        "the 404 of a proxy ends no saga",
        f"{COMMON}/http_client/transport.py",
        "if status >= 400 and slug in call.refusals:",
        "if status >= 400:",
        "FAILING|RELEAS",
        ("tests/integration/processing/test_engine.py::test_no_saga_ends_by_the_answers_of_a_proxy",),
    ),
    Safeguard(
        "busy is no outage",
        "a locked row of one product opens no circuit",
        f"{COMMON}/http_client/retry_policy.py",
        """        if self.outcome is AttemptOutcome.BUSY:
            return True
""",
        "",
        "== 7",  # what the service asked for, not the time until the circuit closes
        (
            "tests/integration/common/http_client/test_client.py"
            "::test_answer_that_a_resource_is_busy_is_passed_on_and_leaves_the_circuit_closed",
        ),
    ),
    Safeguard(
        "driver errors",
        "whatever the driver raises reaches the services as one of their errors",
        f"{COMMON}/postgres/session.py",
        """            return read(self._cursor.raw)
        except Exception as error:
            raise self._failure(error) from error
""",
        """            return read(self._cursor.raw)
""",
        r"isinstance\(.*, ServiceError\)",
        (
            "tests/integration/common/postgres/test_driver_errors.py::test_only_service_errors_come_out_and_the_pool_recovers",
        ),
    ),
    Safeguard(
        "late timers",
        "an answer that has come is an answer, however late the process sees it",
        f"{COMMON}/postgres/session.py",
        "if not self._connection.answered():",
        "if self.broken is None:",
        "gave no answer",
        (
            "tests/integration/common/postgres/test_driver_errors.py"
            "::test_answer_that_came_before_the_time_limit_was_noticed_is_an_answer",
        ),
    ),
    Safeguard(
        "supervision",
        "a background task that dies is started again",
        f"{COMMON}/lifecycle/background_tasks.py",
        "        if readiness.draining:\n            return\n",
        "        if deaths:\n            return\n",
        "TimeoutError|assert",
        (
            "tests/unit/common/lifecycle/test_background_tasks.py::test_work_that_ends_is_logged_counted_and_started_again",
        ),
    ),
    Safeguard(
        "end of a process that does not recover",
        "a task that keeps dying ends the process, so that the platform starts another",
        f"{COMMON}/lifecycle/background_tasks.py",
        "            readiness.fail()\n",
        "",
        "TimeoutError|assert",
        ("tests/unit/common/lifecycle/test_background_tasks.py::test_work_that_keeps_dying_stops_the_process",),
    ),
    Safeguard(
        "lock_timeout",
        "a statement that waits for a lock gives its connection back",
        f"{COMMON}/postgres/connection.py",
        " -c lock_timeout={_LOCK_TIMEOUT_MS}",
        "",
        "StatementTimeoutError",
        ("tests/integration/common/postgres/test_database.py::test_wait_for_a_lock_ends_and_the_session_goes_on",),
    ),
    Safeguard(
        "one by one after a lock",
        "a locked saga does not fail the others of its batch",
        f"{COMMON}/call_batcher.py",
        "if len(batch) > 1 and isinstance(error, self._apart):",
        "if not batch:",
        "BusyError",
        (
            "tests/unit/common/test_call_batcher.py"
            "::test_item_that_fails_its_batch_fails_alone_and_the_others_keep_their_order",
            "tests/integration/processing/test_locked_rows.py::test_locked_saga_leaves_the_others_of_its_batch_written",
        ),
    ),
    Safeguard(
        "lease of an event",
        "two relays do not send the same event",
        f"{COMMON}/outbox/migrations/0005_claimed_columns.sql",
        "SET available_at = now() + p_lease, attempts",
        "SET attempts",
        "assert",
        ("tests/integration/common/outbox/test_relay.py::test_concurrent_relays_send_each_event_once",),
    ),
    Safeguard(
        "SKIP LOCKED (outbox)",
        "a claim does not wait for events that another transaction holds",
        f"{COMMON}/outbox/migrations/0005_claimed_columns.sql",
        "FOR UPDATE OF event SKIP LOCKED",
        "FOR UPDATE OF event",
        "BusyError",
        ("tests/integration/common/outbox/test_order.py::test_event_waits_for_an_earlier_one_that_is_locked",),
    ),
    Safeguard(
        "order of a subject",
        "events of an order are sent in their order",
        f"{COMMON}/outbox/migrations/0005_claimed_columns.sql",
        "due.first_id = due.id OR NOT EXISTS (",
        "true OR NOT EXISTS (",
        "assert",
        ("tests/integration/common/outbox/test_order.py::test_event_waits_for_an_earlier_one_that_is_locked",),
    ),
    Safeguard(
        "events set aside",
        "an event that can never be sent does not block those after it",
        f"{COMMON}/outbox/relay.py",
        "await self._table.set_aside(unsendable)",
        "pass",
        "TimeoutError",
        ("tests/integration/common/outbox/test_relay.py::test_event_that_can_never_be_sent_is_set_aside",),
    ),
    Safeguard(
        "poison",
        "a message that can't be understood goes to the dead-letter queue",
        f"{COMMON}/sqs/delivery.py",
        "if isinstance(error, PermanentError):",
        "if error is None:",
        "Delay",
        ("tests/unit/common/sqs/test_delivery.py::test_permanent_error_is_dead_lettered_with_its_reason",),
    ),
    Safeguard(
        "heartbeat",
        "a message is not delivered again while it is handled",
        f"{COMMON}/sqs/heartbeat.py",
        "due = [entry for entry in self._in_flight if now_s - entry.extended_at >= interval_s * 0.75]",
        "due: list[InFlightMessage] = []",
        "TimeoutError",  # no extension is seen
        (
            "tests/integration/common/sqs/test_poller.py"
            "::test_heartbeat_keeps_a_slow_message_from_being_delivered_again",
        ),
    ),
    Safeguard(
        "checked acknowledgements",
        "a message whose deletion failed is deleted again",
        f"{COMMON}/sqs/acknowledger.py",
        "refusal = refused.get(position)",
        "refusal = None",
        "TimeoutError|assert",
        ("tests/integration/common/sqs/test_poller.py::test_refused_entries_of_an_acknowledgement_are_retried",),
    ),
    Safeguard(
        "gate of a poller",
        "an outage of the database uses up no receives",
        f"{COMMON}/sqs/receive_loop.py",
        "if self._gate is not None:",
        "if self._gate is None:",
        "await asked.wait",
        ("tests/integration/common/sqs/test_poller.py::test_nothing_is_received_before_the_gate_opens",),
    ),
    Safeguard(
        "dedupe",
        "an event that comes twice adds one notification",
        f"{NOTIFICATION}/migrations/0007_trace_context.sql",
        "CONTINUE WHEN event.slot = ANY (known) OR -1 = ANY (known);",
        "",
        "IntegrityError.*notification_order_id_slot_key",
        (
            "tests/contract/test_feed.py::test_each_version_is_stored_once",
            "tests/contract/test_feed.py::test_event_after_the_terminal_one_is_dropped",
        ),
    ),
    Safeguard(
        "CREATED first",
        "a terminal event that comes first writes the creation before it",
        f"{NOTIFICATION}/migrations/0007_trace_context.sql",
        "IF event.slot <> 0 AND NOT 0 = ANY (known) THEN",
        "IF false THEN",
        "assert",
        ("tests/contract/test_feed.py::test_terminal_event_that_comes_first_stores_the_creation_before_it",),
    ),
    Safeguard(
        "lock of the feed",
        "positions are dense and in the order of the commits",
        f"{NOTIFICATION}/migrations/0007_trace_context.sql",
        "FROM feed FOR UPDATE;",
        "FROM feed;",
        "IntegrityError.*notification_pkey",
        (
            "tests/integration/notification/test_feed_concurrency.py"
            "::test_two_tailers_publish_one_dense_sequence_while_appends_fail",
        ),
    ),
    Safeguard(
        "anti-entropy",
        "notifications of a lost queue are restored",
        f"{NOTIFICATION}/feed/anti_entropy.py",
        "if (events := missing_events(order, stored.get(order.id, ())))]",
        "if (events := missing_events(order, stored.get(order.id, ()))) and not events]",
        "assert",
        ("tests/unit/notification/feed/test_anti_entropy.py::test_missing_notifications_are_stored_and_counted",),
    ),
    Safeguard(
        "gap in the feed",
        "what a bus passes on early waits for what comes before it",
        f"{NOTIFICATION}/feed/sequencer.py",
        "if item.seq == self.seq + 1:",
        "if item.seq >= self.seq + 1:",
        "assert",
        (
            "tests/unit/notification/feed/test_sequencer.py::test_client_has_each_notification_once_in_order",
            "tests/unit/notification/feed/test_sequencer.py::test_nothing_is_passed_on_before_what_is_missing",
        ),
    ),
    Safeguard(
        "epoch of what is passed on",
        "what a bus has of a feed before a restore reaches no client",
        f"{NOTIFICATION}/feed/sequencer.py",
        "if epoch != self.state.epoch:",
        "if not epoch:",
        "assert",
        ("tests/unit/notification/feed/test_sequencer.py::test_what_is_of_an_earlier_epoch_is_dropped",),
    ),
    Safeguard(
        "end of the feed",
        "what was announced and is not in the table is not held",
        f"{NOTIFICATION}/feed/sequencer.py",
        "if seq > state.head:",
        "if seq > state.head + 1:",
        "assert",
        ("tests/unit/notification/feed/test_sequencer.py::test_what_the_table_does_not_have_is_not_held_any_longer",),
    ),
    Safeguard(
        "disk",
        "consumers receive nothing while the disk of the database is full",
        f"{COMMON}/postgres/database.py",
        "        await self._pool.writes.wait()\n",
        "",
        "assert",
        (
            "tests/integration/common/postgres/test_outages.py"
            "::test_consumers_wait_while_the_disk_is_full_and_what_reads_goes_on",
        ),
    ),
)


def markdown(safeguards: Sequence[Safeguard] = SAFEGUARDS) -> str:
    """Return the table of the documentation."""
    lines = ["| safeguard | what holds because of it | where | fails without it |", "|---|---|---|---|"]
    for each in safeguards:
        tests = "<br>".join(f"`{test}`" for test in each.tests)
        lines.append(f"| {each.name} | {each.holds} | `{each.file}` | {tests} |")
    return "\n".join(lines)
