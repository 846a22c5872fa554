"""Errors about names of other libraries recommend ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

import headwater as hw
import headwater.aio
from headwater._foreign_names import NAMES, ForeignName

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.embedded("errors before any request")

FACES = pytest.mark.parametrize("is_aio", [False, True], ids=["blocking", "asyncio"])


@pytest.fixture(name="owners", scope="module")
def _owners() -> Iterator[dict[tuple[str, bool], Any]]:
    """An object of each class in the table, by its name and face."""
    with hw.open() as client:
        client.create_topic("t")
        client.producer().send("t", b"x").result()
        owners: dict[tuple[str, bool], Any] = {}
        for is_aio, of_face in ((False, client), (True, client.aio)):
            topic = of_face.topic("t")
            objects = [of_face, of_face.producer(), of_face.consumer(group_id="g"), topic, topic.scan()]
            owners |= {
                (kind, is_aio): made for kind, made in zip(("Client", "Producer", "Consumer", "Topic", "Scan"), objects, strict=True)
            }
            # Batches and futures of records are the same in both.
            owners["Batch", is_aio] = client.topic("t").head()
            owners["Future", is_aio] = client.producer().send("t", b"x")
            owners["headwater", is_aio] = hw
        yield owners


def identity(row: object) -> str:
    return f"{row.place}-{row.name}" if isinstance(row, ForeignName) else str(row)


def rows(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", [row for row in NAMES if row.kind == kind], ids=identity)


def test_the_table_has_each_name_once() -> None:
    keys = [(row.kind, row.place, row.name) for row in NAMES]
    assert len(set(keys)) == len(keys) > 100


@FACES
@rows("attribute")
def test_an_attribute_names_ours(owners: dict[tuple[str, bool], Any], row: ForeignName, is_aio: bool) -> None:
    with pytest.raises(AttributeError, match=re.escape(row.ours)) as raised:
        getattr(owners[row.place, is_aio], row.name)
    assert row.library in str(raised.value)


def call(owners: dict[tuple[str, bool], Any], row: ForeignName, is_aio: bool, **arguments: Any) -> object:
    """Call what the row is about with these arguments and the required ones."""
    place, _, method = row.place.partition(".")
    required: dict[str, list[Any]] = {"send": ["t"], "create_topic": ["u"], "subscribe": ["t"], "connect": ["localhost:1"]}
    if place in ("open", "connect"):
        function = getattr(hw.aio if is_aio else hw, place)
        opened = function(*required.get(place, []), **arguments)
        # In asyncio the arguments are checked when it is awaited.
        return opened.send(None) if is_aio else opened
    return getattr(owners[place, is_aio], method)(*required.get(method, []), **arguments)


@FACES
@rows("keyword")
def test_a_keyword_argument_names_ours(owners: dict[tuple[str, bool], Any], row: ForeignName, is_aio: bool) -> None:
    with pytest.raises(TypeError, match=re.escape(row.ours)):
        call(owners, row, is_aio, **{row.name: 1})


@FACES
@rows("key")
def test_a_configuration_key_names_ours(owners: dict[tuple[str, bool], Any], row: ForeignName, is_aio: bool) -> None:
    with pytest.raises(hw.ConfigError, match=re.escape(row.ours)):
        call(owners, row, is_aio, config={row.name: 1})
    with pytest.raises(TypeError, match=re.escape(row.ours)):
        call(owners, row, is_aio, **{row.name.replace(".", "_"): 1})


@FACES
def test_other_names_are_usual_errors(owners: dict[tuple[str, bool], Any], is_aio: bool) -> None:
    consumer = owners["Consumer", is_aio]
    with pytest.raises(AttributeError) as raised:
        consumer.pol  # noqa: B018
    # Python adds the nearest name to the traceback.
    assert (raised.value.name, raised.value.obj) == ("pol", consumer)
    assert not hasattr(consumer, "__dataframe__")
    with pytest.raises(TypeError, match="unexpected keyword argument 'tiemout'"):
        consumer.poll(tiemout=1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'keys'"):
        owners["Producer", is_aio].send("t", keys=b"k")
    with pytest.raises(AttributeError, match="module 'headwater' has no attribute 'nothing'"):
        getattr(hw, "nothing")  # noqa: B009 - an error for type checkers


@FACES
def test_what_the_table_recommends_exists(owners: dict[tuple[str, bool], Any], is_aio: bool) -> None:
    """The methods of other objects in a recommendation exist."""
    for row in NAMES:
        for prefix, owner in (("client.", "Client"), ("topic.", "Topic"), ("consumer.", "Consumer"), ("producer.", "Producer")):
            for method in re.findall(rf"\b{re.escape(prefix)}([a-z_]+)\(", row.ours):
                assert hasattr(owners[owner, is_aio], method), row
