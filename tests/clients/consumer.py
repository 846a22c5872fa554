"""A running consumer, in a thread or a process of its own: what it has been given so far, and how to wait for more."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clients.records import Record

T = TypeVar("T")


def eventually(condition: Callable[[], bool], what: Callable[[], str] | str, seconds: float = 60) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            problem = f"waited {seconds} s for {what if isinstance(what, str) else what()}"
            raise TimeoutError(problem)
        time.sleep(0.05)


class Consumer:
    """Records in the order in which they came, and the partitions that are owned now. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: list[Record] = []
        self._owned: frozenset[int] = frozenset()
        self._assignments = 0
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def records(self) -> list[Record]:
        """All records so far. A consumer that failed raises its failure instead."""
        with self._lock:
            if self._failure:
                raise self._failure
            return list(self._records)

    @property
    def owned(self) -> frozenset[int]:
        """The partitions that the group has given to this member."""
        with self._lock:
            if self._failure:
                raise self._failure
            return self._owned

    @property
    def assignments(self) -> int:
        """How often the group has changed what this member owns."""
        with self._lock:
            return self._assignments

    def await_records(self, count: int) -> list[Record]:
        """All records so far, once there are as many."""
        eventually(lambda: len(self.records) >= count, lambda: f"{count} records; there are {len(self.records)}")
        return self.records

    def commit(self) -> None:
        """Commit the offsets after the records so far, and wait for the broker's answer."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop; a dynamic member leaves its group."""
        raise NotImplementedError

    # For those who consume

    def saw(self, *records: Record) -> None:
        """Records came."""
        with self._lock:
            self._records.extend(records)

    def owns(self, partitions: frozenset[int]) -> None:
        """The member owns these partitions now, and no others."""
        with self._lock:
            self._assignments += partitions != self._owned
            self._owned = partitions

    def failed(self, failure: BaseException) -> None:
        """There will be no more records, for a reason."""
        with self._lock:
            self._failure = self._failure or failure


class PolledConsumer(Consumer):
    """A consumer of a Python library, polled in a thread of its own; the library is called in that thread only."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def poll_once(self) -> None:
        """Wait a moment for records, and report those that came."""
        raise NotImplementedError

    def opened(self) -> contextlib.AbstractContextManager[object]:
        """The library's consumer, for as long as it is polled."""
        raise NotImplementedError

    def call(self, work: Callable[[], T]) -> T:
        """Do something in the consumer's thread and return its result."""
        future: Future[T] = Future()

        def do() -> None:
            try:
                future.set_result(work())
            except BaseException as failure:  # noqa: BLE001 - it is raised where it was asked for
                future.set_exception(failure)

        self._asked.put(do)
        return future.result(60)

    def close(self) -> None:
        """Stop the thread; a failure of it is raised."""
        self._closing.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the consumer does not close"
        _ = self.records

    def _run(self) -> None:
        try:
            with self.opened():
                while not self._closing.is_set():
                    with contextlib.suppress(queue.Empty):
                        self._asked.get_nowait()()
                    self.poll_once()
        except BaseException as failure:  # noqa: BLE001 - it is raised where records are asked for
            self.failed(failure)
