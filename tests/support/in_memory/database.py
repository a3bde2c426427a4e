"""A database without a server: runs the statements of the services on the in-memory adapters.

The SQL adapters, with their batches and rows, run on it unchanged. The contract tests hold every statement here to the
SQL of the same name.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from dataclasses import astuple, replace
from datetime import datetime
from typing import Any, TypeVar

from inventory_service.domain import (
    Description,
    Product,
    ProductExistsError,
    ProductNotFoundError,
    Released,
    Reused,
    Short,
    StaleProductError,
    Taken,
    TakeOutcome,
    Unknown,
)
from notification_service.notification import NotificationFilter, Page, Selection
from order_contracts import EventType, Item, OrderEvent
from order_service.domain import ChangePosition, Order, OrderFilter, OrderItem, OrderStatus, PlaceOrder
from order_service.ports import Change, Placement
from processing_service.ports import Claim
from processing_service.saga import FailedAttempt, FailureKind, Saga, SagaState, SagaStep
from service_common.auth import Caller, Principal
from service_common.paging import PageRequest
from service_common.postgres import Row, load_statements
from service_common.scope import ALL_CUSTOMERS, OneCustomer, Scope
from tests.support.in_memory.access import InMemoryAccess
from tests.support.in_memory.inventory import InMemoryStock
from tests.support.in_memory.notification import InMemoryFeed
from tests.support.in_memory.order import InMemoryOrders
from tests.support.in_memory.outbox import NEVER, InMemoryOutbox, StoredRow
from tests.support.in_memory.processing import InMemorySagas

__all__ = [
    "READS",
    "InMemoryDatabase",
    "Statements",
    "access_statements",
    "feed_statements",
    "order_statements",
    "saga_statements",
    "stock_statements",
]

T = TypeVar("T")
Params = Any
Statements = Mapping[str, Callable[[Params], list[Row]]]
# those that a read-only session runs too
READS = frozenset(
    {"backlog", "find_placement", "find_order", "page_of_orders", "settled_before", "changed_orders", "get_products"}
    | {"events_of_facts", "events_of_trace", "stock_operations"}
    | {
        "page_products",
        "page_catalogue",
        "search_sagas",
        "count_open_sagas",
        "feed_state",
        "read_notifications",
        "stored_notifications",
    }
    | {"page_catalogue", "read_notifications_back", "read_disconnections"}
)
PACKAGES = (
    "service_common.outbox",
    "order_service",
    "inventory_service",
    "processing_service",
    "notification_service.feed",
    "notification_service.access",
)
CATALOGUE = ("product_ids", "names", "descriptions", "prices", "currencies", "pictures")
NAMES = {sql: name for package in PACKAGES for name, sql in load_statements(package).items()}


class InMemoryDatabase:
    """The part of `service_common.postgres.Database` that the adapters and the relay use."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def run(self, sql: str, params: Params = ()) -> list[Row]:
        """Run a statement, as one transaction, and return its rows, or one empty row for each that it affected."""
        return self._statements[NAMES[sql]](params)

    async def fetch(self, sql: str, params: Params = ()) -> list[Row]:
        return self.run(sql, params)

    async def fetch_one(self, sql: str, params: Params = ()) -> Row | None:
        rows = await self.fetch(sql, params)
        return rows[0] if rows else None

    async def execute(self, sql: str, params: Params = ()) -> int:
        return len(await self.fetch(sql, params))

    async def fetch_leased(self, sql: str, params: Mapping[str, object], lease_s: float) -> list[Row]:
        return await self.fetch(sql, {**params, "lease_s": lease_s})

    async def ping(self) -> None:
        return

    async def wait_available(self) -> None:
        return

    async def listen(self, _channel: str) -> AsyncGenerator[str, None]:
        yield ""


def now(call: Coroutine[Any, Any, T]) -> T:
    """Return the result of *call*, which suspends nowhere: the adapters in memory do not."""
    try:
        call.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("an adapter in memory was suspended")


