"""Generates core/protocol/src/generated from Kafka's message definitions.

With --check: writes nothing, fails if a file is not what would be generated.
With --judge: reads samples ("name version hex" lines), and writes those to tests/ that Kafka reads and writes
unchanged.
"""

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import jars  # noqa: E402
import model  # noqa: E402
import rust  # noqa: E402
import schema  # noqa: E402
import selected  # noqa: E402

CRATE = Path(__file__).resolve().parents[1]
DOWNLOADS = CRATE.parents[1] / "build" / "protocol" / "jars"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--judge", type=Path, metavar="SAMPLES")
    options = parser.parse_args()
    if options.judge:
        return jars.judge(DOWNLOADS, options.judge, CRATE / "tests" / "it" / f"kafka-{jars.KAFKA}.txt")
    return write(generate(), check=options.check)


def write(files: dict[Path, str], *, check: bool) -> int:
    present = {path: path.read_text() for path in (CRATE / "src" / "generated").glob("*.rs")}
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    extra = [path for path in present if path not in files]
    if check:
        for path in [*stale, *extra]:
            print(f"{path.relative_to(CRATE)} is not what `make messages` writes")
        return 1 if stale or extra else 0
    for path in extra:
        path.unlink()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
    print(f"{len(files)} files, {len(stale)} written, {len(extra)} removed")
    return 0


def generate() -> dict[Path, str]:
    definitions = jars.definitions(jars.fetch(DOWNLOADS))
    names = [f"{api.name}{side}" for api in selected.APIS for side in ("Request", "Response")]
    messages = {name: model.message(definitions[name]) for name in [*names, *selected.RECORDS]}
    folder = CRATE / "src" / "generated"
    files = {folder / f"{rust.snake(name)}.rs": rust.file(message) for name, message in messages.items()}
    files[folder / "mod.rs"] = module(sorted(messages))
    files[folder / "apis.rs"] = apis(messages)
    files[CRATE / "tests" / "it" / "schema.txt"] = schema.text(messages.values())
    return files


def module(names: list[str]) -> str:
    lines = ["//! Kafka's messages, one module each.", rust.HEADER, "pub(crate) mod apis;"]
    lines += [f"pub mod {rust.snake(name)};" for name in names]
    lines.append("")
    lines += [f"pub use {rust.snake(name)}::{name};" for name in names]
    return "\n".join(lines) + "\n"


def apis(messages: dict[str, model.Message]) -> str:
    lines = [
        "//! The APIs that Headwater serves and speaks, and at which versions.",
        rust.HEADER,
        "use bytes::BytesMut;",
        "",
        "use super::*;",
        "use crate::api::{ApiRequest, WrongResponse, apis};",
        "use crate::codec::{DecodeError, Decoder, EncodeError};",
        "use crate::message::{Message, VersionRange};",
        "",
        "apis! {",
        "    // name = key: versions served, versions advertised, flexible since, request, response",
    ]
    for api in selected.APIS:
        request, response = messages[f"{api.name}Request"], messages[f"{api.name}Response"]
        assert request.flexible_since == response.flexible_since and request.key == response.key, api.name
        served = model.Versions(api.lowest, api.highest)
        assert served & request.versions & response.versions == served, f"{api.name} {served} is not in {request.versions}"
        lowest = api.lowest if api.advertised_lowest is None else api.advertised_lowest
        flexible = 32767 if request.flexible_since is None else request.flexible_since
        lines.append(
            f"    {api.name} = {request.key}: {api.lowest}..={api.highest}, {lowest}..={api.highest}, "
            f"{'never' if flexible == 32767 else flexible}, {api.name}Request, {api.name}Response;"
        )
    return "\n".join([*lines, "}\n"])


sys.exit(main())
