"""Hooks of the site: the notebooks with their outputs, as pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
FOLDER = "notebooks"
# Tables of data frames take the style of the site. Their own would apply to the whole page.
STYLE = re.compile(r"<style[^>]*>.*?</style>\n?", re.DOTALL)
DATA_FRAME = '<table border="1" class="dataframe">'


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each notebook, and the list of notebooks."""
    add(files, config, "index.md", (NOTEBOOKS / "README.md").read_text(encoding="utf-8"))
    # All output of a cell is one block, and not one for each write.
    exporter = MarkdownExporter(preprocessors=[CoalesceStreamsPreprocessor])
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        page, resources = exporter.from_filename(str(path), {"unique_key": path.stem, "output_files_dir": path.stem})
        add(files, config, f"{path.stem}.md", page)
        for name, content in resources["outputs"].items():
            files.append(File.generated(config, f"{FOLDER}/{name}", content=content))
    return files


def add(files: Files, config: MkDocsConfig, name: str, page: str) -> None:
    """Add a page. Its links to notebooks and to the list lead to pages."""
    linked = re.sub(r"\((\w+)\.ipynb\)", r"(\1.md)", STYLE.sub("", page)).replace("(README.md)", "(index.md)")
    linked = linked.replace(DATA_FRAME, "<table data-frame>")
    files.append(File.generated(config, f"{FOLDER}/{name}", content=linked))
