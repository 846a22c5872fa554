"""A year of flights through an embedded broker: a live stream, then a table and a picture.

Run it with ``make demo``, or ``python notebooks/first_stream.py --help``. Stop it wherever you like: the next run goes on
where the log ends.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from flights import PARTITIONS, SCHEMA, TOPIC, airlines, flights

import headwater as hw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUP = "dashboard"


def main() -> None:
    """Run the demo. Ctrl-C ends it with one line."""
    arguments = parse_arguments()
    try:
        run(arguments)
    except KeyboardInterrupt:
        # A record in the log is kept, whatever ends the program.
        again = [os.path.relpath(sys.executable), *(word for word in sys.argv if word != "--fresh")]
        print(f"\nStopped. The events so far are in {arguments.data}. To go on: {shlex.join(again)}")
        sys.exit(130)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("demo-data"),
        help="the engine's directory (default: %(default)s)",
    )
    parser.add_argument(
        "--picture", type=Path, default=Path("demo-output/delays.png"), help="default: %(default)s"
    )
    parser.add_argument(
        "--until", type=date.fromisoformat, help="replay only the flights before this day, YYYY-MM-DD"
    )
    parser.add_argument(
        "--days-per-second",
        type=float,
        default=40.0,
        help="the speed of the replay (default: %(default)g)",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="delete the directory of an earlier run first"
    )
    return parser.parse_args()


def run(arguments: argparse.Namespace) -> None:
    """Stream, read back, tabulate, draw."""
    if arguments.fresh:
        shutil.rmtree(arguments.data, ignore_errors=True)
    with hw.open(arguments.data) as client:
        # The events are from 2013: Kafka's default retention of seven days would delete them.
        topic = client.create_topic(TOPIC, partitions=PARTITIONS, retention_ms=-1, if_exists="ignore")
        stream(client, missing_events(topic, arguments.until), arguments.days_per_second)
        events = read(topic)
    delays = delays_by_carrier(events)
    with pl.Config(
        tbl_rows=-1, tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True, tbl_width_chars=100
    ):
        print(f"\nDelays by airline, minutes\n{delays}")
    hours = delays_by_hour(events)
    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    chart(delays, hours).savefig(arguments.picture, dpi=110)
    print(f"\nThe picture: {arguments.picture}")


def missing_events(topic: hw.Topic, until: date | None = None) -> pl.DataFrame:
    """The flights that are not in the log yet.

    If an earlier run was stopped, the last event of each carrier shows exactly which are missing: the carrier is the key, and
    the events of a key keep their order.
    """
    events = flights()
    if until is not None:
        events = events.filter(pl.col("time").dt.date() < until)
    stored = topic.scan(
        key="string", value="json", schema={"event": "int64"}, unnest=True, columns=["key", "event"]
    ).to_polars()
    last = stored.group_by(carrier="key").agg(last=pl.col("event").max())
    missing = events.join(last, on="carrier", how="left", maintain_order="left").filter(
        pl.col("last").is_null() | (pl.col("event") > pl.col("last"))
    )
    print(f"{len(stored):,} events are in the log, {len(missing):,} are to be replayed")
    return missing.drop("last")


def stream(client: hw.Client, events: pl.DataFrame, days_per_second: float) -> None:
    """Replay the events in the background, and follow them meanwhile."""
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as pool:
        producing = pool.submit(produce, client, events, days_per_second, stop)
        try:
            follow(client, producing)
        finally:
            stop.set()
        producing.result()


def produce(
    client: hw.Client, events: pl.DataFrame, days_per_second: float, stop: threading.Event
) -> None:
    """Send the flights day by day, with the carrier as key and their event time."""
    started = time.monotonic()
    with client.producer() as producer:
        for number, (_, day) in enumerate(
            events.group_by(pl.col("time").dt.date(), maintain_order=True)
        ):
            if stop.wait(max(0.0, started + number / days_per_second - time.monotonic())):
                return
            producer.send_batch(TOPIC, day, key="carrier", timestamp="time")


def follow(client: hw.Client, producing: Future[None]) -> None:
    """Read as a member of a group, until all that was produced is read. The next run goes on at the group's commits."""
    line = LiveLine()
    with client.consumer(TOPIC, group_id=GROUP, auto_offset_reset="earliest") as consumer:
        while not producing.done() or not consumer.assignment() or any(consumer.lag().values()):
            batch = consumer.poll(0.1, max_records=100_000)
            if batch:
                line.add(len(batch), batch.to_polars()["timestamp"].max())
            line.show(sum(consumer.lag().values()))
        consumer.commit()
    line.end()


