"""Generates the ``_Aio*`` half of the stub ``_headwater.pyi`` from the half above it.

A class of ``headwater`` and its twin in ``headwater.aio`` share their methods, so the stub is written only once, with
the results of ``headwater``. In ``headwater.aio`` each method is a coroutine of that result, except the ones listed here.

Usage: ``stubs.py`` writes the half, ``stubs.py --check`` fails if it is outdated.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

STUB = Path(__file__).parent / "python" / "headwater" / "_headwater.pyi"
MARKER = "# The classes of headwater.aio. Written by bindings-python/stubs.py from the classes above: change those, and run it.\n"

CLASSES = ["Client", "Topic", "Scan", "Producer", "Consumer", "Server"]

ONLY_BLOCKING = {
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
    "Topic.scan": "it sends no request before the first read",
    "Scan.__iter__": "`async for` awaits the batches",
    "Scan.skipped": "the scan has it in memory",
    "Consumer.batches": "`async for` awaits the batches",
    "Consumer.__iter__": "`async for` awaits the messages",
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
    swapped = re.sub(rf"\b(?:_Aio({names})|({names}))\b", lambda found: found[1] or f"_Aio{found[2]}", annotation)
    return re.sub(r"\bIterator\b", "AsyncIterator", swapped)


def _result(owner: str, method: ast.FunctionDef) -> str:
    """Return the annotation of a method's result in ``headwater.aio``."""
    result = RESULTS.get(f"{owner}.{method.name}", (_asyncio_type(ast.unparse(method.returns or ast.Constant(None))), ""))[0]
    return f"Coroutine[Any, Any, {result}]" if is_awaited(owner, method.name) else result


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
    text[method.lineno - 1] = text[method.lineno - 1].replace(f"def {method.name}(", f"def {name}(", 1)
    return "".join(text[first - 1 : method.end_lineno - shorter])


def generated(stub: str) -> str:
    """Return the stub with its ``_Aio*`` half as it must be."""
    blocking = stub.partition(MARKER)[0]
    lines = blocking.splitlines(keepends=True)
    classes = {node.name: node for node in ast.parse(blocking).body if isinstance(node, ast.ClassDef)}
    half = [MARKER]
    for name in CLASSES:
        half.append(f"\n@final\nclass _Aio{name}:\n")
        half += [_asyncio_method(name, method, lines) for method in classes[name].body if isinstance(method, ast.FunctionDef)]
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(STUB), "-"]
    return subprocess.run(command, input=blocking + "".join(half), capture_output=True, text=True, check=True).stdout


def main(arguments: list[str]) -> int:
    """Write the stub, or check it."""
    stub = STUB.read_text()
    expected = generated(stub)
    if arguments == ["--check"]:
        if stub != expected:
            print(f"The _Aio* half of {STUB} is outdated: run {Path(__file__).name}.", file=sys.stderr)
            return 1
        return 0
    STUB.write_text(expected)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