def _outbox(outbox: InMemoryOutbox) -> Statements:
    def claim(p: Params) -> list[Row]:
        rows = outbox.claim(p["limit"], p["lease_s"], p["excluded"], p["sent"])
        return [
            (r.id, r.destination, r.type, r.subject, r.event_key, r.data, r.traceparent, r.occurred_at, r.tracestate)
            for r in rows
        ]

    def mark_sent(p: Params) -> list[Row]:
        outbox.mark_sent(p["ids"])
        return []

    def set_aside(p: Params) -> list[Row]:
        outbox.set_aside(p["ids"])
        return []

    def postpone(p: Params) -> list[Row]:
        outbox.postpone(p["ids"], p["first_s"], p["cap_s"])
        return []

    return {
        "claim": claim,
        "mark_sent": mark_sent,
        "mark_unlocked": mark_sent,
        "set_aside": set_aside,
        "postpone": postpone,
        "backlog": lambda _: [outbox.backlog()],
        "events_of_facts": lambda p: [_announced(r, p) for r in outbox.rows.values() if r.event_key in p["keys"]],
        "events_of_trace": lambda p: [
            _announced(r, p) for r in outbox.rows.values() if (r.traceparent or "")[3:35] == p["trace_id"]
        ][: p["limit"]],
        "purge": lambda p: [()] * outbox.purge(p["limit"], p["retention_s"]),
    }


def _announced(r: StoredRow, p: Params) -> Row:
    set_aside, trace_id = r.sent_at == NEVER, r.traceparent and r.traceparent[3:35]
    times = (r.occurred_at, r.created_at, None if set_aside else r.sent_at)
    return (
        r.id,
        r.event_key,
        r.destination,
        r.type,
        r.subject,
        trace_id,
        *times,
        set_aside,
        r.attempts,
        r.data if p["data"] else None,
    )


def order_statements(orders: InMemoryOrders) -> Statements:
    """Return the statements of `SqlOrders` and of its relay on *orders*."""

    def items(p: Params) -> tuple[Item, ...]:
        return tuple(map(Item, p["product_ids"], p["quantities"]))

    def place(p: Params) -> list[Row]:
        customer = p["customer_id"]
        command = PlaceOrder(items(p), p["key"] and p["key"].removeprefix(f"{customer}\n"), customer)
        assert command.stored_key == p["key"]
        assert p["key"] is None or p["request_hash"] == command.request_hash
        return [_placement_row(now(orders.place(command)))]

    def find_placement(p: Params) -> list[Row]:
        placement = now(orders.find_placement(p[0]))
        return [_placement_row(placement)] if placement else []

    def find(p: Params) -> list[Row]:
        order = now(orders.find(p["order_id"], _scope(p)))
        return [_order_row(order)] if order else []

    def page(p: Params) -> list[Row]:
        names = ("product_id", "created_from", "created_to", "trace_id")
        wanted = OrderFilter(p["status"] and OrderStatus(p["status"]), *(p[name] for name in names))
        spans = list(zip(p["lows"], p["highs"], strict=True))
        found = now(orders.page(wanted, PageRequest(max(p["highs"]) + 1, 1_000_000), _scope(p))).items
        matching = [order for order in found if any(low <= order.id <= high for low, high in spans)]
        return [(None, *_order_row(order)) for order in matching[: p["limit"]]] or [(None,) * 11]

    def changed(p: Params) -> list[Row]:
        after = ChangePosition(p["at"], p["id"])
        return [
            (
                each.id,
                each.version,
                each.status.value,
                each.created_at,
                each.updated_at,
                each.failure_reason,
                each.customer_id,
            )
            for each in now(orders.changed(after=after, before=p["before"], limit=p["limit"]))
        ]

    def settle_free(p: Params) -> list[Row]:
        assert len(set(p["order_ids"])) == len(p["order_ids"])
        rows = []
        for order_id, version, status, reason in zip(
            *(p[column] for column in ("order_ids", "versions", "statuses", "reasons")), strict=True
        ):
            changed = _change_rows(now(orders.settle(order_id, version, OrderStatus(status), reason)))
            rows += [(order_id, True, *row) for row in changed]
        return rows

    def settle(p: Params) -> list[Row]:
        return _change_rows(now(orders.settle(p["order_id"], p["version"], OrderStatus(p["status"]), p["reason"])))

    return {
        **_outbox(orders.outbox),
        "place_order": place,
        "find_placement": find_placement,
        "find_order": find,
        "page_of_orders": page,
        "settled_before": lambda p: [(now(orders.settled_before(p["min_age_s"])),)],
        "changed_orders": changed,
        "amend_order": lambda p: _change_rows(
            now(orders.amend(p["order_id"], items(p), p["expected_version"], _scope(p)))
        ),
        "cancel_order": lambda p: _change_rows(now(orders.cancel(p["order_id"], p["expected_version"], _scope(p)))),
        "settle_order": settle,
        "settle_free_orders": settle_free,
        "announce_late_orders": lambda p: [
            (order_id,) for order_id in now(orders.announce_late(after_s=p["after_s"], limit=p["limit"]))
        ],
    }


