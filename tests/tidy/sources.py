"""The files that the tidy rules read, and the prose in them."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
TREES = ("core", "bindings-*", "tests")
SUFFIXES = (".rs", ".py", ".pyi", ".ts", ".mts", ".md")
SKIPPED = {"target", "build", "generated", "node_modules", "fixtures", "dist", "__pycache__"}
# These files quote what the rules forbid.
OWN = Path(__file__).parent

# Comments, strings and character literals of Rust and TypeScript. A lifetime is no character literal.
LITERAL = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<string>\bb?c?r(?P<hashes>\#*)".*?"(?P=hashes)|"(?:\\.|[^"\\])*")"""
    r"""|(?P<char>'(?:\\[^\n]+?|[^'\\\n])')""",
    re.DOTALL,
)
COMMENT_MARK = re.compile(r"^\s*(?://[/!]?|/\*\*?|\*/|\*|\#)\s?|\s*\*/\s*$")


@dataclass(frozen=True)
class Prose:
    """One paragraph, message or name. `lines` has a line number for each character."""

    text: str
    lines: tuple[int, ...]

    @classmethod
    def of(cls, lines: list[tuple[int, str]]) -> Prose:
        """Joins the lines of a paragraph with spaces."""
        texts = [text.strip() + " " for _, text in lines]
        numbers = [number for (number, _), text in zip(lines, texts, strict=True) for _ in text]
        return cls("".join(texts), tuple(numbers))


@dataclass(frozen=True)
class Function:
    """A function with a body."""

    name: str
    line: int
    lines: int


@dataclass(frozen=True)
class Source:
    """One file. `crate` is the directory whose findings are counted together."""

    path: str
    text: str

    @property
    def crate(self) -> str:
        parts = self.path.split("/")
        return "/".join(parts[:2]) if parts[0] in ("core", "tests") and len(parts) > 2 else parts[0]

    @property
    def language(self) -> str:
        return {"rs": "rust", "py": "python", "pyi": "python", "md": "markdown"}.get(self.path.rsplit(".", 1)[-1], "typescript")

    @property
    def is_test(self) -> bool:
        parts = Path(self.path).parts
        return bool({"tests", "benches"} & set(parts)) or Path(self.path).stem.endswith(("tests", "properties"))

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def code(self) -> str:
        """The text of a Rust or TypeScript file with its comments and literals blanked, each line where it was."""
        code, end = [], 0
        for match in self._literals:
            code += [self.text[end : match.start()], re.sub(r"[^\n]", " ", match.group())]
            end = match.end()
        return "".join([*code, self.text[end:]])

    @cached_property
    def _literals(self) -> list[re.Match[str]]:
        return list(LITERAL.finditer(self.text))

    @cached_property
    def comments(self) -> list[tuple[int, str]]:
        """Each line of each comment and docstring, without its marks."""
        if self.path.endswith(".pyi"):
            # The docstrings of a stub are generated from the comments of Rust.
            return list(self._python_comments())
        if self.language == "python":
            return sorted([*self._python_comments(), *self._docstrings()])
        found = [match for match in self._literals if match.group("comment")]
        lines = [(self.line_at(match.start()) + i, line) for match in found for i, line in enumerate(match.group().split("\n"))]
        return [(number, COMMENT_MARK.sub("", line)) for number, line in lines]

    def prose(self) -> Iterator[Prose]:
        """The paragraphs of comments and pages, the messages, and the names of tests."""
        lines = list(self._page()) if self.language == "markdown" else self.comments
        yield from paragraphs(lines)
        if self.language in ("rust", "typescript"):
            yield from self._messages()
        if self.language in ("rust", "python"):
            yield from self._test_names()

    def line_at(self, position: int) -> int:
        return bisect_left(self._line_ends, position) + 1

    @cached_property
    def _line_ends(self) -> list[int]:
        return [match.start() for match in re.finditer("\n", self.text)]

    def _page(self) -> Iterator[tuple[int, str]]:
        in_code = False
        for number, line in enumerate(self.lines, 1):
            if line.startswith("```"):
                in_code = not in_code
            elif not in_code:
                yield number, re.sub(r"\]\([^)]*\)", "]", line)

    def _messages(self) -> Iterator[Prose]:
        for match in self._literals:
            string = match.group("string")
            if string and len(string.split()) > 2:
                start = self.line_at(match.start())
                yield Prose.of([(start + i, line.strip('"')) for i, line in enumerate(string.split("\n"))])

    def _test_names(self) -> Iterator[Prose]:
        text = self.code if self.language == "rust" else self.text
        for match in re.finditer(r"\b(?:fn|def) (\w+)", text):
            words = match.group(1).replace("_", " ")
            if len(words.split()) > 3:
                yield Prose.of([(self.line_at(match.start()), words)])

    def _python_comments(self) -> Iterator[tuple[int, str]]:
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string.lstrip("#").strip()

    def _docstrings(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(ast.parse(self.text)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
                value = node.body[0]
                for number in range(value.lineno, (value.end_lineno or value.lineno) + 1):
                    yield number, self.lines[number - 1].strip().strip('"')

    def functions(self) -> Iterator[Function]:
        """The functions of a Rust or Python file."""
        if self.language == "python":
            for node in ast.walk(ast.parse(self.text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield Function(node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1)
        elif self.language == "rust":
            yield from self._rust_functions()

    def _rust_functions(self) -> Iterator[Function]:
        for match in re.finditer(r"\bfn (\w+)[^{};]*(?:;[^{};]*\][^{};]*)*\{", self.code):
            depth, end = 1, match.end()
            for brace in re.finditer(r"[{}]", self.code[match.end() :]):
                depth += 1 if brace.group() == "{" else -1
                if depth == 0:
                    end += brace.start()
                    break
            first = self.line_at(match.start())
            yield Function(match.group(1), first, self.line_at(end) - first + 1)


def paragraphs(lines: list[tuple[int, str]]) -> Iterator[Prose]:
    """Consecutive lines of text. An empty line, a list, a heading or a table row begins another paragraph."""
    paragraph = 0

    def number_of(pair: tuple[int, tuple[int, str]]) -> int:
        nonlocal paragraph
        i, (number, text) = pair
        text = text.strip()
        if i and (number != lines[i - 1][0] + 1 or not text or not lines[i - 1][1].strip() or re.match(r"[-*|#]|\d+\. ", text)):
            paragraph += 1
        return paragraph

    for _, group in groupby(enumerate(lines), key=number_of):
        run = [line for _, line in group]
        if any(text.strip() for _, text in run):
            yield Prose.of(run)


def sources(root: Path = ROOT) -> list[Source]:
    """Every file that is written by hand."""
    found = []
    for tree in TREES:
        for path in root.glob(f"{tree}/**/*"):
            relative = path.relative_to(root)
            if path.suffix in SUFFIXES and not SKIPPED & set(relative.parts) and OWN not in path.parents and path.is_file():
                found.append(Source(relative.as_posix(), path.read_text()))
    return sorted(found, key=lambda source: source.path)
