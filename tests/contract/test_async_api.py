"""The AsyncAPI document says what is sent to queues and pushed to clients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from order_contracts import EventType
from order_contracts.decoder import decode
from tests.support.async_api import COPIES, async_api, text
from tests.support.template import read_template

HERE = Path(__file__).parent
SAMPLES = {each.stem: json.loads(each.read_bytes()) for each in (HERE / "samples" / "events").iterdir()}
SPECIFICATION = json.loads((HERE / "asyncapi_spec" / "asyncapi-3.0.0.json").read_bytes())
DOCUMENT = async_api()
RESOURCE = DRAFT202012.create_resource(DOCUMENT)


def validator(reference: str) -> Any:
    registry = Registry().with_resource("urn:document", RESOURCE)
    return jsonschema.Draft202012Validator({"$ref": f"urn:document{reference}"}, registry=registry)


def messages(operation: str) -> set[str]:
    return {each["$ref"].rpartition("/")[2] for each in DOCUMENT["operations"][operation]["messages"]}


def test_the_file_in_the_reference_is_what_the_code_says() -> None:
    for copy in COPIES:
        assert copy.read_text(encoding="utf-8") == text(), "run python -m tests.support.async_api"


def test_it_follows_the_specification() -> None:
    jsonschema.Draft7Validator(SPECIFICATION).validate(json.loads(text()))


def test_every_reference_leads_somewhere() -> None:
    resolver = Registry().with_resource("urn:document", RESOURCE).resolver("urn:document")
    references = [line.split('"')[3] for line in text().splitlines() if '"$ref"' in line]
    assert len(references) > 40
    for reference in references:
        resolver.lookup(reference)


@pytest.mark.parametrize("event_type", EventType)
def test_the_payload_of_an_events_message_is_that_event_and_no_other(event_type: EventType) -> None:
    valid = validator(f"#/components/messages/{event_type.value}/payload").is_valid
    assert [name for name, sample in SAMPLES.items() if valid(sample)] == [event_type.value]


@pytest.mark.parametrize("name", SAMPLES)
def test_its_source_is_who_sends_it(name: str) -> None:
    senders = {
        "/order-service": "orderAnnouncesToNotification",
        "/processing-service": "processingAnnouncesToNotification",
    }
    sender = senders[SAMPLES[name]["source"]]
    assert {operation for operation in senders.values() if name in messages(operation)} == {sender}


@pytest.mark.parametrize("name", SAMPLES)
def test_what_asks_for_processing_has_items(name: str) -> None:
    assert (name in messages("processingStartsSagas")) == bool(decode(json.dumps(SAMPLES[name])).items)


def test_the_socket_pushes_every_frame_of_the_service() -> None:
    frames = DOCUMENT["components"]["schemas"]
    types = {each["properties"]["type"]["enum"][0] for name, each in frames.items() if name.endswith("Frame")}
    assert messages("notificationPushes") == types


def test_each_queue_has_a_channel() -> None:
    described = {
        each["address"] for each in DOCUMENT["channels"].values() if each["servers"] == [{"$ref": "#/servers/sqs"}]
    }
    parameters = read_template()["Parameters"]
    assert described == {each["Default"] for name, each in parameters.items() if name.endswith("QueueName")}