def _placement_row(placement: Placement) -> Row:
    return placement.made, placement.request_hash, placement.order_id, list(placement.item_ids), placement.at


def _scope(p: Params) -> Scope:
    return ALL_CUSTOMERS if p["customer_id"] is None else OneCustomer(p["customer_id"])


def _order_row(order: Order) -> Row:
    lines: Sequence[OrderItem] = order.items
    return (
        order.customer_id,
        order.id,
        order.version,
        order.status.value,
        order.failure_reason,
        order.created_at,
        order.updated_at,
        [line.id for line in lines],
        [line.product_id for line in lines],
        [line.quantity for line in lines],
    )


def _change_rows(change: Change | None) -> list[Row]:
    return [(change.applied, *_order_row(change.order))] if change else []


def stock_statements(stock: InMemoryStock) -> Statements:
    """Return the statements of `SqlStock` on *stock*."""

    def add(p: Params) -> list[Row]:
        try:
            return [_product_row(now(stock.add(p["product_id"], p["stock"])))]
        except ProductExistsError:
            return []

    def change(p: Params) -> list[Row]:
        try:
            return [_product_row(now(stock.change(p["product_id"], p["stock"], p["version"])))]
        except ProductNotFoundError:
            return []
        except StaleProductError:
            return [(None,) * 4]

    def remove(p: Params) -> list[Row]:
        try:
            now(stock.remove(p["product_id"], p["version"]))
        except ProductNotFoundError:
            return []
        except StaleProductError:
            return [(None,)]
        return [(p["product_id"],)]

    def take(p: Params) -> list[Row]:
        return [
            _outcome_row(now(stock.take(each["id"], [Item(*item) for item in each["items"].items()])))
            for each in p[0].adapted
        ]

    return {
        "get_products": lambda p: [_product_row(each) for each in now(stock.get_many(p["product_ids"]))],
        "page_products": lambda p: [_product_row(each) for each in now(stock.page(after=p["after"], limit=p["limit"]))],
        "page_catalogue": lambda p: [
            astuple(each) for each in now(stock.catalogue(after=p["after"], limit=p["limit"]))
        ],
        "seed_catalogue": lambda p: (
            [()] * now(stock.describe(list(map(Description, *(p[column] for column in CATALOGUE)))))
        ),
        "add_product": add,
        "change_stock": change,
        "remove_product": remove,
        "take_stock": take,
        "stock_operations": lambda p: [
            (
                each.id,
                None if each.items is None else {item.product_id: item.quantity for item in each.items},
                each.outcome,
                each.created_at,
                each.released_at,
            )
            for each in now(stock.operations(p["prefix"], p["limit"]))
        ],
        "forget_operations": lambda p: [()] * now(stock.forget(p[0])),
        "release_stock": lambda p: _release_rows(stock, p[0]),
        "release_free_stock": lambda p: _release_rows(stock, p[0]),
        "seed_products": lambda p: (
            [()] * now(stock.seed(p["name"], list(zip(p["product_ids"], p["stocks"], strict=True))))
        ),
    }


def _release_rows(stock: InMemoryStock, operation_id: str) -> list[Row]:
    return [({item.product_id: item.quantity for item in now(stock.release(operation_id))},)]


def _product_row(product: Product) -> Row:
    return product.product_id, product.stock, product.version, product.last_update


def _outcome_row(outcome: TakeOutcome) -> Row:
    match outcome:
        case Taken(levels):
            return "taken", [{"productId": level.product_id, "stock": level.stock} for level in levels]
        case Short(shortages):
            return "short", [
                {"productId": each.product_id, "requested": each.requested, "stock": each.stock} for each in shortages
            ]
        case Unknown(product_ids):
            return "unknown", list(product_ids)
        case Released():
            return "released", []
        case Reused():
            return "reused", []


