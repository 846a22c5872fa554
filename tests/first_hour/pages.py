"""The pages with examples, and the blocks of code in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "core" / "docs" / "index.md",
    ROOT / "bindings-python" / "README.md",
    ROOT / "bindings-node" / "README.md",
    *sorted((ROOT / "core" / "docs" / "guide").glob("*.md")),
]
PYTHON, NODE = ("python", "sh"), ("js", "ts")
# The line before a block that follows a topic for ever.
ENDLESS = "<!-- ends with Ctrl-C -->"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    `line` is the number of its first line of code. `output` is the block of text behind it, which shows its output. An
    endless block is interrupted as soon as it has printed this.
    """

    page: str
    line: int
    language: str
    code: str
    output: str | None
    is_endless: bool

    @property
    def name(self) -> str:
        """The page and the line, as in a traceback."""
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that have a language, in order."""
    text = page.read_text(encoding="utf-8")
    fences = list(re.finditer(r"^```(?P<language>\w+)[^\n]*\n(?P<code>.*?)^```$", text, re.DOTALL | re.MULTILINE))
    found = []
    for i, fence in enumerate(fences):
        if fence["language"] == "text":
            continue
        following = fences[i + 1] if i + 1 < len(fences) else None
        shows = following is not None and following["language"] == "text" and not text[fence.end() : following.start()].strip()
        found.append(
            Block(
                page=page.relative_to(ROOT).as_posix(),
                line=text.count("\n", 0, fence.start("code")) + 1,
                language=fence["language"],
                code=fence["code"],
                output=following["code"] if shows and following else None,
                is_endless=text[: fence.start()].rstrip().endswith(ENDLESS),
            )
        )
    return found


def of_languages(page: Path, languages: tuple[str, ...]) -> list[Block]:
    """The blocks of a page in these languages that a test runs: of the shell, the commands of `headwater`."""
    return [
        block
        for block in blocks(page)
        if block.language in languages and (block.language != "sh" or re.search(r"(?:^|\| )headwater ", block.code, re.MULTILINE))
    ]
