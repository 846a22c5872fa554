"""Events of the core as records of ``logging``."""

from __future__ import annotations

import logging


def log(name: str, level: int, path: str, line: int, created: float, message: str) -> None:
    """Pass an event to its logger, with the time of the event."""
    logger = logger_of(name)
    if not logger.isEnabledFor(level):
        return
    record = logger.makeRecord(name, level, path, line, message, (), None)
    record.created = created
    record.msecs = created % 1 * 1000
    logger.handle(record)


def logger_of(name: str) -> logging.Logger:
    """The logger of this name. If it does not exist, one below the nearest parent that exists, for a single event.

    Registers no logger. This is a thread of the core, and other threads may iterate over all loggers, as pytest does
    for each test.
    """
    known = logging.root.manager.loggerDict
    found = known.get(name)
    if isinstance(found, logging.Logger):
        return found
    logger = logging.Logger(name)
    parents = (known.get(parent) for parent in parents_of(name))
    logger.parent = next((parent for parent in parents if isinstance(parent, logging.Logger)), logging.root)
    return logger


def parents_of(name: str) -> list[str]:
    """The names of the parents of a logger, the nearest first."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]
