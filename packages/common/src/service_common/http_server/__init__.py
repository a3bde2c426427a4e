"""The HTTP server of a service: application, middlewares, problem details, request parsing, health endpoints.

`new_app` makes the application, `run` serves it until SIGTERM. Limits on connections and slow requests, which aiohttp
lacks, are here as well.
"""

from __future__ import annotations

from .app_keys import METRICS, READINESS, VERSION
from .application import allow_origins, new_app
from .file_limits import connections_allowed, held_back
from .middlewares import internal
from .problem_details import CONTENT_TYPE, Problem, status_of, type_of
from .requests import etag, if_match, load, read_json
from .runner import run

__all__ = [
    "CONTENT_TYPE",
    "METRICS",
    "READINESS",
    "VERSION",
    "Problem",
    "allow_origins",
    "connections_allowed",
    "etag",
    "held_back",
    "if_match",
    "internal",
    "load",
    "new_app",
    "read_json",
    "run",
    "status_of",
    "type_of",
]
