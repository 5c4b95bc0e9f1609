"""What the log need not say."""

from __future__ import annotations

import logging

# Uvicorn's words for a text frame that is no UTF-8. It closes that socket with 1007 (RFC 6455, 8.1), which becomes an
# event of the station; the traceback tells of no fault of ours, and a station can make as many as it likes.
NOT_UTF8 = "Invalid UTF-8 sequence received from client."
# And of each station that is refused with an answer (a wrong password, say): the answer has gone out all the same.
REFUSED = "ASGI callable returned without completing handshake."


class WithoutBadText(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.msg not in (NOT_UTF8, REFUSED)
