"""A running consumer in its own thread or process: its records so far, and functions to wait for more."""

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
    """The received records in order, and the partitions owned now. Callable from any thread."""

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
        """All records so far. Raises the error of a failed consumer instead."""
        with self._lock:
            if self._failure:
                raise self._failure
            return list(self._records)

    @property
    def owned(self) -> frozenset[int]:
        """The partitions of this member in the group."""
        with self._lock:
            if self._failure:
                raise self._failure
            return self._owned

    @property
    def assignments(self) -> int:
        """The number of changes of this member's partitions."""
        with self._lock:
            return self._assignments

    def await_records(self, count: int) -> list[Record]:
        """All records so far, when there are that many."""
        eventually(lambda: len(self.records) >= count, lambda: f"{count} records; there are {len(self.records)}")
        return self.records

    def commit(self) -> None:
        """Commit the offsets after the records so far, and wait for the broker's response."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop; a dynamic member leaves its group."""
        raise NotImplementedError

    # For the consuming thread

    def saw(self, *records: Record) -> None:
        """Records have arrived."""
        with self._lock:
            self._records.extend(records)

    def owns(self, partitions: frozenset[int]) -> None:
        """The member owns exactly these partitions now."""
        with self._lock:
            self._assignments += partitions != self._owned
            self._owned = partitions

    def failed(self, failure: BaseException) -> None:
        """No more records will arrive, for this reason."""
        with self._lock:
            self._failure = self._failure or failure


class PolledConsumer(Consumer):
    """A consumer of a Python library, polled in its own thread; the library is called only in that thread."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def poll_once(self) -> None:
        """Wait briefly for records, and report those that arrived."""
        raise NotImplementedError

    def opened(self) -> contextlib.AbstractContextManager[object]:
        """The library's consumer, while it is polled."""
        raise NotImplementedError

    def call(self, work: Callable[[], T]) -> T:
        """Run a function in the consumer's thread and return its result."""
        future: Future[T] = Future()

        def do() -> None:
            try:
                future.set_result(work())
            except BaseException as failure:  # noqa: BLE001 - the caller gets it
                future.set_exception(failure)

        self._asked.put(do)
        return future.result(60)

    def close(self) -> None:
        """Stop the thread, and raise its error."""
        self._closing.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the consumer was not closed"
        _ = self.records

    def _run(self) -> None:
        try:
            with self.opened():
                while not self._closing.is_set():
                    with contextlib.suppress(queue.Empty):
                        self._asked.get_nowait()()
                    self.poll_once()
        except BaseException as failure:  # noqa: BLE001 - the reader of the records gets it
            self.failed(failure)
