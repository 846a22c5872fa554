"""Generates the ``Aio*`` half of the stub ``_headwater.pyi`` from the half above it, and the docstrings of both.

A class of ``headwater`` and its twin in ``headwater.aio`` share their methods, so the stub is written only once, with
the results of ``headwater``. In ``headwater.aio`` each method is a coroutine of that result, except the ones listed here.

The docstrings are those of the installed package, which come from its Rust sources. In the stub, editors show them. The
names are public, because Jedi does not see private names of a stub.

Usage: install the package, then ``stubs.py`` writes the stub, and ``stubs.py --check`` fails if it is outdated.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TypeAlias

STUB = Path(__file__).parent / "python" / "headwater" / "_headwater.pyi"
MARKER = "# The classes of headwater.aio. Written by bindings-python/stubs.py from the classes above: change those, and run it.\n"

CLASSES = ["Client", "Topic", "Scan", "Producer", "Consumer", "Server"]

ONLY_BLOCKING = {
    "Client.__iter__": "iter() cannot be awaited; topics() can, and both faces have it",
    "Client.__len__": "len() cannot be awaited; topics() can, and both faces have it",
    "Client.__bool__": "without __len__ every client is true anyway",
    "Topic.__len__": "len() cannot be awaited; count() can, and both faces have it",
    "Topic.__bool__": "without __len__ every topic is true anyway",
    "Topic._repr_html_": "IPython calls it without await, and it reads",
    "Topic.__arrow_c_schema__": "consumers of Arrow call it without await, and it reads; batches and readers have it in both faces",
    "Topic.__arrow_c_stream__": "consumers of Arrow call it without await, and it reads; batches and readers have it in both faces",
    "Scan.__arrow_c_schema__": "consumers of Arrow call it without await, and it reads; schema has it in both faces",
    "Scan.__arrow_c_stream__": "consumers of Arrow call it without await, and it reads; to_reader() has it in both faces",
    "Scan._narrow": "lazy frames use it, and Polars reads them without asyncio",
}
"""Members that exist only in ``headwater``, and the reason."""

RENAMED = {
    "Client.aio": ("sync", "each face returns the other one"),
    "*.__enter__": ("__aenter__", "async with"),
    "*.__exit__": ("__aexit__", "async with"),
    "*.__iter__": ("__aiter__", "async for"),
    "*.__next__": ("__anext__", "async for"),
}
"""Members with another name in ``headwater.aio``, and the reason."""

NOT_AWAITED = {
    "Client.aio": "it sends no request",
    "Client.topic": "it sends no request",
    "Client.__getitem__": "it sends no request",
    "Client.__contains__": "`in` cannot be awaited; an embedded engine answers from memory",
    "Client.producer": "it sends no request before the first record",
    "Client.consumer": "it sends no request before the first read",
    "Client.recovery": "the engine has it in memory",
    "Client.metrics": "the engine has them in memory",
    "Client.closed": "the client has it in memory",
    "Topic.name": "the topic has it in memory",
    "Topic.__eq__": "it compares names",
    "Topic.__hash__": "it is of the name",
    "Topic.scan": "it sends no request before the first read",
    "Scan.__iter__": "`async for` awaits the batches",
    "Scan.skipped": "the scan has it in memory",
    "Consumer.batches": "`async for` awaits the batches",
    "Consumer.__iter__": "`async for` awaits the messages",
    "Consumer.group_metadata": "the consumer has it in memory",
    "Consumer.skipped": "the consumer has it in memory",
    "Consumer.wakeup": "any thread may call it, and it does not wait",
    "Server.address": "the server has it in memory",
    "Server.bootstrap_servers": "the server has them in memory",
}
"""Members that are not coroutines in ``headwater.aio``, and the reason."""

RESULTS = {
    "Producer.send": ("RecordMetadata", "its future is awaited, instead of calling result()"),
}
"""Members with another result in ``headwater.aio``, and the reason."""


def asyncio_name(owner: str, name: str) -> str | None:
    """Return the name of a member of ``headwater.<owner>`` in ``headwater.aio``; ``None`` if it does not exist."""
    if f"{owner}.{name}" in ONLY_BLOCKING:
        return None
    renamed = RENAMED.get(f"{owner}.{name}") or RENAMED.get(f"*.{name}")
    return renamed[0] if renamed else name


def is_awaited(owner: str, name: str) -> bool:
    """Whether a member of ``headwater.<owner>`` with this ``name`` is a coroutine in ``headwater.aio``."""
    return f"{owner}.{name}" not in NOT_AWAITED


def _asyncio_type(annotation: str) -> str:
    """Convert the return type of a method of ``headwater`` to that in ``headwater.aio``."""
    names = "|".join(CLASSES)
    swapped = re.sub(rf"\b(?:Aio({names})|({names}))\b", lambda found: found[1] or f"Aio{found[2]}", annotation)
    return re.sub(r"\bIterator\b", "AsyncIterator", swapped)


def _is_property(method: ast.FunctionDef) -> bool:
    return any(isinstance(decorator, ast.Name) and decorator.id == "property" for decorator in method.decorator_list)


def _result(owner: str, method: ast.FunctionDef) -> str:
    """Return the annotation of a method's result in ``headwater.aio``; a property cannot be an ``async def``."""
    result = RESULTS.get(f"{owner}.{method.name}", (_asyncio_type(ast.unparse(method.returns or ast.Constant(None))), ""))[0]
    return f"Coroutine[Any, Any, {result}]" if is_awaited(owner, method.name) and _is_property(method) else result


