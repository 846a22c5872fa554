"""Events of the core as records of ``logging``."""

from __future__ import annotations

import logging


def log(name: str, level: int, path: str, line: int, created: float, message: str) -> None:
    """Pass an event to its logger, with the time of the event."""
    logger = logging.getLogger(name)
    if not logger.isEnabledFor(level):
        return
    record = logger.makeRecord(name, level, path, line, message, (), None)
    record.created = created
    record.msecs = created % 1 * 1000
    logger.handle(record)
