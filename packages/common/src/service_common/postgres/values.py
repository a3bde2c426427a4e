"""How values travel: JSON by orjson in both directions."""

from __future__ import annotations

from typing import Any

import orjson
from psycopg2 import extras
from psycopg2.extensions import connection

__all__ = ["Json", "register"]


class Json(extras.Json):
    """Pass *adapted* as ``json`` or ``jsonb``."""

    def dumps(self, obj: Any) -> str:
        """Return *obj* as JSON text; orjson also takes datetimes, UUIDs and dataclasses."""
        return orjson.dumps(obj).decode()


def register(session: connection) -> None:
    """Decode ``json`` and ``jsonb`` columns of *session* by orjson."""
    extras.register_default_json(session, loads=orjson.loads)
    extras.register_default_jsonb(session, loads=orjson.loads)
