"""A year of flights through an embedded broker, into a DataFrame and a picture.

Run it with ``make demo``, or ``python notebooks/first_stream.py --help``. Stop it wherever you like: the next run resumes
from what the log holds.
"""

from __future__ import annotations

import argparse
import shutil
import time
from datetime import date
from pathlib import Path

import matplotlib.pyplot as plt
import polars as pl
from flights import PARTITIONS, SCHEMA, TOPIC, airlines, flights
from tqdm import tqdm

import headwater as hw


def main() -> None:
    """Replay, read back, tabulate, draw."""
    arguments = parse_arguments()
    if arguments.fresh:
        shutil.rmtree(arguments.data, ignore_errors=True)
    with hw.open(arguments.data) as client:
        # The events are from 2013: Kafka's default retention of seven days would delete them.
        topic = client.create_topic(TOPIC, partitions=PARTITIONS, retention_ms=-1, if_exists="ignore")
        replay(client, topic, until=arguments.until)
        events = read(topic)
    delays = delays_by_carrier(events)
    print(f"\nDelays by carrier, minutes\n{delays}")
    hours = delays_by_hour(events)
    print(f"\nDelays by scheduled hour of departure, minutes\n{hours}")
    arguments.picture.parent.mkdir(parents=True, exist_ok=True)
    chart(delays, hours).savefig(arguments.picture, dpi=150)
    print(f"\nThe picture: {arguments.picture}")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("demo-data"), help="the engine's directory (default: %(default)s)")
    parser.add_argument("--picture", type=Path, default=Path("demo-output/delays.png"), help="default: %(default)s")
    parser.add_argument("--until", type=date.fromisoformat, help="replay only the flights before this day, YYYY-MM-DD")
    parser.add_argument("--fresh", action="store_true", help="delete the directory of an earlier run first")
    return parser.parse_args()


def replay(client: hw.Client, topic: hw.Topic, until: date | None = None) -> None:
    """Produce the flights that are not in the log yet, day by day, with the carrier as key and their event time."""
    events = flights()
    if until is not None:
        events = events.filter(pl.col("time").dt.date() < until)
    missing = events.join(last_events(topic), on="carrier", how="left").filter(
        pl.col("last").is_null() | (pl.col("event") > pl.col("last"))
    )
    print(f"{len(topic):,} events are in the log, {len(missing):,} are to be replayed")
    if missing.is_empty():
        return
    started = time.perf_counter()
    with client.producer() as producer, tqdm(total=len(missing), unit=" events", unit_scale=True) as progress:
        for _, day in missing.drop("last").group_by(pl.col("time").dt.date(), maintain_order=True):
            producer.send_batch(TOPIC, day, key="carrier", timestamp="time")
            progress.update(len(day))
    print(f"Produced {len(missing):,} events: {len(missing) / (time.perf_counter() - started):,.0f} a second, encoding JSON included")


def last_events(topic: hw.Topic) -> pl.DataFrame:
    """``carrier`` and ``last``, the number of the last event in the log.

    If an earlier run was stopped, this shows exactly which events are missing, because the events of a key keep their order.
    """
    stored = topic.scan(key="string", value="json", schema={"event": "int64"}, unnest=True, columns=["key", "event"]).to_polars()
    return stored.group_by(pl.col("key").alias("carrier")).agg(last=pl.col("event").max())


def read(topic: hw.Topic) -> pl.DataFrame:
    """The whole topic as typed columns."""
    started = time.perf_counter()
    events = topic.scan(key="string", value="json", schema=SCHEMA, unnest=True).to_polars().rename({"key": "carrier"})
    print(f"Consumed {len(events):,} events: {len(events) / (time.perf_counter() - started):,.0f} a second, decoding JSON included")
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
        .agg(flights=pl.len(), median=pl.col("dep_delay").median(), mean=pl.col("dep_delay").mean().round(1))
        .sort("hour")
    )


def chart(delays: pl.DataFrame, hours: pl.DataFrame) -> plt.Figure:
    """Mean delay by carrier and by hour, side by side."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained", width_ratios=(5, 6))
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