@dataclass
class LiveLine:
    """The line that shows the stream: the day, records, records a second, and the records that are still to be read."""

    records: int = 0
    day: str = ""
    started: float = 0.0

    def add(self, records: int, newest: object) -> None:
        """Count a batch. The clock starts with the first one."""
        self.started = self.started or time.monotonic()
        self.records += records
        self.day = f"{newest:%d %b %Y}"

    def show(self, lag: int) -> None:
        """Write the line over the one before, if this is a terminal."""
        if sys.stdout.isatty() and self.records:
            print(f"\r{self.text()}   lag {lag:>6,} ", end="", flush=True)

    def text(self) -> str:
        """The line without the lag."""
        rate = self.records / max(0.001, time.monotonic() - self.started)
        return f"following   {self.day}   {self.records:>7,} records   {rate:>9,.0f} a second"

    def end(self) -> None:
        """Leave the last state of the line behind."""
        if self.records:
            print(f"{chr(13) if sys.stdout.isatty() else ''}{self.text()}   lag {0:>6} ")


def read(topic: hw.Topic) -> pl.DataFrame:
    """The whole topic as typed columns."""
    started = time.perf_counter()
    events = (
        topic.scan(key="string", value="json", schema=SCHEMA, unnest=True)
        .to_polars()
        .rename({"key": "carrier"})
    )
    print(
        f"read back   {len(events):,} records as a table: {len(events) / (time.perf_counter() - started):,.0f} a second, JSON included"
    )
    return events


def delays_by_carrier(events: pl.DataFrame) -> pl.DataFrame:
    """Flights, cancelled share and delays of each airline, the most punctual first."""
    return (
        events.group_by("carrier")
        .agg(
            flights=pl.len(),
            cancelled=pl.col("dep_delay").is_null().mean(),
            median=pl.col("dep_delay").median(),
            mean=pl.col("dep_delay").mean(),
        )
        .join(airlines(), on="carrier")
        .select("name", "flights", pl.col("cancelled", "median", "mean").round(3))
        .sort("mean")
    )


def delays_by_hour(events: pl.DataFrame) -> pl.DataFrame:
    """Flights and delays by the hour of scheduled departure (local time)."""
    return (
        events.group_by("hour")
        .agg(
            flights=pl.len(),
            median=pl.col("dep_delay").median(),
            mean=pl.col("dep_delay").mean().round(1),
        )
        .sort("hour")
    )


def chart(delays: pl.DataFrame, hours: pl.DataFrame) -> Figure:
    """Mean delay by carrier and by hour, side by side."""
    # This import takes a second or more, so the stream starts without it.
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 4.4), layout="constrained", width_ratios=(5, 6)
    )
    left.barh(delays["name"], delays["mean"], color="#2a6f97")
    left.invert_yaxis()
    left.set_title("by airline", loc="left")
    flown = hours.drop_nulls("mean")
    right.bar(flown["hour"], flown["mean"], color="#e07a5f")
    right.set_xticks(range(5, 24, 3), [f"{hour}:00" for hour in range(5, 24, 3)])
    right.set_title("by scheduled hour: delays add up over the day", loc="left")
    for axes, values in ((left, "x"), (right, "y")):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis=values, alpha=0.3)
        axes.set_axisbelow(True)
        axes.set(**{f"{values}label": "mean departure delay, minutes"})
    figure.suptitle("Departures from New York City, 2013", x=0.01, ha="left", weight="bold")
    return figure


if __name__ == "__main__":
    main()
