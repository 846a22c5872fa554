"""The tidy rules: what each one finds, and what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.tidy.sources import ROOT, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMENT_WIDTH_MAX = 120
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule."""

    path: str
    line: int
    text: str


@dataclass(frozen=True)
class Rule:
    """What is forbidden. `find` gives the line and the text of each place; `instead` ends the failure message."""

    name: str
    instead: str
    find: Callable[[Source], Iterator[tuple[int, str]]]

    def findings(self, sources: list[Source]) -> list[tuple[Source, Finding]]:
        return [(source, Finding(source.path, line, text)) for source in sources for line, text in self.find(source)]


def phrase(*patterns: str) -> Callable[[Source], Iterator[tuple[int, str]]]:
    """Finds the patterns in comments, pages, messages and the names of tests. `BEGIN ` is the beginning of a sentence."""
    begin = r"(?:\A|(?<=[.:;!?] )|(?<=[.!?]\) )|(?<=\| )|(?<=[-*] ))"
    expression = re.compile("|".join(f"(?:{pattern})".replace("BEGIN ", begin) for pattern in patterns), re.IGNORECASE)

    def find(source: Source) -> Iterator[tuple[int, str]]:
        for prose in source.prose():
            text = re.sub(r"`[^`]*`|\{[^}]*\}", lambda code: "`" * len(code.group()), prose.text)
            for match in expression.finditer(text):
                start, end = max(0, match.start() - 30), match.end() + 30
                yield prose.lines[match.start()], "…" + prose.text[start:end].strip() + "…"

    return find


def definition(pattern: str) -> Callable[[Source], Iterator[tuple[int, str]]]:
    """Finds types whose name matches the whole pattern."""
    expression = re.compile(pattern)
    keywords = {"rust": "struct|enum|union|trait|type", "python": "class", "typescript": "class|interface|type|enum"}

    def find(source: Source) -> Iterator[tuple[int, str]]:
        if source.language not in keywords:
            return
        code = source.text if source.language == "python" else source.code
        # A type inside a trait or its implementation has the name that the trait gives it.
        for match in re.finditer(rf"^(?:pub(?:\([\w: ]+\))? |export |unsafe )*(?:{keywords[source.language]}) (\w+)", code, re.MULTILINE):
            if expression.fullmatch(match.group(1)):
                yield source.line_at(match.start()), match.group(1)

    return find


def wide_comments(source: Source) -> Iterator[tuple[int, str]]:
    if source.language != "markdown":
        for number in sorted({number for number, _ in source.comments}):
            width = len(source.lines[number - 1])
            if width > COMMENT_WIDTH_MAX and "://" not in source.lines[number - 1]:
                yield number, f"{width} characters"


def long_files(source: Source) -> Iterator[tuple[int, str]]:
    if source.language == "markdown" or source.is_test:
        return
    tests = re.search(r"^#\[cfg\(test\)\]\nmod \w+ \{", source.text, re.MULTILINE)
    lines = source.line_at(tests.start()) - 1 if tests else len(source.lines)
    if lines > FILE_LINES_MAX:
        yield 1, f"{lines} lines"


def long_functions(source: Source) -> Iterator[tuple[int, str]]:
    for function in source.functions():
        if function.lines > FUNCTION_LINES_MAX:
            yield function.line, f"`{function.name}` has {function.lines} lines"


def has_both_batches(crate: str) -> bool:
    manifest = ROOT / crate / "Cargo.toml"
    text = manifest.read_text() if manifest.exists() else ""
    return "headwater-record" in text and "arrow-array" in text


def bare_record_batch(source: Source) -> Iterator[tuple[int, str]]:
    if source.language != "rust" or not has_both_batches(source.crate):
        return
    for match in re.finditer(r"\buse arrow\w*::(?:[^;]*\W)?(RecordBatch)\b(?! as)[^;]*;", source.code):
        yield source.line_at(match.start(1)), source.lines[source.line_at(match.start(1)) - 1].strip()


