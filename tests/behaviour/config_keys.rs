//! Every configuration key has an effect, or accepts only Kafka's default.
//!
//! A key is parsed into a field of a configuration, whose doc comment contains the key. The test searches the sources
//! for readers of the field: `.field` after a name that stands for that configuration. A field with the same name in
//! another struct does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use headwater_client::config::{client, consumer, producer};
use headwater_metadata::Table;
use headwater_metadata::config::{BROKER, TOPIC};
use rstest::rstest;

/// The directories that define configurations; a field that is read only there has no effect.
const CONFIG_DIRECTORIES: [&str; 2] = ["client/src/config", "metadata/src/config"];

fn core() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core")
}

/// The texts of all sources in `directory`.
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

/// A field of a struct.
type Field = (String, String);

/// The declarations in the sources, as far as single lines show them.
#[derive(Default)]
struct Declarations {
    fields: BTreeSet<Field>,
    /// By key, the first public field of a configuration whose doc comment contains the key.
    of_keys: BTreeMap<String, Field>,
    /// By crate and name: the types of fields, parameters, variables and function results with that name.
    types: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Declarations {
    fn read(&mut self, crate_name: &str, text: &str, is_config: bool) {
        let (mut owner, mut function, mut doc) = (None, String::new(), String::new());
        for line in text.lines() {
            let code = line.trim();
            if let Some(more) = code.strip_prefix("///") {
                doc.push_str(more);
                continue;
            }
            if let Some(name) = name_after(code, "struct ") {
                owner = Some(name.to_owned());
            } else if line.starts_with('}') {
                owner = None;
            }
            if let (Some(owner), Some(field)) = (&owner, field_of(code)) {
                let field = (owner.clone(), field.to_owned());
                if is_config && code.starts_with("pub ") {
                    // The parts between backticks.
                    for key in doc.split('`').skip(1).step_by(2) {
                        let of_key = self.of_keys.entry(key.to_owned());
                        of_key.or_insert_with(|| field.clone());
                    }
                }
                self.fields.insert(field);
            }
            if let Some(name) = name_after(code, "fn ") {
                name.clone_into(&mut function);
            }
            if let Some((_, returned)) = code.split_once("-> ") {
                self.bind(crate_name, &function, returned);
            }
            for (at, _) in code.match_indices(": ") {
                let end = code[at + 2..].find([',', ';', ')', '=', '{', '}']);
                let bound = end.map_or(&code[at + 2..], |end| &code[at + 2..at + 2 + end]);
                self.bind(crate_name, last_name(&code[..at]), bound);
            }
            doc.clear();
        }
    }

    fn bind(&mut self, crate_name: &str, name: &str, types: &str) {
        let words = types.split(|letter: char| !is_of_name(letter));
        let types = words.filter(|word| word.starts_with(char::is_uppercase));
        let bound = self.types.entry((crate_name.to_owned(), name.to_owned()));
        bound.or_default().extend(types.map(str::to_owned));
    }

    /// Whether `text` reads the field: after a name that stands for its struct in that crate, and for no other struct
    /// with a field of the same name.
    fn reads(&self, crate_name: &str, text: &str, (owner, field): &Field) -> bool {
        let access = format!(".{field}");
        text.match_indices(&access).any(|(at, _)| {
            let next = text[at + access.len()..].chars().next();
            if next.is_some_and(|next| is_of_name(next) || next == '(') {
                return false;
            }
            let name = (crate_name.to_owned(), receiver(&text[..at]).to_owned());
            let Some(types) = self.types.get(&name) else {
                return false;
            };
            let has_it = |other: &String| self.fields.contains(&(other.clone(), field.clone()));
            types.contains(owner) && !types.iter().any(|other| other != owner && has_it(other))
        })
    }
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The name at the end of `text`.
fn last_name(text: &str) -> &str {
    let start = text.rfind(|letter| !is_of_name(letter));
    start.map_or(text, |start| &text[start + 1..])
}

/// The name after the word `before`.
fn name_after<'a>(code: &'a str, before: &str) -> Option<&'a str> {
    let (visibility, rest) = code.split_once(before)?;
    let is_word = visibility.is_empty() || visibility.ends_with(' ');
    let end = rest.find(|letter| !is_of_name(letter));
    is_word.then(|| end.map_or(rest, |end| &rest[..end]))
}

