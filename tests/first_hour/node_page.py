"""The blocks of a page in JavaScript and TypeScript, as programs.

The blocks of a page are one program, because they share their names; their imports are merged. A block that follows a
topic for ever ends its program, and a fragment begins another one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.first_hour.pages import Block

PRELUDES = Path(__file__).parent / "preludes"
# Parts of blocks that are fragments, with the file of names that they leave to the reader.
FRAGMENTS = {"beforeAll(": "jest.mjs", "propagation.inject(context.active(), headers, headersSetter); //": "tracing.mjs"}
IMPORT = re.compile(r"^import\s+(?P<names>[^;]*?)\s+from\s+'(?P<module>[^']+)';\n", re.MULTILINE)


@dataclass(frozen=True)
class NodeProgram:
    """Blocks that run as one module."""

    blocks: list[Block]

    @property
    def name(self) -> str:
        """The page and the line of the first block."""
        return self.blocks[0].name

    def source(self) -> str:
        """The module. It prints a line with the number of each block before the block."""
        imports: dict[str, set[str]] = {}
        bodies = []
        for i, block in enumerate(self.blocks):
            for code in (prelude(block), block.code):
                for match in IMPORT.finditer(code):
                    imports.setdefault(match["module"], set()).update(named(match["names"]))
                bodies.append(IMPORT.sub("", code))
            bodies.insert(-1, f"console.log('{separator(i)}');\n")
        lines = [f"import {{ {', '.join(sorted(names))} }} from '{module}';\n" for module, names in imports.items()]
        return "".join([*lines, *bodies])

    def outputs(self, printed: str) -> list[str]:
        """The output of each block."""
        parts = re.split(r"^--- block \d+ ---\n", printed, flags=re.MULTILINE)
        return parts[1:]


def programs(blocks: list[Block]) -> list[NodeProgram]:
    """The programs of a page."""
    made: list[list[Block]] = [[]]
    for block in blocks:
        if prelude(block):
            made.append([])
        made[-1].append(block)
        if block.is_endless:
            made.append([])
    return [NodeProgram(each) for each in made if each]


def separator(number: int) -> str:
    return f"--- block {number} ---"


def named(names: str) -> list[str]:
    """The names between the braces of an import."""
    assert names.startswith("{"), f"import {{ ... }} is supported, and not: {names}"
    return [name.strip() for name in names.strip("{} \n").split(",") if name.strip()]


def prelude(block: Block) -> str:
    """The names that a fragment leaves to the reader."""
    files = [file for part, file in FRAGMENTS.items() if part in block.code]
    return "".join((PRELUDES / file).read_text() for file in files)
