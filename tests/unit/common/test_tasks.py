"""No task and no thread ends unnoticed: each place that starts one is listed here, with who notices."""

from __future__ import annotations

import re

from orderstream_local.layout import ROOT

STARTS = re.compile(
    r"\b(create_task|ensure_future|TaskGroup|start_soon|run_in_executor|run_coroutine_threadsafe|Thread|Timer)\("
)
SUPERVISED = "service_common/lifecycle/background_tasks.py"
NOTICED_BY = {
    SUPERVISED: ["create_task"],  # background() itself: its only code outside of the work is the restart
    "service_common/auth/signing_keys.py": ["create_task"],  # log_death; those who wait for keys get the exception
    "service_common/call_batcher.py": ["create_task"],  # whatever a flush raises goes to its submitters
    "service_common/http_server/event_loop.py": ["Thread"],  # those who asked get the answer or the exception
    "service_common/http_server/runner.py": ["create_task", "create_task"],  # awaits both
    "service_common/http_server/watchdog.py": ["Thread"],  # faulthandler ends the process when the log fails
    "service_common/logs/cloudwatch.py": ["Thread"],  # handles each batch's exceptions
    "service_common/logs/line_writer.py": ["Thread"],  # counts each batch's exceptions
    "service_common/otlp/exporter.py": ["Thread"],  # logs and counts each batch's exceptions
    "service_common/outbox/relay.py": ["TaskGroup", "create_task", "create_task"],  # the group ends run()
    "service_common/postgres/availability.py": ["create_task"],  # repeats a probe that crashed
    "service_common/sqs/batcher.py": ["ensure_future"],  # abandons the items of a flush that crashed
    "service_common/sqs/dead_letter_queue.py": ["ensure_future"],  # awaits it
    # ends run(); retries the message; awaits the parts of a batch
    "service_common/sqs/poller.py": ["TaskGroup", "create_task", "create_task", "ensure_future"],
    "service_common/sqs/queue_depth.py": ["create_task"],  # log_death; the next scrape starts another
    "service_common/sqs/receive_loop.py": ["create_task"],  # in the poller's group
    "notification_service/app.py": ["create_task"],  # awaits it
    "notification_service/push/broadcaster.py": ["create_task"],  # log_death; aborts the client
    "notification_service/push/page_cache.py": ["create_task"],  # its readers get the exception
    "processing_service/engine.py": ["create_task"],  # logs it; another claim follows the lease
}


def test_each_place_that_starts_a_task_is_listed_with_who_notices_its_end() -> None:
    started = {}
    for path in ROOT.glob("packages/*/src/*/**/*.py"):
        code = "\n".join(line.partition("#")[0] for line in path.read_text("utf-8").splitlines())
        if found := STARTS.findall(code):
            started[str(path.relative_to(ROOT)).partition("/src/")[2]] = sorted(found)
    assert started == {path: sorted(calls) for path, calls in NOTICED_BY.items()}


def test_each_task_in_a_group_that_ends_unbidden_ends_the_group() -> None:
    """A TaskGroup is silent about a task that ends in CancelledError; `uncancelled` makes that an error."""
    for path in ("service_common/outbox/relay.py", "service_common/sqs/poller.py"):
        code = (ROOT / "packages" / "common" / "src" / path).read_text("utf-8")
        grouped = re.findall(r"(?:tasks|group)\.create_task\((.*)\)", code)
        assert grouped
        assert [each for each in grouped if not each.startswith("uncancelled(")] == []
