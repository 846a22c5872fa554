"""Events of the core as records of ``logging``."""

from __future__ import annotations

import logging


def log(name: str, level: int, path: str, line: int, created: float, message: str) -> None:
    """Pass an event to its logger, with the time of the event.

    Creates no logger. This is a thread of the core, and other threads may iterate over all loggers, as pytest does for
    each test. A new logger would have no level, handler or filter of its own.
    """
    logger = nearest_logger(name)
    if logger.name == name:
        is_enabled = logger.isEnabledFor(level)
    else:
        is_enabled = level >= logger.getEffectiveLevel() and level > logger.manager.disable
    if not is_enabled:
        return
    record = logger.makeRecord(name, level, path, line, message, (), None)
    record.created = created
    record.msecs = created % 1 * 1000
    if logger.name == name:
        logger.handle(record)
    else:
        logger.callHandlers(record)


def nearest_logger(name: str) -> logging.Logger:
    """The logger of this name, or the nearest of its parents that exists."""
    known = logging.root.manager.loggerDict
    while name:
        found = known.get(name)
        if isinstance(found, logging.Logger):
            return found
        name = name.rpartition(".")[0]
    return logging.root