def saga_statements(sagas: InMemorySagas) -> Statements:
    """Return the statements of `SqlSagas` and of its relay on *sagas*."""

    def start(p: Params) -> list[Row]:
        rows: list[Row] = []
        for given in p["sagas"].adapted:
            items = tuple(Item(item["productId"], item["quantity"]) for item in given["items"])
            context = {name: given[name] for name in ("traceparent", "tracestate", "customer_id")}
            saga = Saga(given["order_id"], given["version"], items, **context)
            started = now(sagas.start(saga, claimed=given["claimed"]))
            if started.new:
                fence = started.claim.fence if started.claim else 0
                rows.append((saga.order_id, saga.version, fence, started.restarts))
        return rows

    def save(p: Params) -> list[Row]:
        return [
            (change["order_id"], change["version"])
            for change in p["changes"].adapted
            if now(sagas.save(*_saved(sagas.saga(change["order_id"], change["version"]), change)))
        ]

    def release(p: Params) -> list[Row]:
        claims = [Claim(sagas.saga(each["order_id"], each["version"]), each["fence"]) for each in p["claims"].adapted]
        now(sagas.release_claims(claims))
        return []

    def search(p: Params) -> list[Row]:
        state = p["state"] and SagaState(p["state"])
        found = now(sagas.search(_scope(p), state=state, late=p["late"], limit=p["limit"] or 1_000_000))
        return [
            (
                each.order_id,
                each.version,
                each.state.value,
                each.attempts,
                each.last_error,
                each.reason,
                each.next_run_at,
                each.late,
                {state.value: at.isoformat() for state, at in each.entered.items()},
                each.customer_id,
                p["order_id"] and [_attempt_document(attempt) for attempt in sagas.failed(each.order_id, each.version)],
            )
            for each in found
            if p["order_id"] in {None, each.order_id} and p["open"] in {None, each.next_run_at is not None}
        ]

    def retry(p: Params) -> list[Row]:
        now(sagas.retry(p[0]))
        return []

    def count_open(_: Params) -> list[Row]:
        counted = now(sagas.count_open())
        late = [counted.late, *[0] * len(counted.by_state)]
        return [
            (state.value, number, late[place], counted.oldest_s)
            for place, (state, number) in enumerate(counted.by_state.items())
        ]

    return {
        **_outbox(sagas.outbox),
        "start_sagas": start,
        "claim_sagas": lambda p: [_claim_row(claim) for claim in now(sagas.claim(p["limit"]))],
        "save_sagas": save,
        "release_claims": release,
        "search_sagas": search,
        "count_open_sagas": count_open,
        "retry_sagas": retry,
        "expired_sagas": lambda p: [
            (each.order_id, each.version, each.restarts) for each in now(sagas.expired(p["age_s"], p["limit"]))
        ],
        "forget_sagas": lambda p: [(now(sagas.forget_keys(zip(*p, strict=True))),)],
    }


def _saved(
    saga: Saga, change: Mapping[str, Any]
) -> tuple[Claim, Saga, Mapping[SagaState, datetime], float | None, FailedAttempt | None]:
    fields = {name: change[name] for name in ("reason", "attempts", "failures", "last_error")}
    after = replace(saga, state=SagaState(change["state"]), **fields)
    entered = {SagaState(state): at for state, at in change["entered"].items()}
    failed = change.get("failed_attempt")
    return Claim(saga, change["fence"]), after, entered, change["delay_s"], failed and _failed_attempt(failed)


def _failed_attempt(document: Mapping[str, Any]) -> FailedAttempt:
    step, kind = SagaStep(document["step"]), FailureKind(document["kind"])
    return FailedAttempt(document["at"], document["seconds"], step, kind, document["error"])


def _attempt_document(attempt: FailedAttempt) -> Mapping[str, Any]:
    named = {"step": attempt.step.value, "kind": attempt.kind.value, "error": attempt.error}
    return {"at": attempt.at.isoformat(), "seconds": attempt.seconds, **named}


def _claim_row(claim: Claim) -> Row:
    saga = claim.saga
    items = [{"productId": item.product_id, "quantity": item.quantity} for item in saga.items]
    progress = (saga.state.value, saga.reason, saga.attempts, saga.failures, saga.last_error, saga.restarts)
    lease = (claim.fence, saga.customer_id, saga.tracestate, claim.age_s)
    return saga.order_id, saga.version, items, saga.traceparent, *progress, *lease


