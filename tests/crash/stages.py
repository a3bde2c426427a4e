"""The stages of an order in each service: the functions that have to be on its way."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["STAGES"]

STAGES: Mapping[str, tuple[str, ...]] = {
    "order": (
        *(f"order_service.handlers.{name}" for name in ("place", "amend", "cancel", "close", "fail")),
        *(f"order_service.service.OrderService.{name}" for name in ("place", "_find_placement", "_settle")),
        *(f"order_service.inventory_client.HttpStockReader.{name}" for name in ("_fetch_one", "_fetch_many")),
        "service_common.http_client.transport.Transport.attempt",
        "service_common.outbox.relay.OutboxRelay._claim",
        "service_common.outbox.relay.OutboxRelay._deliver",
        "service_common.outbox.sender.Sender._accepted",
        "service_common.outbox.table.OutboxTable.claim",
        "service_common.sqs.client.Sqs.send",
        "service_common.postgres.session.Session.run",
    ),
    "inventory": (
        *(f"inventory_service.handlers.{name}" for name in ("get_product", "get_products", "decrement", "release")),
        "inventory_service.postgres.SqlStock._take",
        "inventory_service.postgres.SqlStock.release",
        "service_common.http_server.middlewares.problems",
    ),
    "processing": (
        "processing_service.consumers.OrderConsumer.__call__",
        "processing_service.engine.Engine.start",
        "processing_service.engine.Engine._claim_due",
        "processing_service.postgres.SqlSagas._start_all",
        "processing_service.postgres.SqlSagas._save_all",
        *(f"processing_service.inventory_client.HttpStockGateway.{name}" for name in ("take", "release")),
        *(f"processing_service.order_client.HttpOrderGateway.{name}" for name in ("confirm", "close", "fail")),
        *(f"service_common.sqs.client.Sqs.{name}" for name in ("receive", "delete", "send")),
        "service_common.sqs.acknowledger.Acknowledger._send_batch",
        "service_common.sqs.poller.Poller._process",
        "service_common.outbox.table.OutboxTable.claim",
    ),
    "notification": (
        "service_common.sqs.client.Sqs.receive",
        "service_common.sqs.client.Sqs.delete",
        "notification_service.feed.consumer.NotificationConsumer.__call__",
        "notification_service.feed.appender.FeedAppender._append",
        "notification_service.feed.postgres.SqlFeed.append",
        "notification_service.feed.listen_notify.ListenNotify.notify",
        "notification_service.feed.tailer.FeedTailer._read",
        "notification_service.http.sse.stream",
        "notification_service.http.websocket.websocket",
    ),
}
