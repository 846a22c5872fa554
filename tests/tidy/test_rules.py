"""Claims about the tidy rules: what each of them finds, and what it passes."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.tidy import baseline
from tests.tidy.rules import RULES, has_both_batches
from tests.tidy.sources import Source

RULE = {rule.name: rule for rule in RULES}


def found(rule: str, text: str, path: str = "core/log/src/x.rs") -> list[int]:
    """The lines where the rule finds something."""
    return [finding.line for _, finding in RULE[rule].findings([Source(path, text)])]


PHRASES = {
    "who": (
        [
            "Empty for who was never a member.",
            "Wakes whoever polls.",
            "Who waits is woken.",
            "Shared by all who wait.",
            "An id that nobody has.",
        ],
        ["Callers who wait are woken.", "Wakes the polling thread.", "Kafka's default."],
    ),
    "what-is": (
        ["What is cached is mapped.", "It checks what is written.", "Counts what it reads.", "Ends after what the leader sent."],
        ["Reads cached segments through mmap.", "Which key is `what is`?"],
    ),
    "person": (
        ["The log knows better.", "The caller is told.", "A member asks for partitions.", "It thanks no one.", "The record says so."],
        ["The log may have a newer value.", "The response contains the error.", "A known member."],
    ),
    "is-no": (
        [
            "It is no topic name.",
            "A group that there is not.",
            "Up to and without 0.",
            "An id that is none of these.",
            "There are not enough.",
        ],
        [
            "It is not a valid topic name.",
            "There is no leader.",
            "If there are none.",
            "It is no longer valid.",
            "It is no larger than a page.",
        ],
    ),
}


@pytest.mark.parametrize(("rule", "sentence"), [(rule, sentence) for rule, (bad, _) in PHRASES.items() for sentence in bad])
def test_a_riddle_is_found_in_comments_pages_and_messages(rule: str, sentence: str) -> None:
    assert found(rule, f"// {sentence}\nfn f() {{}}\n") == [1]
    assert found(rule, f"/// Fine.\n///\n/// Fine. {sentence}\n") == [3]
    assert found(rule, f"# Title\n\nFine.\n{sentence}\n", "core/docs/x.md") == [4]
    assert found(rule, f'fn f() {{ error!("{sentence}") }}\n') == [1]
    assert found(rule, f'"""Fine.\n\n{sentence}\n"""\n# {sentence}\n', "tests/x/y.py") == [3, 5]


@pytest.mark.parametrize(("rule", "sentence"), [(rule, sentence) for rule, (_, good) in PHRASES.items() for sentence in good])
def test_a_plain_sentence_passes(rule: str, sentence: str) -> None:
    assert found(rule, f"// {sentence}\n") == []
    assert found(rule, f"{sentence}\n", "core/docs/x.md") == []


def test_a_riddle_over_two_lines_is_found_where_it_begins() -> None:
    assert found("is-no", "// Fine. This is\n// no topic name.\n") == [1]
    assert found("what-is", "// Fine.\n// It checks what\n// is there.\n") == [2]


def test_a_riddle_in_the_name_of_a_test_is_found() -> None:
    assert found("person", "fn the_log_knows_better_than_that() {}\n") == [1]
    assert found("person", "def test_the_log_knows_better() -> None: ...\n", "tests/x/y.py") == [1]


def test_code_is_not_read_as_prose() -> None:
    assert found("who", "let who = 1; // Fine.\nmatch who {}\n") == []
    assert found("what-is", "```\nwhat is this\n```\n", "core/docs/x.md") == []
    assert found("person", 'error!("epoch {asked} is old")\n') == []
    assert found("person", "[the log](knows/tells.md)\n", "core/docs/x.md") == []


@pytest.mark.parametrize(
    "name", ["Told", "Wanted", "Brought", "Begun", "Gathered", "Held", "Taking", "Answering", "ScanReading", "LastTold"]
)
def test_a_participle_is_no_name_of_a_type(name: str) -> None:
    assert found("participle-type", f"pub(crate) struct {name} {{}}\n") == [1]
    assert found("participle-type", f"pub enum {name} {{}}\n") == [1]


@pytest.mark.parametrize("name", ["SessionAnswer", "FetchTarget", "CommittedOffset", "IndexMapping", "Feed", "String", "FetchedBatches"])
def test_a_noun_is_a_name_of_a_type(name: str) -> None:
    assert found("participle-type", f"struct {name} {{}}\nenum {name} {{ Told, Wanted }}\n") == []


def test_an_unqualified_name_of_a_type_is_found() -> None:
    assert found("ambiguous-type", "struct Plan;\nstruct ScanPlan;\n// struct Facts;\nenum Outcome {}\n") == [1, 4]
    assert found("ambiguous-type", "class Place:\n    pass\n", "tests/x/y.py") == [1]


def test_a_comment_ends_at_the_width() -> None:
    fits, wide = "// " + "x" * 117, "// " + "x" * 118
    assert found("comment-width", f"{fits}\n{wide}\n// https://{wide}\n") == [2]
    assert found("comment-width", f'let s = "{wide}";\n') == []
    assert found("comment-width", f"# {wide}\n", "tests/x/y.py") == [1]


def test_a_long_file_is_found_without_its_tests() -> None:
    code, tests = "//\n" * 400, "#[cfg(test)]\nmod tests {\n}\n"
    assert found("file-length", code + tests) == []
    assert found("file-length", code + "//\n" + tests) == [1]
    assert found("file-length", code * 2, "core/log/tests/it/x.rs") == []


def test_a_long_function_is_found() -> None:
    body = '    let c = "}";\n' * 68
    assert found("function-length", f"fn f(a: [u8; 2]) -> u8 {{\n{body}}}\n") == []
    assert found("function-length", f"//\nfn f<'a>(a: &'a u8) {{\n{body}    '}}';\n}}\n") == [2]
    assert found("function-length", "def f():\n" + "    pass\n" * 70, "tests/x/y.py") == [1]


def test_a_bare_record_batch_is_found_where_kafka_has_batches_too() -> None:
    assert has_both_batches("core/columnar")
    assert not has_both_batches("core/log")
    bare = "use arrow_array::{\n    Array,\n    RecordBatch,\n};\nuse arrow_array::RecordBatch as ArrowBatch;\n"
    assert found("bare-record-batch", bare, "core/columnar/src/x.rs") == [3]
    assert found("bare-record-batch", bare) == []


def test_more_findings_than_the_baseline_fail_with_place_and_advice() -> None:
    rule = RULE["person"]
    findings = rule.findings([Source("core/log/src/x.rs", "// It knows.\n// It is told.\n")])
    assert baseline.problems(rule, findings, Counter({"core/log": 2})) == []
    (problem,) = baseline.problems(rule, findings, Counter({"core/log": 1}))
    assert problem.startswith("core/log has 2 findings of `person`, 1 are allowed. Say what the code does")
    assert "core/log/src/x.rs:2: …It knows. It is told.…" in problem


def test_fewer_findings_than_the_baseline_fail_until_it_is_lowered() -> None:
    rule = RULE["person"]
    findings = rule.findings([Source("core/log/src/x.rs", "// It knows.\n")])
    (problem,) = baseline.problems(rule, findings, Counter({"core/log": 3}))
    assert problem.endswith("--lower")
    lowered = baseline.lowered(Counter({"core/log": 3}), findings)
    assert lowered == {"core/log": 1}
    assert baseline.problems(rule, findings, lowered) == []


def test_lowering_never_raises() -> None:
    rule = RULE["person"]
    findings = rule.findings([Source("core/log/src/x.rs", "// It knows.\n"), Source("core/env/src/x.rs", "// It knows.\n")])
    assert baseline.lowered(Counter({"core/log": 0}), findings) == Counter({"core/log": 0})
