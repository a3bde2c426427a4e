"""The limits of SQS.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
"""

from __future__ import annotations

__all__ = ["MAX_ATTRIBUTES", "MAX_BATCH", "MAX_BATCH_BYTES", "MAX_DELAY_S", "MAX_VISIBILITY_S"]

MAX_BATCH = 10  # messages of one receive, and entries of one batch request
MAX_BATCH_BYTES = 1_048_576  # of one message and of one request: bodies and attributes in UTF-8
MAX_ATTRIBUTES = 10  # of one message
MAX_DELAY_S = 900  # of a message that is sent
MAX_VISIBILITY_S = 43_200  # 12 hours from the receive
