"""The HTTP server of a service: application, middlewares, problem details, request parsing, client addresses, limits.

`new_app` returns the application, `run` serves it until SIGTERM, with limits on connections and slow requests that
aiohttp lacks. `RequestLimit` limits the requests of each caller.
"""

from __future__ import annotations

from .app_keys import ALLOWED_ORIGINS, METRICS, NAME, READINESS, TRUSTED_PROXIES, VERSION
from .application import allow_origins, new_app
from .client_address import from_trusted_proxy, quota_address
from .connection_limits import max_connections, without_reserve
from .middlewares import outcomes
from .problem_details import CONTENT_TYPE, Problem, status_of, type_of
from .request_limits import RequestLimit
from .requests import (
    MAX_BODY_BYTES,
    etag,
    if_match,
    json_response,
    load,
    parse_object,
    read_body,
    read_path,
    read_query,
    require_distinct_members,
    unless_known,
)
from .runner import run

__all__ = [
    "ALLOWED_ORIGINS",
    "CONTENT_TYPE",
    "MAX_BODY_BYTES",
    "METRICS",
    "NAME",
    "READINESS",
    "TRUSTED_PROXIES",
    "VERSION",
    "Problem",
    "RequestLimit",
    "allow_origins",
    "etag",
    "from_trusted_proxy",
    "if_match",
    "json_response",
    "load",
    "max_connections",
    "new_app",
    "outcomes",
    "parse_object",
    "quota_address",
    "read_body",
    "read_path",
    "read_query",
    "require_distinct_members",
    "run",
    "status_of",
    "type_of",
    "unless_known",
    "without_reserve",
]
