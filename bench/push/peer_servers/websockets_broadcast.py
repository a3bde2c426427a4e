"""`websockets.broadcast()`, which the library recommends for many clients: it waits for none of them."""

from __future__ import annotations

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from .control import listener, obey
from .message import ws_text


async def main() -> None:
    """Serve until the standard input ends."""
    clients: set[ServerConnection] = set()

    async def follow(client: ServerConnection) -> None:
        clients.add(client)
        try:
            await client.wait_closed()
        finally:
            clients.discard(client)

    listening = listener()
    # deflate would cost more than all the rest, and a ping is no part of a delivery
    async with serve(follow, sock=listening, compression=None, ping_interval=None):
        await obey(listening, lambda number: broadcast(clients, ws_text(number)))


if __name__ == "__main__":
    uvloop.run(main())
