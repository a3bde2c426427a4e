"""`python -m tests.scaffold.walk NAME`: the whole system with a service that was made, which is asked of an order."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from orderstream_local.cloudwatch import read_logs
from tests.support.system import running
from tests.support.waiting import eventually


async def walk(name: str) -> None:
    begun = datetime.now(UTC)
    async with running(web=False) as system:
        await system.product("walked", 5)
        order_id = (await system.place({"walked": 2})).json["id"]
        await system.ended(order_id)

        async def ended() -> list[str] | None:
            answer = await system.call(name, "GET", f"/{name}/{order_id}")
            types = [each["type"] for each in answer.json.get("events", ())]
            return types if "order-processed" in types else None

        assert await eventually(ended, "the end of the order") == ["order-created", "order-processed"]
        unknown = await system.call(name, "GET", f"/{name}/{order_id + 1}")
        assert (unknown.status, unknown.json["type"].rpartition(":")[2]) == (404, f"{name}-not-found")
        assert f'queue="{name}-queue"' in (await system.call(name, "GET", "/metrics")).body.decode()

        async def logged() -> bool | None:
            records = await read_logs(system.session, system.stack.aws_endpoint, begun)
            own = [each.facts for each in records if each.service == f"{name}-service"]
            return any((each["message"], each.get("orderId")) == ("order consumed", order_id) for each in own) or None

        await eventually(logged, "the order in CloudWatch Logs")


if __name__ == "__main__":
    asyncio.run(walk(sys.argv[1]))
