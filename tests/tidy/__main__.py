"""Lists the findings of the tidy rules, or lowers their baselines to them: `python -m tests.tidy [--lower] [--rule RULE] [PATH...]`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from tests.tidy import baseline
from tests.tidy.rules import RULES
from tests.tidy.sources import sources


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.tidy", description="List what breaks the tidy rules.")
    parser.add_argument("--lower", action="store_true", help="write lower counts to the baselines")
    parser.add_argument("--counts", action="store_true", help="print the findings of each crate and rule as a table")
    parser.add_argument("--rule", choices=[rule.name for rule in RULES], help="this rule only")
    parser.add_argument("paths", nargs="*", help="findings of files whose path begins with one of these")
    arguments = parser.parse_args()
    rules = [rule for rule in RULES if arguments.rule in (None, rule.name)]
    files = sources()
    found = {rule: rule.findings(files) for rule in rules}
    if arguments.lower:
        for rule in rules:
            baseline.write(rule, baseline.lowered(baseline.read(rule), found[rule]))
    elif arguments.counts:
        print_counts({rule.name: Counter(source.crate for source, _ in found[rule]) for rule in rules})
    else:
        for rule in rules:
            for _, finding in found[rule]:
                if not arguments.paths or finding.path.startswith(tuple(arguments.paths)):
                    sys.stdout.write(f"{finding.path}:{finding.line}: {rule.name}: {finding.text}\n")


def print_counts(counts: dict[str, Counter[str]]) -> None:
    crates = sorted({crate for rule in counts.values() for crate in rule})
    sys.stdout.write("\t".join(["crate", *counts]) + "\n")
    for crate in crates:
        sys.stdout.write("\t".join([crate, *(str(rule[crate]) for rule in counts.values())]) + "\n")


main()
