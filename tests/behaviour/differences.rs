//! The known differences between targets, `tests/differences.toml`: tests that must fail on a target, with the reason.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::LazyLock;

use toml_edit::{DocumentMut, Table};

use crate::target::Target;

const FILE: &str = include_str!("../differences.toml");

/// A test that must fail on a target.
#[derive(Debug)]
struct Difference {
    test: String,
    target: String,
    /// A part of the expected failure message, to distinguish other failures.
    shows: String,
}

static DIFFERENCES: LazyLock<Vec<Difference>> = LazyLock::new(|| {
    let document: DocumentMut = FILE.parse().expect("differences.toml is TOML");
    let listed = document.get("difference").map(|listed| {
        listed
            .as_array_of_tables()
            .expect("[[difference]] is an array of tables")
    });
    listed
        .into_iter()
        .flatten()
        .map(|table| Difference {
            test: text(table, "test"),
            target: text(table, "target"),
            shows: text(table, "shows"),
        })
        .filter(|difference| !is_of_python(difference))
        .collect()
});

fn is_of_python(difference: &Difference) -> bool {
    difference.test.starts_with("test_")
}

fn text(table: &Table, key: &str) -> String {
    let value = table.get(key).and_then(|value| value.as_str());
    value
        .unwrap_or_else(|| panic!("a difference has no {key}"))
        .to_owned()
}

/// Runs a test on a target. A test that is listed for the target must fail with the listed message.
pub(crate) fn check(test: &str, target: Target, body: impl FnOnce()) {
    let test = test.split_once("::").map_or(test, |(_, path)| path);
    let difference = DIFFERENCES
        .iter()
        .find(|difference| difference.test == test && difference.target == target.name());
    let Some(difference) = difference else {
        return body();
    };
    let Err(failure) = catch_unwind(AssertUnwindSafe(body)) else {
        panic!("{test} passes on {difference:?}: remove it from tests/differences.toml");
    };
    let said = failure.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| failure.downcast_ref::<&str>().copied());
    if !said.is_some_and(|said| said.contains(&difference.shows)) {
        resume_unwind(failure);
    }
}