def _asyncio_method(owner: str, method: ast.FunctionDef, lines: list[str]) -> str:
    """Return the text of a method in ``headwater.aio``, empty if it does not exist there."""
    name = asyncio_name(owner, method.name)
    if name is None:
        return ""
    result = method.returns
    if result is None or result.end_lineno is None or method.end_lineno is None:
        message = f"{owner}.{method.name} has no annotation of its result"
        raise ValueError(message)
    first = min([method.lineno, *(decorator.lineno for decorator in method.decorator_list)])
    text = lines[:]
    line = text[result.lineno - 1]
    rest = text[result.end_lineno - 1][result.end_col_offset :]
    text[result.lineno - 1 : result.end_lineno] = [line[: result.col_offset] + _result(owner, method) + rest]
    shorter = len(lines) - len(text)
    keyword = "async def" if is_awaited(owner, method.name) and not _is_property(method) else "def"
    text[method.lineno - 1] = text[method.lineno - 1].replace(f"def {method.name}(", f"{keyword} {name}(", 1)
    return "".join(text[first - 1 : method.end_lineno - shorter])


_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_Documented: TypeAlias = ast.ClassDef | _Function
# An example of a docstring, with the empty line before it.
_EXAMPLE = re.compile(r"\n*^>>> .*(?:\n(?!\s*$).*)*", re.MULTILINE)


def _documented(source: str) -> list[tuple[_Documented, str | None]]:
    """Return the classes, functions and methods of a stub, last first, with the docstring that the package has."""
    package = importlib.import_module("headwater._headwater")
    found: list[tuple[_Documented, str | None]] = []
    for node in ast.parse(source).body:
        if isinstance(node, (ast.ClassDef, _Function)):
            found.append((node, _docstring(package, node.name)))
        if isinstance(node, ast.ClassDef):
            owner = getattr(package, node.name)
            found += [(method, _docstring(owner, method.name)) for method in node.body if isinstance(method, _Function)]
    return found[::-1]


def _docstring(owner: object, name: str) -> str | None:
    """Return the docstring of a public member; others have none that editors would show.

    The methods of ``headwater.aio`` share the docstrings of ``headwater``, whose examples have no ``await``.
    """
    if name.startswith("_"):
        return None
    text = inspect.getdoc(inspect.getattr_static(owner, name))
    if text and getattr(owner, "__module__", "") == "headwater.aio":
        return _EXAMPLE.sub(lambda example: example.group() if "await " in example.group() else "", text).strip()
    return text


def _body(node: _Documented, text: str | None) -> list[ast.stmt]:
    """Return the statements of a body that a docstring replaces: an earlier one, and the ``...`` of a function."""
    has_docstring = ast.get_docstring(node) is not None
    if isinstance(node, ast.ClassDef):
        return node.body[:1] if has_docstring else []
    return node.body if has_docstring or text is not None else []


def with_docstrings(source: str, *, empty: bool = False) -> str:
    """Return a stub with the docstrings of the package; without any if ``empty``."""
    lines = source.splitlines(keepends=True)
    for node, found in _documented(source):
        text = None if empty else found
        body = _body(node, text)
        literal = "" if text is None else _literal(text, " " * (node.col_offset + 4))
        if isinstance(node, ast.ClassDef):
            first = node.body[0]
            start = min([first.lineno, *(decorator.lineno for decorator in getattr(first, "decorator_list", []))]) - 1
            end = body[-1].end_lineno if body else start
            lines[start:end] = [literal]
        elif body:
            first = body[0]
            head = lines[first.lineno - 1][: first.col_offset].rstrip()
            end = body[-1].end_lineno
            if not head:
                # The body begins in its own line, below the colon.
                lines[first.lineno - 1 : end] = [literal or f"{' ' * (node.col_offset + 4)}...\n"]
            else:
                lines[first.lineno - 1 : end] = [f"{head}\n{literal}" if literal else f"{head} ...\n"]
    return "".join(lines)


def _literal(text: str, indent: str) -> str:
    """Return a docstring as source text."""
    prefix = "r" if "\\" in text else ""
    ending = f"\n{indent}" if "\n" in text else ""
    return f'{indent}{prefix}"""{textwrap.indent(text, indent).lstrip()}{ending}"""\n'


def generated(stub: str) -> str:
    """Return the stub with its ``Aio*`` half and its docstrings as they must be."""
    blocking = with_docstrings(stub.partition(MARKER)[0], empty=True)
    lines = blocking.splitlines(keepends=True)
    classes = {node.name: node for node in ast.parse(blocking).body if isinstance(node, ast.ClassDef)}
    half = [MARKER]
    for name in CLASSES:
        half.append(f"\n@final\nclass Aio{name}:\n")
        half += [_asyncio_method(name, method, lines) for method in classes[name].body if isinstance(method, ast.FunctionDef)]
    source = with_docstrings(blocking + "".join(half))
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(STUB), "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


def main(arguments: list[str]) -> int:
    """Write the stub, or check it."""
    stub = STUB.read_text()
    expected = generated(stub)
    if arguments == ["--check"]:
        if stub != expected:
            print(f"{STUB} is outdated: install the package, and run {Path(__file__).name}.", file=sys.stderr)
            return 1
        return 0
    STUB.write_text(expected)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
