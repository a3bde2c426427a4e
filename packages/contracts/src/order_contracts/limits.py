"""The limits of orders and products in every request, event and table."""

from __future__ import annotations

__all__ = ["MAX_BATCH", "MAX_ITEMS", "MAX_ORDER_ID", "MAX_QUANTITY", "MAX_VERSION", "PRODUCT_ID"]

MAX_ORDER_ID = 2**63 - 1  # from 1; bigint
MAX_VERSION = 2**31 - 1  # from 1; integer
MAX_ITEMS = 100  # different products in one order
MAX_BATCH = 100  # orders, or operations of the inventory, in one request
MAX_QUANTITY = 1_000_000  # of a product in one order, from 1
# matched from the start; excludes segments of dots alone, which clients remove from a URL (RFC 3986, 5.2.4)
PRODUCT_ID = r"(?!\.+$)[A-Za-z0-9._-]{1,64}\Z"
