//! The files of `--command-config`, in the format of `java.util.Properties`.
//!
//! ```text
//! line      = blank | ("#" | "!") comment | key [separator value]
//! separator = white* ("=" | ":") white* | white+
//! escape    = "\t" | "\n" | "\r" | "\f" | "\u" 4 hex digits (UTF-16) | "\" any other character, used literally
//! ```
//!
//! A line that ends in an odd number of `\` continues in the next line.
//!
//! Java reads such files as ISO-8859-1. A file that is valid UTF-8 is read as UTF-8, because editors write that; for
//! ASCII both are the same.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// The keys and values of a file. A repeated key has its last value. The error is the end of a sentence about the file.
pub(super) fn parse(bytes: &[u8]) -> Result<BTreeMap<String, String>, String> {
    let text = std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().map(|byte| char::from(*byte)).collect(),
        str::to_owned,
    );
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut properties = BTreeMap::new();
    let mut chars = text.chars().peekable();
    while chars.peek().is_some() {
        skip(&mut chars, |char| is_white(char) || char == '\n');
        if matches!(chars.peek(), Some('#' | '!')) {
            skip(&mut chars, |char| char != '\n');
        } else if chars.peek().is_some() {
            let key = read_until(&mut chars, |char| {
                is_white(char) || matches!(char, '=' | ':')
            })?;
            skip_separator(&mut chars);
            let value = read_until(&mut chars, |_| false)?;
            properties.insert(key, value);
        }
    }
    Ok(properties)
}

type Input<'a> = Peekable<Chars<'a>>;

fn is_white(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\x0c')
}

fn skip(chars: &mut Input<'_>, is_skipped: impl Fn(char) -> bool) {
    while chars.next_if(|char| is_skipped(*char)).is_some() {}
}

/// Skips white space and line continuations.
fn skip_white(chars: &mut Input<'_>) {
    loop {
        skip(chars, is_white);
        let mut ahead = chars.clone();
        if ahead.next() != Some('\\') || ahead.next() != Some('\n') {
            return;
        }
        *chars = ahead;
    }
}

fn skip_separator(chars: &mut Input<'_>) {
    skip_white(chars);
    if chars.next_if(|char| matches!(char, '=' | ':')).is_some() {
        skip_white(chars);
    }
}

/// The text before the end of the line and before `is_end`, with its escapes resolved.
fn read_until(chars: &mut Input<'_>, is_end: impl Fn(char) -> bool) -> Result<String, String> {
    // UTF-16; an escape is one code unit.
    let mut units = Vec::new();
    while let Some(char) = chars.next_if(|char| *char != '\n' && !is_end(*char)) {
        let char = if char == '\\' {
            match chars.next() {
                None => break,
                Some('\n') => {
                    skip(chars, is_white);
                    continue;
                }
                Some('u') => {
                    units.push(code_unit(chars)?);
                    continue;
                }
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\x0c',
                Some(other) => other,
            }
        } else {
            char
        };
        units.extend_from_slice(char.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16(&units)
        .map_err(|_| "it has a \\u escape that is half of a surrogate pair".to_owned())
}

fn code_unit(chars: &mut Input<'_>) -> Result<u16, String> {
    let digits: String = (0..4)
        .map_while(|_| chars.next_if(char::is_ascii_hexdigit))
        .collect();
    if digits.len() == 4
        && let Ok(unit) = u16::from_str_radix(&digits, 16)
    {
        return Ok(unit);
    }
    Err(format!(
        "it has \\u{digits}, but \\u needs four hexadecimal digits"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text.as_bytes()).unwrap().into_iter().collect()
    }

    fn pair(text: &str) -> (String, String) {
        let [pair] = pairs(text).try_into().expect("one key");
        pair
    }

    #[test]
    fn a_key_ends_at_the_first_separator() {
        for text in [
            "a=b",
            "a:b",
            "a b",
            "a = b",
            "a\t:\x0cb",
            "  a   b",
            "a\\\n=\\\n b",
            "a=b\r\n",
            "\ra=b\r",
        ] {
            assert_eq!(pair(text), ("a".into(), "b".into()), "{text:?}");
        }
        assert_eq!(pair("a==b"), ("a".into(), "=b".into()));
        assert_eq!(pair("a: = b"), ("a".into(), "= b".into()));
        assert_eq!(pair("a=b c = d "), ("a".into(), "b c = d ".into()));
        assert_eq!(pair("a"), ("a".into(), String::new()));
        assert_eq!(pair("=b"), (String::new(), "b".into()));
    }

    #[test]
    fn comments_and_blank_lines_are_ignored() {
        let text = "# a=b\\\n  ! c=d\n\n \t\nkey=#value!\n#";
        assert_eq!(pairs(text), [("key".into(), "#value!".into())]);
        assert!(pairs("").is_empty());
    }

    #[test]
    fn a_line_continues_after_an_odd_number_of_backslashes() {
        assert_eq!(
            pair("a=b, \\\n    c, \\\r\n\td"),
            ("a".into(), "b, c, d".into())
        );
        assert_eq!(
            pairs("a=b\\\\\nc=d\\"),
            [("a".into(), "b\\".into()), ("c".into(), "d".into())]
        );
        assert_eq!(pair("a=b\\\n#c"), ("a".into(), "b#c".into()));
    }

    #[test]
    fn escapes_stand_for_characters() {
        assert_eq!(
            pair(r"a\ \=\:\tb=\n\r\f\q\\\u0041\ud83d\ude00"),
            ("a =:\tb".into(), "\n\r\x0cq\\A\u{1f600}".into())
        );
        for text in [r"a=\u12", r"a=\u12g4", r"a=\ud83d", r"a=\ude00x", r"a=\u"] {
            parse(text.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn a_repeated_key_has_its_last_value() {
        assert_eq!(pair("a=1\na=2"), ("a".into(), "2".into()));
    }

    #[test]
    fn bytes_are_utf_8_or_else_latin_1() {
        assert_eq!(pair("a=\u{fc}"), ("a".into(), "\u{fc}".into()));
        let latin_1 = parse(b"a=\xfc").unwrap();
        assert_eq!(latin_1["a"], "\u{fc}");
    }
}