PARTICIPLES = (
    "Told|Begun|Brought|Held|Taken|Given|Kept|Sent|Read|Written|Known|Lost|Found|Left|Done|Gone|Seen|Made|Bound|Spent|Met|Meant"
    "|Unmade|Chosen|Broken|Hidden|Drawn|Shut|Put|Built|Fed"
)
COMPARATIVES = "longer|more|less|later|newer|older|smaller|larger|bigger|fewer|better|worse|earlier|greater|faster|slower|one"
NOUNS_IN_ING = (
    "String|Framing|Ring|Setting|Mapping|Listing|Encoding|Padding|Heading|Timing|Thing|Binding|Warning|Meaning|Opening|Spring|Sibling"
)
NOUNS_IN_ED = "Feed|Seed|Need|Speed|Embed|Breed|Bed"

RULES = [
    Rule(
        "who",
        "Name the one who acts: `the polling thread`, `callers that wait`, `the new member`.",
        phrase(
            r"\bwhoever\b",
            r"BEGIN (?:who|whom|whose)\b(?![^.!]*\?)",
            r"\b(?:for|to|by|of|from|with|than|and|or|that|if|as|when|on|says?|tells?|knows?|decides?) (?:who|whom)\b",
            r"\b(?:all|those|anyone|everyone|one) who\b",
            r"\b(?:anybody|everybody|nobody|somebody)\b",
        ),
    ),
    Rule(
        "what-is",
        "Name the thing: not `what is cached is mapped` but `cached segments are read through mmap`;"
        " not `What a member says` but `A member's metadata`.",
        phrase(
            r"BEGIN what\b(?! \|)(?![^.!]*\?)",
            r"\bwhat (?:is|was|are|were|has|had|it|they|he|comes?|goes|becomes?)\b",
            r"\b(?:of|for|from|to|with|than|that|by|in|as|after|before) what\b",
        ),
    ),
    Rule(
        "person",
        "Say what the code does: not `the log knows better` but `the log may have set a newer value; keep it`.",
        phrase(
            r"\b(?:knows?|knew|thanks?|owes?|hears?|heard|says?|said|thinks?|trusts|believes)\b",
            r"\b(?:is|are|was|were|be|been|being|get|gets) told\b",
            r"\b(?:tells?|told)\b",
            r"\b(?:wants?|wanted|asks?|asked)\b",
        ),
    ),
    Rule(
        "is-no",
        "Negate the verb: not `is no topic name` but `is not a valid topic name`;"
        " not `up to and without` but `before`; not `a group that there is not` but `an unknown group`.",
        phrase(
            rf"(?<!\bthere )\b(?:is|are|was|were) no\b(?! (?:{COMPARATIVES})\b)",
            r"\bthat there (?:is|are|was|were)\b",
            r"\bthere (?:is|are|was|were) not\b",
            r"\bup to and without\b",
            r"(?<!\bthere )\b(?:is|are) none\b",
        ),
    ),
    Rule(
        "participle-type",
        "Name the type by a noun: not `Told` but `SessionAnswer`, not `Wanted` but `FetchTarget`.",
        # The error classes of kafkajs keep its names in the adapter.
        definition(
            rf"(?!KafkaJS)(?!.*(?:{NOUNS_IN_ING}|{NOUNS_IN_ED})$)(?:\w*[a-z]ing|[A-Z][a-z]*ed|\w*[a-z][A-Z][a-z]*ed|(?:[A-Z]\w*)?(?:{PARTICIPLES}))"
        ),
    ),
    Rule(
        "ambiguous-type",
        "Qualify the name by what it belongs to: not `Plan` but `ScanPlan`, not `Facts` but `GroupContext`.",
        definition(
            "Place|Facts|Plan|Outcome|Chunk|Shared|Verdict|Reading|Identity|Memory|Context|Info|Data|Manager|Helper|Thing|Standing|Piece"
        ),
    ),
    Rule("comment-width", f"Wrap the comment at {COMMENT_WIDTH_MAX} characters.", wide_comments),
    Rule("file-length", f"Split the file: {FILE_LINES_MAX} lines, tests apart.", long_files),
    Rule("function-length", f"Split the function: {FUNCTION_LINES_MAX} lines.", long_functions),
    Rule(
        "bare-record-batch",
        "This crate has Kafka's batches too: `use arrow_array as arrow` and write `arrow::RecordBatch`.",
        bare_record_batch,
    ),
]