/// The field that the line declares.
fn field_of(code: &str) -> Option<&str> {
    let name = last_name(code.split_once(": ")?.0);
    let visibility = code.split_once(name)?.0;
    let is_field = visibility.is_empty() || visibility.starts_with("pub");
    (is_field && !name.is_empty()).then_some(name)
}

/// The name at the end of `text`, from which a field is read: `a.config` and `config(x)?.read()` both end with
/// `config`.
fn receiver(text: &str) -> &str {
    let mut text = text.trim_end().trim_end_matches('?').trim_end();
    if text.ends_with(')') {
        let mut depth = 0;
        let open = text.rfind(|letter| {
            depth += i32::from(letter == ')') - i32::from(letter == '(');
            depth == 0
        });
        text = &text[..open.unwrap_or(0)];
    }
    let name = last_name(text);
    match text[..text.len() - name.len()].strip_suffix('.') {
        Some(before) if ["read", "clone", "as_ref", "load"].contains(&name) => receiver(before),
        _ => name,
    }
}

#[test]
fn a_field_of_the_same_name_in_another_struct_is_another_field() {
    let mut declared = Declarations::default();
    let declarations = "
pub struct Config {
    /// `linger.ms`
    pub linger: u64,
}
struct Other {
    pub(crate) linger: u64,
}
fn other(&self) -> &Other {}
fn config(
) -> Arc<Config> {}
fn mixed(a: Config, both: Config) {}
fn mixed_too(both: &Other) {}
";
    declared.read("c", declarations, true);
    let field = declared.of_keys["linger.ms"].clone();
    assert_eq!(field, ("Config".to_owned(), "linger".to_owned()));
    for (text, is_read) in [
        ("a.linger", true),
        ("self.config().read().linger.max(1)", true),
        ("self.config(a(b), c)?\n    .linger", true),
        ("other().linger", false),
        ("both.linger", false),
        ("unknown.linger", false),
        ("a.linger_ms", false),
        ("a.linger()", false),
    ] {
        assert_eq!(declared.reads("c", text, &field), is_read, "{text}");
        assert!(!declared.reads("another crate", text, &field), "{text}");
    }
}

#[rstest]
#[case(&BROKER)]
#[case(&TOPIC)]
#[case(&client::CLIENT)]
#[case(&producer::PRODUCER)]
#[case(&consumer::CONSUMER)]
fn every_key_is_read_or_takes_its_default_only(#[case] table: &'static Table) {
    let mut texts = Vec::new();
    for directory in fs::read_dir(core()).unwrap() {
        let directory = directory.unwrap();
        let crate_name = directory.file_name().into_string().unwrap();
        let source = directory.path().join("src");
        let mut of_crate = Vec::new();
        if source.is_dir() {
            sources(&source, &mut of_crate);
        }
        texts.extend(
            of_crate
                .into_iter()
                .map(|(path, text)| (crate_name.clone(), path, text)),
        );
    }
    let is_config = |path: &Path| {
        let is_below = |directory| path.starts_with(core().join(directory));
        CONFIG_DIRECTORIES.into_iter().any(is_below)
    };
    let mut declared = Declarations::default();
    for (crate_name, path, text) in &texts {
        declared.read(crate_name, text, is_config(path));
    }
    let (configs, readers): (Vec<_>, Vec<_>) =
        texts.iter().partition(|(_, path, _)| is_config(path));
    let mut unread = Vec::new();
    for definition in table.definitions() {
        let field = declared.of_keys.get(definition.name);
        let is_read = field.is_some_and(|field| {
            let mut readers = readers.iter();
            readers.any(|(crate_name, _, text)| declared.reads(crate_name, text, field))
        });
        let is_default_of_topics = TOPIC
            .definitions()
            .iter()
            .flat_map(|topic| topic.synonyms)
            .any(|(synonym, _)| *synonym == definition.name);
        // Limits for other settings are read where those are checked.
        let is_bound = configs
            .iter()
            .filter(|(_, path, _)| path.ends_with("group_bounds.rs"))
            .any(|(_, _, text)| text.contains(&format!("\"{}\"", definition.name)));
        if definition.fixed.is_none() && !is_read && !is_default_of_topics && !is_bound {
            unread.push(definition.name);
        }
    }
    assert!(
        unread.is_empty(),
        "keys of the {} that are never read: give each an effect, or mark it `fixed` with the reason: {unread:?}",
        table.scope()
    );
}
