"""The clients of AWS that a deployment uses, and the account it goes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import boto3

__all__ = ["Aws"]


@dataclass(slots=True)
class Aws:
    """Clients of one region by service name, made when first used; *endpoint_url* is set for an emulator."""

    region: str
    endpoint_url: str | None = None
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return the client of a service."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,  # type: ignore[call-overload]
                region_name=self.region,
                endpoint_url=self.endpoint_url,
            )
        return self._clients[service]

    @property
    def account(self) -> str:
        """The id of the account."""
        return str(self.client("sts").get_caller_identity()["Account"])

    def close(self) -> None:
        """Close the connections of all clients."""
        for client in self._clients.values():
            client.close()
