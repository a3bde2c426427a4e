"""The HTTP server of a service: application, middlewares, problem details, request parsing, health endpoints.

`new_app` returns the application, `run` serves it until SIGTERM, with limits on connections and slow requests that
aiohttp lacks.
"""

from __future__ import annotations

from .app_keys import METRICS, READINESS, VERSION
from .application import allow_origins, new_app
from .connection_limits import max_connections, without_reserve
from .health import get_live, get_metrics, get_name, get_ready
from .problem_details import CONTENT_TYPE, Problem, status_of, type_of
from .requests import (
    etag,
    if_match,
    json_response,
    load,
    parse_object,
    read_body,
    read_path,
    read_query,
    require_distinct_members,
)
from .runner import run

__all__ = [
    "CONTENT_TYPE",
    "METRICS",
    "READINESS",
    "VERSION",
    "Problem",
    "allow_origins",
    "etag",
    "get_live",
    "get_metrics",
    "get_name",
    "get_ready",
    "if_match",
    "json_response",
    "load",
    "max_connections",
    "new_app",
    "parse_object",
    "read_body",
    "read_path",
    "read_query",
    "require_distinct_members",
    "run",
    "status_of",
    "type_of",
    "without_reserve",
]
