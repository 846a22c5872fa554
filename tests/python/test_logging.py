"""Reports of the engine in Python: `logging`, and the report of opening."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import pytest

import headwater as hw
import headwater.aio as aio

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Spawn = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.embedded("is about the engine's log")


def killed_with_a_torn_batch(spawn: Spawn, path: Path) -> None:
    """Leave a directory in the state after a killed process, with half a batch at the end of a log."""
    process = spawn(
        """
        import sys, headwater as hw
        client = hw.open(sys.argv[1])
        client.create_topic("t")
        client.producer().send("t", b"whole").result()
        print("written", flush=True)
        input()
        """,
        path,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    process.kill()
    process.wait()
    log = path / "t-0" / "00000000000000000000.log"
    batch = log.read_bytes()
    end = 12 + int.from_bytes(batch[8:12], "big")
    log.write_bytes(batch[:end] + batch[: end - 5])


def test_changes_of_recovery_are_reported_and_logged(spawn: Spawn, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    killed_with_a_torn_batch(spawn, tmp_path)
    with caplog.at_level(logging.INFO, "headwater"), hw.open(tmp_path) as client:
        report = client.recovery
        records = [record for record in caplog.records if record.name.startswith("headwater.") and record.levelno == logging.WARNING]
        assert any("recovered" in record.getMessage() and "topic" in record.getMessage() for record in records)
        assert all(0 <= time.time() - record.created < 60 for record in records)
        assert report is not None
        assert not report.clean_shutdown
        assert report.elapsed > 0
        assert (report.missing, report.damaged_checkpoints, report.strays) == ([], [], [])
        cut = {recovered.topic: recovered for recovered in report.recovered}["t"]
        assert cut.partition == 0
        assert cut.truncated_bytes > 0
        assert cut.log_end_offset == 1
        assert cut.details
        assert client.aio.recovery == report
    with hw.open(tmp_path) as client:
        assert client.recovery is None


def test_asyncio_has_the_report_too(spawn: Spawn, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    killed_with_a_torn_batch(spawn, tmp_path)

    async def main() -> None:
        async with aio.open(tmp_path) as client:
            assert client.recovery is not None
            assert [recovered.topic for recovered in client.recovery.recovered] == ["t"]

    with caplog.at_level(logging.WARNING, "headwater"):
        asyncio.run(main())
    assert any(record.name.startswith("headwater.") for record in caplog.records)


def test_a_new_directory_has_nothing_to_report(tmp_path: Path) -> None:
    with hw.open(tmp_path) as client:
        assert client.recovery is None
    with hw.open() as client:
        assert client.recovery is None


def test_levels_and_loggers_are_pythons(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "headwater"), hw.open(tmp_path, log_retention_check_interval_ms=10) as client:
        client.create_topic("t", segment_bytes=1_048_576, retention_ms=1)
        client.producer().send_batch("t", [b"x" * 1000] * 5_000)
        deadline = time.time() + 20
        while time.time() < deadline and not any("a segment was removed" in record.getMessage() for record in caplog.records):
            time.sleep(0.02)
    removed = [record for record in caplog.records if "a segment was removed" in record.getMessage()]
    assert removed
    assert removed[0].levelno == logging.INFO
    assert removed[0].name.startswith("headwater.broker")
    assert removed[0].pathname.endswith(".rs")
    assert "topic=t" in removed[0].getMessage()


def test_an_event_creates_no_logger() -> None:
    """Pytest iterates over all loggers without a lock, while threads of the core log."""
    from headwater._logging import log

    records: list[logging.LogRecord] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    parent = logging.getLogger("headwater.parent")
    parent.addHandler(Keeping())
    parent.addFilter(logging.Filter("another"))
    parent.setLevel(logging.INFO)
    log("headwater.parent.child", logging.INFO, "a.rs", 7, 12.5, "a message of %s")
    log("headwater.parent.child", logging.DEBUG, "a.rs", 7, 12.5, "too low")
    assert "headwater.parent.child" not in logging.root.manager.loggerDict
    assert [(record.name, record.getMessage(), record.created) for record in records] == [
        ("headwater.parent.child", "a message of %s", 12.5)
    ]
    child = logging.getLogger("headwater.parent.child")
    log("headwater.parent.child", logging.INFO, "a.rs", 7, 12.5, "with a logger of its own")
    child.setLevel(logging.WARNING)
    log("headwater.parent.child", logging.INFO, "a.rs", 7, 12.5, "too low")
    assert len(records) == 2


def test_events_at_the_end_are_logged_before_logging_ends(spawn: Spawn, tmp_path: Path) -> None:
    process = spawn(
        """
        import logging, shutil, sys, headwater as hw
        logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s %(levelname)s")
        client = hw.open(sys.argv[1])
        client.create_topic("t")
        client.producer().send("t", b"x").result()
        shutil.rmtree(sys.argv[1])
        try:
            client.topics()
        except hw.HeadwaterError:
            pass
        """,
        tmp_path / "data",
    )
    output, errors = process.communicate(timeout=60)
    assert errors == ""
    assert "headwater.broker.directory_watch ERROR" in output.splitlines()


def test_a_log_handler_may_use_the_engine(tmp_path: Path) -> None:
    class Sending(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            sink.send("log", record.getMessage()).result(20)
            assert len(client.topics()) == 2

    handler = Sending(logging.INFO)
    logger = logging.getLogger("headwater")
    with hw.open(tmp_path, log_retention_check_interval_ms=10) as client:
        client.create_topic("log")
        client.create_topic("t", segment_bytes=1_048_576, retention_ms=1)
        sink = client.producer()
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            client.producer().send_batch("t", [b"x" * 1000] * 5_000)
            deadline = time.time() + 20
            while not any(b"a segment was removed" in message.value for message in client["log"].head()):
                assert time.time() < deadline
                time.sleep(0.02)
        finally:
            logger.removeHandler(handler)
            logger.setLevel(logging.NOTSET)
