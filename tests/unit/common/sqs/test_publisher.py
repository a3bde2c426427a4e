from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service_common.sqs import Attribute, Outgoing
from service_common.sqs.limits import MAX_BATCH, MAX_BATCH_BYTES
from service_common.sqs.messages import size_bytes
from service_common.sqs.publisher import batches

SIZES = st.one_of(st.integers(1, 1000), st.integers(MAX_BATCH_BYTES // 3, MAX_BATCH_BYTES + 10))


@given(st.lists(SIZES, max_size=40))
def test_batches_have_all_messages_in_order_within_the_limits_of_sqs(sizes: list[int]) -> None:
    messages = [Outgoing(str(number), "x" * size) for number, size in enumerate(sizes)]
    split = list(batches(messages))
    assert [message for batch in split for message in batch] == messages
    for batch in split:
        assert 1 <= len(batch) <= MAX_BATCH
        assert len(batch) == 1 or sum(map(size_bytes, batch)) <= MAX_BATCH_BYTES


def test_size_is_in_bytes_and_counts_attributes() -> None:
    attributes = {"ü": Attribute("€"), "b": Attribute(b"12345", "Binary.x")}
    assert size_bytes(Outgoing("key", "é", attributes)) == 2 + (2 + len("String") + 3) + (1 + len("Binary.x") + 5)
