"""`help()` and `inspect.signature` work for all public names."""

from __future__ import annotations

import inspect
import pydoc
from typing import Any

import pytest

import headwater
import headwater.aio
import headwater.errors
import headwater.types

MODULES = [headwater, headwater.aio, headwater.errors, headwater.types]


def public() -> dict[str, Any]:
    """The public names of the package, and the methods and properties of its classes; each object once."""
    found: dict[str, Any] = {}
    seen: set[int] = set()

    def add(name: str, item: Any) -> None:
        if id(item) not in seen:
            seen.add(id(item))
            found[name] = item

    for module in MODULES:
        for name in module.__all__:
            item = getattr(module, name)
            add(f"{module.__name__}.{name}", item)
            if inspect.isclass(item) and item.__module__.startswith("headwater"):
                for member, value in members(item).items():
                    add(f"{module.__name__}.{name}.{member}", value)
    return found


def members(owner: type) -> dict[str, Any]:
    """The public methods and properties of a class, without those of its builtin bases."""
    builtin = {name for base in owner.__mro__ if base.__module__ == "builtins" for name in dir(base)}
    found = {name: inspect.getattr_static(owner, name) for name in dir(owner) if not name.startswith("_") and name not in builtin}
    return {name: value for name, value in found.items() if callable(value) or inspect.isdatadescriptor(value)}


PUBLIC = public()


@pytest.mark.parametrize("name", PUBLIC)
def test_help_shows_the_documentation(name: str) -> None:
    shown = pydoc.plain(pydoc.render_doc(name))
    first_line = (inspect.getdoc(PUBLIC[name]) or "").partition("\n")[0]
    assert first_line in shown
    assert first_line or name.endswith("__version__")


@pytest.mark.parametrize("name", [name for name, item in PUBLIC.items() if inspect.isroutine(item)])
def test_a_signature_has_the_names_and_defaults_of_the_parameters(name: str) -> None:
    signature = inspect.signature(PUBLIC[name])
    for parameter in signature.parameters.values():
        assert parameter.name in ("self", "cls") or parameter.name.isidentifier()
        assert parameter.default is not Ellipsis, f"{name} hides the default of {parameter.name}"


def test_help_of_the_package_names_its_parts() -> None:
    shown = pydoc.plain(pydoc.render_doc(headwater))
    for name in ("class Client", "open(", "connect(", "headwater.aio", "headwater.pytest"):
        assert name in shown
    assert str(inspect.signature(headwater.open)) == "(path=None, *, stats=None, config=None, **kafka_config)"
    assert "limit=None" in str(inspect.signature(headwater.Topic.scan))
