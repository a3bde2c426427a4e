"""A problem type has one meaning and one status in all services, and the reference lists those that they answer."""

from __future__ import annotations

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from itertools import product

from service_common.errors import BusyError, MisdirectedError, ServiceError
from service_common.http_server import status_of
from tests.support.api_documents import APIS
from tests.support.pages import REFERENCE, inline_code, rows, section

PACKAGES = ("service_common", "order_service", "inventory_service", "processing_service", "notification_service")
# the rooms whose errors reach a client through a handler that raises none of its own
UNDER_HANDLERS = ("service_common.http_client", "service_common.postgres")


def errors() -> set[type[ServiceError]]:
    """Return every error of all packages."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return {error for error in descendants(ServiceError) if error.__module__.startswith(PACKAGES)}


def descendants(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from descendants(child)


def meaning(error: type[ServiceError]) -> str:
    """Return the first line of the docstring of the class that gives *error* its slug."""
    (owner, *_) = (each for each in error.__mro__ if "slug" in vars(each))
    return (owner.__doc__ or "").partition("\n")[0]


def test_slug_has_one_meaning_and_one_status() -> None:
    by_slug = defaultdict(set)
    for error in errors():
        by_slug[error.slug].add((status_of(error), meaning(error)))
    assert {slug: meanings for slug, meanings in by_slug.items() if len(meanings) > 1} == {}


def test_reference_lists_the_problem_types_that_are_answered() -> None:
    answered = {error for error in errors() if error.__module__.startswith(UNDER_HANDLERS) and status_of(error) != 500}
    answered.add(MisdirectedError)  # before any operation
    answered |= {error for api in APIS.values() for operation in api.operations for error in operation.refusals}
    answered.add(BusyError)  # from PostgreSQL, too
    listed: set[tuple[str, str]] = set()
    for statuses, types, _ in rows(section((REFERENCE / "http.md").read_text("utf-8"), "## Errors")):
        slugs = [slug for slug in inline_code(types) if slug != "about:blank"]
        several = statuses.split(", ") if slugs else []
        listed.update(zip(several, slugs, strict=True) if len(several) > 1 else product(several, slugs))
    assert listed == {(str(status_of(error)), error.slug) for error in answered}
