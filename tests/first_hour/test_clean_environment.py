"""A clean virtual environment with the built wheel runs the first programs of the READMEs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.first_hour import clean

READMES = [clean.ROOT / "README.md", clean.ROOT / "bindings-python" / "README.md"]


@pytest.fixture(scope="module")
def with_polars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the package and its extra for Polars."""
    return clean.create(tmp_path_factory.mktemp("polars"), extras="[polars]")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the package alone."""
    return clean.create(tmp_path_factory.mktemp("bare"))


def first_block(readme: Path) -> str:
    """The first Python program of a page."""
    found = re.search(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    assert found, f"{readme} has no program"
    return found[1]


@pytest.mark.parametrize("readme", READMES, ids=["project", "package"])
def test_the_first_program_of_a_readme_runs_twice(with_polars: Path, tmp_path: Path, readme: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(first_block(readme))
    for _ in range(2):
        clean.run(with_polars, program, cwd=tmp_path)
    assert list(tmp_path.glob("*/*-0/*.log")), "the program keeps no data"


def test_the_package_needs_no_other(bare: Path, tmp_path: Path) -> None:
    listed = json.loads(clean.run(bare, "-m", "pip", "list", "--format=json", cwd=tmp_path))
    assert {package["name"] for package in listed} - {"setuptools", "wheel"} == {"pip", "headwater"}
    program = """
import headwater as hw

with hw.open() as client, client.producer() as producer:
    topic = client.create_topic("t")
    producer.send_batch("t", [{"n": 1}, {"n": 2}])
    print([message.value for batch in topic.scan(value="json", limit=1) for message in batch])
"""
    assert clean.run(bare, "-c", program, cwd=tmp_path) == "[{'n': 1}]\n"


@pytest.mark.parametrize(
    ("call", "module", "extra"),
    [
        ("topic.scan().to_polars()", "polars", "polars"),
        ("topic.scan().to_polars(lazy=True)", "polars", "polars"),
        ("topic.head().to_polars()", "polars", "polars"),
        ("topic.scan().to_pandas()", "pandas", "pandas"),
        ("topic.scan().to_arrow()", "pyarrow", "pyarrow"),
        ("topic.head().to_arrow()", "pyarrow", "pyarrow"),
        ("asyncio.run(aio())", "polars", "polars"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(bare: Path, tmp_path: Path, call: str, module: str, extra: str) -> None:
    program = f"""
import asyncio
import headwater as hw

async def aio():
    await client.aio.topic("t").scan().to_polars()

with hw.open() as client:
    topic = client.create_topic("t")
    {call}
"""
    output = clean.run(bare, "-c", program, cwd=tmp_path, fails=True)
    assert f"ModuleNotFoundError: This needs {module}, which is not installed: pip install 'headwater[{extra}]'." in output


def test_asyncio_needs_no_import_of_its_own(bare: Path, tmp_path: Path) -> None:
    program = """
import sys
import headwater as hw
assert "headwater._headwater" not in sys.modules, "the import loads the engine"
assert "asyncio" not in sys.modules, "the import loads asyncio"
import asyncio

async def main():
    async with hw.aio.open() as client:
        return len(await client.topics())

print(asyncio.run(main()), hw.errors.KafkaError is hw.KafkaError, "open" in dir(hw), hw.types.TopicPartition("t", 1).topic)
try:
    hw.nothing
except AttributeError as error:
    print(error)
"""
    output = clean.run(bare, "-c", program, cwd=tmp_path)
    assert output == "0 True True t\nmodule 'headwater' has no attribute 'nothing'\n"
