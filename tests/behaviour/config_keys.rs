//! Every configuration key has an effect, or takes Kafka's default only.
//!
//! A key is read into a field of a configuration, whose doc names the key. The test looks into the sources for the field's readers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use headwater_client::config::{client, consumer, producer};
use headwater_metadata::Table;
use headwater_metadata::config::{BROKER, TOPIC};
use rstest::rstest;

/// Where configurations are defined; what is read here alone has no effect.
const CONFIG_DIRECTORIES: [&str; 2] = ["client/src/config", "metadata/src/config"];

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core")
}

/// The texts of all sources below `directory`.
fn sources(directory: &Path, texts: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            texts.push((path, text));
        }
    }
}

/// The field into which each key is read: the public one below a doc that names the key.
fn fields(texts: &[(PathBuf, String)]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    for (_, text) in texts {
        let mut doc = String::new();
        for line in text.lines().map(str::trim) {
            if let Some(more) = line.strip_prefix("///") {
                doc.push_str(more);
                continue;
            }
            if let Some((field, _)) = line
                .strip_prefix("pub ")
                .and_then(|rest| rest.split_once(':'))
                && is_name(field)
            {
                // The parts between backticks.
                for key in doc.split('`').skip(1).step_by(2) {
                    fields
                        .entry(key.to_owned())
                        .or_insert_with(|| field.to_owned());
                }
            }
            doc.clear();
        }
    }
    fields
}

/// Whether it is a field's name, and not the beginning of a function or a static.
fn is_name(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// Whether `text` reads a field of that name: `.field`, and neither a method nor a longer name.
fn reads(text: &str, field: &str) -> bool {
    let access = format!(".{field}");
    text.match_indices(&access).any(|(at, _)| {
        let next = text[at + access.len()..].chars().next();
        next.is_none_or(|next| !(next.is_alphanumeric() || next == '_' || next == '('))
    })
}

#[rstest]
#[case(&BROKER)]
#[case(&TOPIC)]
#[case(&client::CLIENT)]
#[case(&producer::PRODUCER)]
#[case(&consumer::CONSUMER)]
fn every_key_is_read_or_takes_its_default_only(#[case] table: &'static Table) {
    let mut texts = Vec::new();
    for crate_source in fs::read_dir(core()).unwrap() {
        let source = crate_source.unwrap().path().join("src");
        if source.is_dir() {
            sources(&source, &mut texts);
        }
    }
    let is_config = |(path, _): &(PathBuf, String)| {
        let is_below = |directory| path.starts_with(core().join(directory));
        CONFIG_DIRECTORIES.into_iter().any(is_below)
    };
    let (configs, readers): (Vec<_>, Vec<_>) = texts.into_iter().partition(is_config);
    let fields = fields(&configs);
    let mut unread = Vec::new();
    for definition in table.definitions() {
        let field = fields.get(definition.name);
        let is_read = field.is_some_and(|field| readers.iter().any(|(_, text)| reads(text, field)));
        let is_default_of_topics = TOPIC
            .definitions()
            .iter()
            .flat_map(|topic| topic.synonyms)
            .any(|(synonym, _)| *synonym == definition.name);
        // Bounds on what others may set are read where those are checked.
        let is_bound = configs
            .iter()
            .filter(|(path, _)| path.ends_with("group_bounds.rs"))
            .any(|(_, text)| text.contains(&format!("\"{}\"", definition.name)));
        if definition.fixed.is_none() && !is_read && !is_default_of_topics && !is_bound {
            unread.push(definition.name);
        }
    }
    assert!(
        unread.is_empty(),
        "keys of the {} that nobody reads: give each an effect, or `fixed` it with the reason: {unread:?}",
        table.scope()
    );
}
