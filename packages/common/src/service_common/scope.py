"""Whose orders and notifications: those of all customers, or those of one. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["ALL_CUSTOMERS", "ANONYMOUS", "MAX_CUSTOMER_ID", "AllCustomers", "OneCustomer", "Scope"]

# whose orders are that were placed without authentication, and what is told of an order whose customer is not known
ANONYMOUS: Final = "anonymous"
MAX_CUSTOMER_ID = 255  # characters; printable


@dataclass(frozen=True, slots=True)
class AllCustomers:
    """What belongs to any customer, and to nobody known."""

    @property
    def customer_id(self) -> None:
        """None: no customer in particular."""
        return

    def narrowed(self, customer_id: str | None) -> Scope | None:
        """Return what of this belongs to a customer; all of it when that is None."""
        return self if customer_id is None else OneCustomer(customer_id)

    def includes(self, _customer_id: str) -> bool:
        """Whether what belongs to a customer is part of this."""
        return True


@dataclass(frozen=True, slots=True)
class OneCustomer:
    """What belongs to one customer."""

    customer_id: str

    def narrowed(self, customer_id: str | None) -> Scope | None:
        """Return what of this belongs to a customer, all of it when that is None; None when nothing may."""
        return self if customer_id in {None, self.customer_id} else None

    def includes(self, customer_id: str) -> bool:
        """Whether what belongs to a customer is part of this."""
        return customer_id == self.customer_id


# not an optional customer: a forgotten argument would be everything
Scope: TypeAlias = AllCustomers | OneCustomer
ALL_CUSTOMERS: Final = AllCustomers()
