//! Kafka's message definitions as data, and random messages.
//!
//! The writer follows Kafka's protocol guide without the codec of the crate, so that the two can be compared.
//!
//! ```text
//! message NAME KIND KEY LOWEST HIGHEST FLEXIBLE_SINCE     then its structs, the message's own last
//! struct NAME                                            then its fields
//!   NAME TYPE LOWEST HIGHEST NULLABLE_LOWEST NULLABLE_HIGHEST TAG DEFAULT
//! ```
//!
//! `-` stands for "none". Versions are those of the message that has them.

#![allow(
    dead_code,
    reason = "the tests of the broker and of the server use another part of this module"
)]

pub(crate) mod damage;
pub(crate) mod random;

use std::ops::RangeInclusive;

pub(crate) use random::Random;

/// A message and the structs in it.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) key: Option<i16>,
    pub(crate) versions: RangeInclusive<i16>,
    flexible_since: Option<i16>,
    structs: Vec<Struct>,
}

#[derive(Debug)]
struct Struct {
    name: &'static str,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    kind: &'static str,
    is_array: bool,
    versions: RangeInclusive<i16>,
    nullable: Option<RangeInclusive<i16>>,
    tag: Option<u32>,
    default: Option<&'static str>,
}

/// All messages of the crate.
pub(crate) fn messages() -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::new();
    for line in include_str!("../schema.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let words: Vec<&'static str> = line.split_whitespace().collect();
        match (words[0], line.starts_with(' ')) {
            ("message", false) => messages.push(Message {
                name: words[1],
                kind: words[2],
                key: optional(words[3]),
                versions: range(words[4], words[5]).unwrap(),
                flexible_since: optional(words[6]),
                structs: Vec::new(),
            }),
            ("struct", false) => {
                messages.last_mut().unwrap().structs.push(Struct {
                    name: words[1],
                    fields: Vec::new(),
                });
            }
            _ => messages
                .last_mut()
                .unwrap()
                .structs
                .last_mut()
                .unwrap()
                .fields
                .push(Field {
                    kind: words[1].trim_start_matches("[]"),
                    is_array: words[1].starts_with("[]"),
                    versions: range(words[2], words[3]).unwrap(),
                    nullable: range(words[4], words[5]),
                    tag: optional(words[6]),
                    default: (words[7] != "-").then_some(words[7]),
                }),
        }
    }
    messages
}

fn optional<T: std::str::FromStr>(word: &str) -> Option<T> {
    word.parse().ok()
}

fn range(lowest: &str, highest: &str) -> Option<RangeInclusive<i16>> {
    Some(optional(lowest)?..=optional(highest)?)
}

/// The kind of values to write.
#[derive(Clone, Copy, PartialEq)]
enum Values {
    Random,
    Default,
}

impl Message {
    /// A valid, canonical encoding at `version`: decoding and encoding it again gives the same bytes.
    pub(crate) fn random_bytes(&self, version: i16, random: &mut Random) -> Vec<u8> {
        let mut out = Vec::new();
        let root = self.structs.last().unwrap();
        Writer {
            message: self,
            version,
            flexible: self.is_flexible(version),
            random,
        }
        .structure(&mut out, root, Values::Random);
        out
    }

    pub(crate) fn is_flexible(&self, version: i16) -> bool {
        self.flexible_since.is_some_and(|since| version >= since)
    }
}

struct Writer<'a> {
    message: &'a Message,
    version: i16,
    flexible: bool,
    random: &'a mut Random,
}

impl<'a> Writer<'a> {
    fn structure(&mut self, out: &mut Vec<u8>, of: &'a Struct, values: Values) {
        let version = self.version;
        for field in of
            .fields
            .iter()
            .filter(|field| field.tag.is_none() && field.versions.contains(&version))
        {
            self.field(out, field, values);
        }
        if self.flexible {
            self.tagged_fields(out, of, values);
        }
    }

