"""Keys of the application, for middlewares and common handlers."""

from __future__ import annotations

from aiohttp import web

from ..config import Networks
from ..lifecycle import Readiness
from ..observability import Metrics

__all__ = ["METRICS", "NAME", "READINESS", "TRUSTED_PROXIES", "VERSION"]

METRICS = web.AppKey("metrics", Metrics)
NAME = web.AppKey("name", str)
VERSION = web.AppKey("version", str)
READINESS = web.AppKey("readiness", Readiness)
TRUSTED_PROXIES: web.AppKey[Networks] = web.AppKey("trusted_proxies", tuple)
