"""Who may connect, and who no longer: tickets, and connections that an operator ends, on any replica.

Both are tables of the service's database (`SqlAccess`). `Disconnector` follows the requests to end the connections of
a customer.
"""

from __future__ import annotations

from .disconnector import Disconnection, DisconnectionStore, Disconnector
from .postgres import SqlAccess

__all__ = [
    "Disconnection",
    "DisconnectionStore",
    "Disconnector",
    "SqlAccess",
]