    fn tagged_fields(&mut self, out: &mut Vec<u8>, of: &'a Struct, values: Values) {
        let mut fields: Vec<(u32, Vec<u8>)> = Vec::new();
        if values == Values::Random {
            let version = self.version;
            for field in of
                .fields
                .iter()
                .filter(|field| field.versions.contains(&version))
            {
                if let Some(tag) = field.tag.filter(|_| self.random.chance(2)) {
                    fields.push((tag, self.other_than_default(field)));
                }
            }
            if self.random.chance(8) {
                let length = self.random.below(300);
                fields.push((
                    100 + self.random.below(1000) as u32,
                    self.random.bytes(length),
                ));
            }
        }
        fields.sort_by_key(|(tag, _)| *tag);
        varint(out, fields.len() as u32);
        for (tag, value) in fields {
            varint(out, tag);
            varint(out, value.len() as u32);
            out.extend(value);
        }
    }

    fn other_than_default(&mut self, field: &'a Field) -> Vec<u8> {
        let mut default = Vec::new();
        self.field(&mut default, field, Values::Default);
        loop {
            let mut value = Vec::new();
            self.field(&mut value, field, Values::Random);
            if value != default {
                return value;
            }
        }
    }

    fn field(&mut self, out: &mut Vec<u8>, field: &'a Field, values: Values) {
        let nullable = field
            .nullable
            .as_ref()
            .is_some_and(|versions| versions.contains(&self.version));
        let null = nullable
            && match values {
                Values::Random => self.random.chance(4),
                Values::Default => {
                    field.default == Some("null") || (field.kind == "records" && !field.is_array)
                }
            };
        if field.is_array {
            let count = if values == Values::Random {
                self.random.below(4)
            } else {
                0
            };
            self.length(out, (!null).then_some(count), 4);
            if !null {
                (0..count).for_each(|_| self.value(out, field, values));
            }
        } else if null {
            match field.kind {
                "string" => self.length(out, None, 2),
                "bytes" | "records" => self.length(out, None, 4),
                _ => out.push(0xFF),
            }
        } else {
            if nullable && self.is_struct(field.kind) {
                out.push(1);
            }
            self.value(out, field, values);
        }
    }

    fn value(&mut self, out: &mut Vec<u8>, field: &'a Field, values: Values) {
        let fixed = match field.kind {
            "bool" | "int8" => 1,
            "int16" | "uint16" => 2,
            "int32" => 4,
            "int64" | "float64" => 8,
            "uuid" => 16,
            "string" => return self.text(out, values),
            "bytes" | "records" => {
                let bytes = if values == Values::Random {
                    self.random.records()
                } else {
                    Vec::new()
                };
                self.length(out, Some(bytes.len()), 4);
                return out.extend(bytes);
            }
            name => {
                let of = self
                    .message
                    .structs
                    .iter()
                    .find(|of| of.name == name)
                    .unwrap();
                return self.structure(out, of, values);
            }
        };
        match (values, field.kind) {
            (Values::Random, "uuid") => out.extend(self.random.id()),
            (Values::Random, "bool") => out.push(u8::from(self.random.chance(2))),
            (Values::Random, "float64") => out.extend((self.random.next() as f64).to_be_bytes()),
            (Values::Random, _) => out.extend(self.random.number(fixed)),
            (Values::Default, kind) => out.extend(default_number(kind, field.default, fixed)),
        }
    }

    fn text(&mut self, out: &mut Vec<u8>, values: Values) {
        let text = if values == Values::Random {
            self.random.text()
        } else {
            String::new()
        };
        self.length(out, Some(text.len()), 2);
        out.extend(text.as_bytes());
    }

    fn length(&self, out: &mut Vec<u8>, length: Option<usize>, width: usize) {
        if self.flexible {
            return varint(out, length.map_or(0, |length| length as u32 + 1));
        }
        let length = length.map_or(-1, |length| length as i32);
        out.extend(&length.to_be_bytes()[4 - width..]);
    }

    fn is_struct(&self, kind: &str) -> bool {
        self.message.structs.iter().any(|of| of.name == kind)
    }
}

fn default_number(kind: &str, default: Option<&str>, width: usize) -> Vec<u8> {
    let value = match default {
        Some("true") => 1,
        None | Some("false") => 0,
        Some(text) => text.strip_prefix("0x").map_or_else(
            || text.parse().unwrap(),
            |hex| i64::from_str_radix(hex, 16).unwrap(),
        ),
    };
    match kind {
        "float64" => (value as f64).to_be_bytes().to_vec(),
        "uuid" => vec![0; 16],
        _ => value.to_be_bytes()[8 - width..].to_vec(),
    }
}

pub(crate) fn varint(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
