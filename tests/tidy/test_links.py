"""Links in pages lead to files, and the tests that reliability.md names exist."""

from __future__ import annotations

import re

from tests.tidy.sources import ROOT

PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("core/docs/**/*.md"),
    *ROOT.glob("bindings-*/*.md"),
    *ROOT.glob("bindings-*/examples/*.md"),
    *ROOT.glob("notebooks/*.md"),
]
DECISIONS = ROOT / "core/docs/decisions"
RELIABILITY = ROOT / "core/docs/reliability.md"


def test_relative_links_lead_to_files() -> None:
    links = [(page, target) for page in PAGES for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())]
    # Typedoc makes the pages of the Node package.
    files = [(page, target) for page, target in links if "://" not in target and not target.startswith("node/")]
    broken = [f"{page.relative_to(ROOT)}: {target}" for page, target in files if not (page.parent / target).exists()]
    assert not broken, "\n".join(broken)


def test_the_index_lists_each_decision_with_its_title() -> None:
    index = (DECISIONS / "README.md").read_text()
    listed = dict(re.findall(r"^- \[(?P<title>.+)\]\((?P<name>.+\.md)\)$", index, re.MULTILINE))
    titles = {page.read_text().splitlines()[0].removeprefix("# "): page.name for page in DECISIONS.glob("*.md") if page.name != "README.md"}
    assert listed == titles


def test_the_tests_of_each_promise_exist() -> None:
    missing = []
    for row in RELIABILITY.read_text().splitlines():
        cells = row.split(" | ")
        for entry in cells[1].split("<br>") if row.startswith("| ") and len(cells) == 4 else []:
            path = re.match(r"`([\w./-]+\.(?:rs|py))`", entry)
            if not path:
                continue
            file = ROOT / path.group(1)
            text = file.read_text() if file.exists() else ""
            names = re.findall(r"`([a-z]\w*_\w+)`", entry[path.end() :])
            missing += [f"{path.group(1)}: {name}" for name in names if not re.search(rf"\b(?:fn|def) {name}\b", text)]
            missing += [] if text else [path.group(1)]
    assert not missing, "\n".join(missing)
