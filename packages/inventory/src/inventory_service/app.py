"""Composition root of the inventory service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeAlias

from aiohttp import web

from service_common.http_server import METRICS, READINESS, new_app
from service_common.postgres import Database, migrate

from .api import API
from .app_keys import CONFIG, INVENTORY
from .config import NAME, Config
from .postgres import SqlStock
from .seed import seed_demo_products
from .service import InventoryService

__all__ = ["create_app", "inventory"]

Resource: TypeAlias = Callable[[web.Application], AsyncIterator[None]]


async def inventory(app: web.Application) -> AsyncIterator[None]:
    """Open the use cases on PostgreSQL."""
    config = app[CONFIG]
    await migrate(config.database_url, "inventory_service.migrations")
    async with Database.open(config.database_url, size=config.pool_size, name=NAME) as database:
        app[READINESS].add("database", database.check)
        database.expose(app[METRICS])
        stock = SqlStock(database)
        if config.seed_products:
            await seed_demo_products(stock)
        app[INVENTORY] = InventoryService(stock, app[METRICS])
        yield
        await stock.close()


def create_app(config: Config, resources: Sequence[Resource] = (inventory,)) -> web.Application:
    """Make the application; tests pass in-memory *resources*."""
    app = new_app(NAME)
    app[CONFIG] = config
    app.cleanup_ctx.extend(resources)
    API.serve(app, config)
    return app
