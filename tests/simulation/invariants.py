"""The invariants I1 to I5, I7 and I11 on what the services have stored, and whether anything is left to do."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from order_service.domain import Order, OrderStatus
from processing_service.saga import SagaState
from tests.simulation.customers import PRODUCTS, Customers
from tests.simulation.deployment import QUEUES, Deployment

__all__ = ["unfinished", "violations"]

ENDS = {
    OrderStatus.CLOSED: "order-processed",
    OrderStatus.FAILED: "order-failed",
    OrderStatus.CANCELLED: "order-cancelled",
}


def unfinished(deployment: Deployment) -> Iterator[str]:
    """Yield what is still under way."""
    told = {row.order_id for row in deployment.feed._rows if row.type.value in ENDS.values()}
    for order in deployment.orders._orders.values():
        if order.status is OrderStatus.CREATED:
            yield f"order {order.id} is CREATED"
        elif order.id not in told:
            yield f"order {order.id} is {order.status} and has no terminal notification"
    for (order_id, version), row in deployment.sagas._rows.items():
        if not row.saga.ended:
            yield f"saga {order_id}:{version} is {row.saga.state}"
    for event in (*deployment.orders.outbox.rows.values(), *deployment.sagas.outbox.rows.values()):
        if event.sent_at is None:
            yield f"event {event.event_key} is not sent to {event.destination}"
    for queue in QUEUES:
        yield from (f"{message.id} is on {queue}" for message in deployment.queues.queues[queue].messages)


def violations(deployment: Deployment, customers: Customers) -> Iterator[str]:
    """Yield each violation of an invariant."""
    orders = deployment.orders._orders
    yield from _accepted(deployment, customers, orders)
    yield from _stock(deployment, orders)
    yield from _sagas(deployment, orders)
    yield from _events(deployment, orders)
    yield from _notifications(deployment, orders)
    yield from _dead_letters(deployment, customers)


def _accepted(deployment: Deployment, customers: Customers, orders: dict[int, Order]) -> Iterator[str]:
    # a stored key begins with the customer
    by_key = {key.split("\n")[-1]: each.order_id for key, each in deployment.orders._placements.items()}
    for key, order_id in customers.accepted.items():
        if by_key.get(key) != order_id:
            yield f"I1: {key} was answered with order {order_id}; stored is {by_key.get(key)}"
    if sorted(by_key.values()) != sorted(orders):
        yield f"I2: the keys have the orders {sorted(by_key.values())}; there are {sorted(orders)}"
    for order in orders.values():
        if order.status is OrderStatus.CREATED:
            yield f"I1: order {order.id} is CREATED"
        if order.id in customers.cancelled and order.status is not OrderStatus.CANCELLED:
            yield f"I1: the cancellation of order {order.id} was answered with 200; it is {order.status}"
        if order.version < customers.amended.get(order.id, 1):
            yield f"I1: version {customers.amended[order.id]} of order {order.id} was answered; it has {order.version}"


def _stock(deployment: Deployment, orders: dict[int, Order]) -> Iterator[str]:
    sold: Counter[str] = Counter()
    for order in orders.values():
        if order.status is OrderStatus.CLOSED:
            sold.update({item.product_id: item.quantity for item in order.items})
    for product_id, put_in in PRODUCTS.items():
        stock = deployment.stock._products[product_id].stock
        if stock < 0 or stock + sold[product_id] != put_in:
            yield f"I3: of {product_id} {put_in} were put in, {sold[product_id]} are sold, {stock} are in stock"
    kept = {
        operation_id.split(":")[0] + ":" + operation_id.split(":")[1]
        for operation_id, operation in deployment.stock._operations.items()
        if not operation.released and type(operation.outcome).__name__ == "Taken"
    }
    closed = {f"{order.id}:{order.version}" for order in orders.values() if order.status is OrderStatus.CLOSED}
    if kept != closed:
        yield f"I3: closed are {sorted(closed)}; stock is taken for {sorted(kept)}"


def _sagas(deployment: Deployment, orders: dict[int, Order]) -> Iterator[str]:
    last = {OrderStatus.CLOSED: SagaState.DONE, OrderStatus.FAILED: SagaState.FAILED}
    for (order_id, version), row in deployment.sagas._rows.items():
        order = orders.get(order_id)
        if order is None:
            yield f"I1: a saga of order {order_id}, which does not exist"
            continue
        expected = last.get(order.status, SagaState.RELEASED) if version == order.version else SagaState.RELEASED
        if row.saga.state is not expected:
            yield f"I1: order {order_id} is {order.status} in version {order.version}; {version} is {row.saga.state}"
    for order in orders.values():
        if order.status in last and (order.id, order.version) not in deployment.sagas._rows:
            yield f"I1: order {order.id} is {order.status} without a saga"


def _events(deployment: Deployment, orders: dict[int, Order]) -> Iterator[str]:
    expected = set()
    ended = set()
    for order in orders.values():
        for version in range(1, order.version + 1):
            name = "order-created" if version == 1 else "order-updated"
            expected |= {(queue, f"{name}:{order.id}:{version}") for queue in QUEUES}
        end = (QUEUES[1], f"{ENDS.get(order.status)}:{order.id}:{order.version}")
        if order.status is OrderStatus.CANCELLED:
            expected.add(end)
        elif order.status is not OrderStatus.CREATED:
            ended.add(end)
    for service, outbox, facts in (
        ("order", deployment.orders.outbox, expected),
        ("processing", deployment.sagas.outbox, ended),
    ):
        stored = {(row.destination, row.event_key) for row in outbox.rows.values()}
        if stored != facts:
            yield f"I4: the {service} service has {sorted(stored - facts)} too much and lacks {sorted(facts - stored)}"


def _notifications(deployment: Deployment, orders: dict[int, Order]) -> Iterator[str]:
    told: dict[int, list[str]] = defaultdict(list)
    for row in deployment.feed._rows:
        told[row.order_id].append(row.type.value)
    for order in orders.values():
        story = told.pop(order.id, [])
        updates = story.count("order-updated")
        if story != ["order-created", *["order-updated"] * updates, ENDS.get(order.status, "nothing")]:
            yield f"I5: order {order.id} is {order.status}; told was {story}"
        if updates >= order.version:
            yield f"I5: order {order.id} has version {order.version}; told was {story}"
    for row in deployment.feed._rows:
        if row.order_id in orders and row.customer_id != orders[row.order_id].customer_id:
            yield f"I11: notification {row.seq} of order {row.order_id} belongs to {row.customer_id}"
    for order_id, story in told.items():
        yield f"I5: order {order_id} does not exist; told was {story}"


def _dead_letters(deployment: Deployment, customers: Customers) -> Iterator[str]:
    if deployment.queues.lost:
        return  # with them, letters
    for queue in set(customers.poison):
        letters = deployment.queues.queues[f"{queue}-dlq"].messages
        unreadable = [letter for letter in letters if '"data"' not in letter.body]
        if not unreadable:
            yield f"I7: what can't be read on {queue} is in no dead-letter queue"