def feed_statements(feed: InMemoryFeed) -> Statements:
    """Return the statements of `SqlFeed` on *feed*."""

    def state(_: Params = None) -> list[Row]:
        current = now(feed.state())
        return [(current.epoch, current.floor, current.head)]

    def append(p: Params) -> list[Row]:
        names = ("types", "orders", "versions", "times", "traceparents", "reasons", "customers")
        events = [
            OrderEvent(
                EventType(kind),
                "",
                order,
                version,
                at,
                trace,
                reason=reason,
                customer_id=customer,
            )
            for kind, order, version, at, trace, reason, customer in zip(*(p[name] for name in names), strict=True)
        ]
        return [
            (place, each.seq, each.type.value, each.version, each.customer_id)
            for place, stored in enumerate(now(feed.append(events)), start=1)
            for each in stored
        ]

    def wanted(p: Params) -> Selection:
        orders, types = (None if p[name] is None else frozenset(p[name]) for name in ("orders", "types"))
        kinds = types and frozenset(EventType(each).kind for each in types)
        return Selection(_scope(p), NotificationFilter(orders, kinds))

    def read(p: Params) -> list[Row]:
        return rows(now(feed.read(p["after"], up_to=p["up_to"], wanted=wanted(p), limit=p["limit"])))

    def read_back(p: Params) -> list[Row]:
        return rows(now(feed.read_back(p["before"], wanted=wanted(p), limit=p["limit"])))

    def rows(page: Page) -> list[Row]:
        range_ = (*state()[0], page.through)
        return [
            (
                *range_,
                n.seq,
                n.type.value,
                n.order_id,
                n.version,
                n.occurred_at,
                n.trace_id,
                n.reason,
                n.recorded_at,
                n.customer_id,
                n.traceparent,
            )
            for n in page.notifications
        ] or [(*range_, *[None] * 10)]

    def claim_comparison(p: Params) -> list[Row]:
        position = now(feed.claim_comparison(p["lease_s"]))
        return [] if position is None else [(position,)]

    def advance_comparison(p: Params) -> list[Row]:
        return [()] * now(feed.advance_comparison(p["before"], p["after"], p["lease_s"]))

    def stored_events(p: Params) -> list[Row]:
        found = now(feed.stored_events(p[0]))
        return [
            (order, [kind.value for kind, _ in events], [version for _, version in events])
            for order, events in found.items()
        ]

    return {
        "open_feed": state,
        "feed_state": state,
        "renew_epoch": lambda _: [],  # for a restored server; what is here is never restored
        "append_notifications": append,
        "read_notifications": read,
        "read_notifications_back": read_back,
        "expire_notifications": lambda p: [(now(feed.expire(p["age_s"])),)],
        "notify_replicas": lambda _: [(1, "")],
        "claim_comparison": claim_comparison,
        "advance_comparison": advance_comparison,
        "stored_notifications": stored_events,
        "name_customers": lambda p: (
            [()] * now(feed.name_customers(dict(zip(p["orders"], p["customers"], strict=True))))
        ),
    }


def access_statements(access: InMemoryAccess) -> Statements:
    """Return the statements of `SqlAccess` on *access*."""

    def issue(p: Params) -> list[Row]:
        principal = Principal(Caller[p["kind"]], p["subject"], frozenset(p["roles"]), p["token_expires_at"])
        ticket = access.issue_ticket(p["digest"], principal, valid_s=p["valid_s"], max_open=p["others"] + 1)
        return [(now(ticket),)]

    def take(p: Params) -> list[Row]:
        principal = now(access.take_ticket(p["digest"]))
        if principal is None:
            return []
        return [(principal.subject, principal.kind.name, list(principal.roles), principal.expires_at, True)]

    def disconnect(p: Params) -> list[Row]:
        done = now(access.disconnect(p["customer"]))
        return [(done.tickets, done.replicas, "")]

    def read(p: Params) -> list[Row]:
        head, customers = now(access.disconnections(p["after"]))
        return [(head, customer) for customer in customers] or [(head, None)]

    return {
        "issue_ticket": issue,
        "take_ticket": take,
        "expire_tickets": lambda _: [()] * access.expire(),
        "disconnect": disconnect,
        "read_disconnections": read,
    }
