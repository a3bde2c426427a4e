"""The load of `orders`: an open loop of orders and two watchers, in a process of its own. Prints one JSON line.

Open loop: each order has its time in the schedule, and its latency counts from there, whether or not the driver
was able to send it then; a slow server can't slow down the question.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import orjson
import uvloop

DRAIN_S = 60.0


@dataclass(slots=True)
class Watch:
    """What one push client saw: the receive times (seconds, monotonic) by order and kind."""

    seen: dict[tuple[int, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    terminal: int = 0
    expected: int = sys.maxsize
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def expect(self, orders: int) -> None:
        """Say how many orders have to come to their end."""
        self.expected = orders
        if self.terminal >= orders:
            self.complete.set()

    def take(self, payload: bytes) -> None:
        """Note the arrival of a notification."""
        now = time.perf_counter()
        note = orjson.loads(payload)
        self.seen[note["orderId"], note["kind"]].append(now)
        if note["kind"] not in {"CREATED", "UPDATED"}:
            self.terminal += 1
            if self.terminal >= self.expected:
                self.complete.set()


@dataclass(slots=True)
class Post:
    """One accepted order: scheduled, and answered, in seconds of the monotonic clock."""

    order_id: int
    due: float
    answered: float


async def watch_sse(session: aiohttp.ClientSession, url: str, headers: dict[str, str], watch: Watch) -> None:
    """Follow /stream until cancelled."""
    async with session.get(f"{url}/stream", headers={**headers, "Accept": "text/event-stream"}) as response:
        response.raise_for_status()
        named = False  # a welcome, a heartbeat and a bye have a name, a notification has none
        async for line in lines(response.content):
            watch.ready.set()
            if line.startswith(b"data:") and not named:
                watch.take(line[5:])
            named = line.startswith(b"event:") or (named and line != b"")


async def lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Yield lines of whatever is there: one wake-up for many lines, unlike reading line by line."""
    rest = b""
    async for chunk in content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line


async def watch_ws(session: aiohttp.ClientSession, url: str, headers: dict[str, str], watch: Watch) -> None:
    """Follow /ws until cancelled."""
    async with session.ws_connect(f"{url}/ws", headers=headers) as socket:
        async for message in socket:
            watch.ready.set()
            frame = orjson.loads(message.data)
            if frame["type"] == "event":
                watch.take(orjson.dumps(frame["data"]))


class Load:
    """Places orders and keeps what came of them."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, products: list[str], customers: list[dict[str, str]]
    ) -> None:
        self._session = session
        self._customers = customers
        self._url = f"{url}/orders"
        self._products = products
        self.posts: list[Post] = []
        self.refused: dict[str, int] = defaultdict(int)

    async def place(self, number: int, due: float) -> None:
        """Place one order of one item."""
        product = self._products[number % len(self._products)]
        headers = self._customers[number % len(self._customers)]
        order = {"orderItems": [{"productId": product, "quantity": 1}]}
        try:
            async with self._session.post(self._url, json=order, headers=headers) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.refused[type(error).__name__] += 1
            return
        if response.status == 201:
            self.posts.append(Post(orjson.loads(body)["id"], due, time.perf_counter()))
        else:
            self.refused[str(response.status)] += 1

    async def open_loop(self, rate: float, seconds: float) -> None:
        """Place *rate* orders a second, each at its own time."""
        start = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(round(rate * seconds)):
                due = start + number / rate
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                group.create_task(self.place(number, due))

    async def closed_loop(self, clients: int, seconds: float) -> None:
        """Keep *clients* orders under way: the most that the system takes."""
        end = time.perf_counter() + seconds

        async def client(first: int) -> None:
            number = first
            while (now := time.perf_counter()) < end:
                await self.place(number, now)
                number += clients

        async with asyncio.TaskGroup() as group:
            for first in range(clients):
                group.create_task(client(first))


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries *token*, if there is one."""
    return {"Authorization": f"Bearer {token}"} if token else {}


async def drained(watches: list[Watch], orders: int) -> None:
    """Wait until each watcher has seen the end of every order; what has not come by then counts as lost."""
    for watch in watches:
        watch.expect(orders)
    await asyncio.wait([asyncio.ensure_future(watch.complete.wait()) for watch in watches], timeout=DRAIN_S)


def percentiles(values: list[float]) -> dict[str, float]:
    """Return p50, p95, p99 and the maximum in milliseconds."""
    ordered = sorted(values)
    if not ordered:
        return {}
    cut = {
        f"p{round(share * 100)}": ordered[min(len(ordered) - 1, int(len(ordered) * share))]
        for share in (0.5, 0.95, 0.99)
    }
    return {name: round(value * 1000, 1) for name, value in {**cut, "max": ordered[-1]}.items()}


def latencies(posts: list[Post], watch: Watch) -> dict[str, object]:
    """Hold what a watcher saw against what was accepted."""
    created, terminal, lost, twice = [], [], 0, 0
    for post in posts:
        first = watch.seen.get((post.order_id, "CREATED"), [])
        ends = [at for kind in ("CLOSED", "FAILED", "CANCELLED") for at in watch.seen.get((post.order_id, kind), [])]
        lost += (not first) + (not ends)
        twice += max(0, len(first) - 1) + max(0, len(ends) - 1)
        if first and ends:
            created.append(first[0] - post.due)
            terminal.append(ends[0] - post.due)
    return {"lost": lost, "duplicates": twice, "created_ms": percentiles(created), "terminal_ms": percentiles(terminal)}


async def drive(options: argparse.Namespace) -> dict[str, object]:
    """Run the load and return what was measured."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=30)
    watches = {"sse": Watch(), "ws": Watch()}
    operator, *customers = map(bearer, (options.operator, *options.customers.split(",")))
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        watchers = [
            asyncio.create_task(watch_sse(session, options.notifications, operator, watches["sse"])),
            asyncio.create_task(watch_ws(session, options.notifications, operator, watches["ws"])),
        ]
        await asyncio.wait_for(asyncio.gather(*(watch.ready.wait() for watch in watches.values())), 20)
        load = Load(session, options.orders, options.products.split(","), customers)
        start = time.perf_counter()
        if options.clients:
            await load.closed_loop(options.clients, options.seconds)
        else:
            await load.open_loop(options.rate, options.seconds)
        sent = time.perf_counter() - start
        await drained(list(watches.values()), len(load.posts))
        whole = time.perf_counter() - start
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)
    return {
        "accepted": len(load.posts),
        "refused": dict(load.refused),
        "accepted_per_s": round(len(load.posts) / sent, 1),
        "finished_per_s": round(watches["sse"].terminal / whole, 1),
        "post_ms": percentiles([post.answered - post.due for post in load.posts]),
        **{name: latencies(load.posts, watch) for name, watch in watches.items()},
    }


def main() -> None:
    """Parse the arguments, drive, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", required=True)
    parser.add_argument("--notifications", required=True)
    parser.add_argument("--products", required=True)
    parser.add_argument("--operator", default="", help="access token of the watchers; none in open mode")
    parser.add_argument("--customers", default="", help="access tokens of those who order, comma list")
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=0)
    result = uvloop.run(drive(parser.parse_args()))
    sys.stdout.write(orjson.dumps(result).decode() + "\n")


if __name__ == "__main__":
    main()
