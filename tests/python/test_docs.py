"""Every public name has a docstring with an example, and each example runs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import headwater
import headwater.aio
import headwater.errors
import headwater.types

pytestmark = pytest.mark.embedded("is about the text of the package")

MODULES = [headwater, headwater.aio, headwater.errors, headwater.types]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


def members(owner: type) -> dict[str, Any]:
    """Return the members of a class that this package defines, including inherited ones."""
    ours = [base for base in owner.__mro__ if base.__module__.startswith("headwater")]
    return {name: value for base in reversed(ours) for name, value in sorted(vars(base).items())}


def documented() -> dict[str, Any]:
    """Return the public names of the package and of its classes with their objects; objects of both APIs once."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for module in MODULES:
        found[module.__name__] = module
        for name in module.__all__:
            item = getattr(module, name)
            if isinstance(item, str) or id(item) in seen:
                continue
            seen.add(id(item))
            found[f"{module.__name__}.{name}"] = item
            if inspect.isclass(item) and item.__module__.startswith("headwater"):
                for member, value in members(item).items():
                    if not member.startswith("_") and (callable(value) or inspect.isdatadescriptor(value)) and id(value) not in seen:
                        seen.add(id(value))
                        found[f"{module.__name__}.{name}.{member}"] = value
    return found


DOCUMENTED = documented()


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_public_name_is_documented(name: str) -> None:
    item = DOCUMENTED[name]
    text = inspect.getdoc(item) or ""
    assert text, f"{name} has no docstring"
    owner = DOCUMENTED.get(name.rpartition(".")[0])
    # The example of a class shows its attributes.
    attribute = inspect.isclass(owner) and inspect.isdatadescriptor(item)
    if attribute or issubclass(owner if inspect.isclass(owner) else int, (tuple, BaseException)):
        return
    assert ">>>" in text or ">>>" in (inspect.getdoc(owner) or "" if inspect.isclass(owner) else ""), f"{name} has no example"


@pytest.mark.parametrize("name", [name for name, item in DOCUMENTED.items() if ">>>" in (inspect.getdoc(item) or "")])
def test_every_example_runs(name: str) -> None:
    text = inspect.getdoc(DOCUMENTED[name]) or ""
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    problems: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    runner.run(test, out=problems.append)
    assert not problems, "".join(problems)


def test_the_private_modules_examples_run() -> None:
    modules: list[ModuleType] = [importlib.import_module(f"headwater.{name}") for name in ("_lazy", "_frames")]
    for module in modules:
        assert doctest.testmod(module, optionflags=OPTIONS).failed == 0


def test_the_readme_of_the_package_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    readme = Path(__file__).parents[2] / "bindings-python" / "README.md"
    blocks = re.findall(r"```python\n(.*?)```", readme.read_text(), re.DOTALL)
    assert blocks
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        names: dict[str, Any] = {}
        exec(block, names)
        if "frame" in names:
            assert names["frame"].columns[:2] == ["partition", "offset"]
        for test in [value for name, value in names.items() if name.startswith("test_")]:
            test(request.getfixturevalue("kafka_broker"), request.getfixturevalue("kafka_topic"))


def test_an_example_that_is_wrong_is_found() -> None:
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    assert doctest.DocTestRunner().run(test, out=lambda _: None).failed == 1
