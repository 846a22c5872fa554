//! `sasl.jaas.config`: credentials in the format of Java's clients.
//!
//! ```text
//!   org.apache.kafka.common.security.plain.PlainLoginModule required username="ada" password="secret";
//! ```
//!
//! Values may be in double or single quotes, with backslashes before quotes and backslashes.

use std::iter::Peekable;
use std::str::Chars;

use headwater_client::Result;

use super::config_error;

const KEY: &str = "sasl.jaas.config";
const EXTENSIONS: &str = "sasl.oauthbearer.extensions";

/// Replaces `sasl.jaas.config` in `pairs` by the equivalent keys.
pub(super) fn expand(pairs: &mut Vec<(String, String)>) -> Result<()> {
    let Some(at) = pairs.iter().position(|(key, _)| key == KEY) else {
        return Ok(());
    };
    let (_, text) = pairs.remove(at);
    for (key, value) in keys(&text)? {
        if pairs.iter().any(|(given, _)| given == key) {
            return Err(config_error(&format!(
                "{KEY} and {key} set the same value: leave one of them out."
            )));
        }
        pairs.push((key.to_owned(), value));
    }
    Ok(())
}

fn keys(text: &str) -> Result<Vec<(&'static str, String)>> {
    let mut words = words(text).ok_or_else(malformed)?.into_iter();
    let module = words.next().ok_or_else(malformed)?;
    // `required`, `requisite`, `sufficient` or `optional`: with a single module they are equivalent.
    words.next().ok_or_else(malformed)?;
    let module = module.rsplit('.').next().unwrap_or_default();
    let mut keys = Vec::new();
    let mut extensions = Vec::new();
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(malformed)?;
        let key = match (module, name) {
            ("PlainLoginModule" | "ScramLoginModule", "username") => "sasl.username",
            ("PlainLoginModule" | "ScramLoginModule", "password") => "sasl.password",
            ("OAuthBearerLoginModule", "clientId") => {
                "sasl.oauthbearer.client.credentials.client.id"
            }
            ("OAuthBearerLoginModule", "clientSecret") => {
                "sasl.oauthbearer.client.credentials.client.secret"
            }
            ("OAuthBearerLoginModule", "scope") => "sasl.oauthbearer.scope",
            ("OAuthBearerLoginModule", name) if name.starts_with("extension_") => {
                extensions.push(format!("{}={value}", &name["extension_".len()..]));
                continue;
            }
            // The message omits the option's name: in a text with a missing quote it may be a part of the password.
            ("PlainLoginModule" | "ScramLoginModule" | "OAuthBearerLoginModule", _) => {
                return Err(config_error(&format!(
                    "{KEY}: an option of {module} is not supported: {INSTEAD}."
                )));
            }
            (module, _) => return Err(unknown_module(module)),
        };
        keys.push((key, value.to_owned()));
    }
    if !extensions.is_empty() {
        keys.push((EXTENSIONS, extensions.join(",")));
    }
    if keys.is_empty() && module != "OAuthBearerLoginModule" {
        return Err(unknown_module(module));
    }
    Ok(keys)
}

const INSTEAD: &str = "give sasl.username and sasl.password, or for OAUTHBEARER oauth_token or sasl.oauthbearer.token.endpoint.url";

fn unknown_module(module: &str) -> headwater_client::Error {
    config_error(&format!("{KEY}: {module} is not supported: {INSTEAD}."))
}

/// The message does not repeat the text, which contains a password.
fn malformed() -> headwater_client::Error {
    config_error(&format!(
        "{KEY} cannot be parsed: write it as MODULE required username=\"…\" password=\"…\"; or {INSTEAD}."
    ))
}

/// The words before the semicolon; `None` without a semicolon at the end.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    loop {
        match letters.peek() {
            None => return None,
            Some(';') => {
                letters.next();
                return letters.all(char::is_whitespace).then_some(words);
            }
            Some(letter) if letter.is_whitespace() => {
                letters.next();
            }
            Some(_) => words.push(word(&mut letters)?),
        }
    }
}

/// A word up to a space or a semicolon outside of quotes; `None` if a quote is not closed.
fn word(letters: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut word = String::new();
    while let Some(&letter) = letters.peek() {
        match letter {
            ';' => break,
            letter if letter.is_whitespace() => break,
            '"' | '\'' => {
                letters.next();
                quoted(letters, letter, &mut word)?;
            }
            _ => {
                word.push(letter);
                letters.next();
            }
        }
    }
    Some(word)
}

fn quoted(letters: &mut Peekable<Chars<'_>>, quote: char, word: &mut String) -> Option<()> {
    loop {
        match letters.next()? {
            '\\' => word.push(letters.next()?),
            letter if letter == quote => return Some(()),
            letter => word.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";

    fn expanded(text: &str) -> Result<Vec<(String, String)>> {
        let mut pairs = vec![(KEY.to_owned(), text.to_owned())];
        expand(&mut pairs)?;
        Ok(pairs)
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        expected.iter().map(owned).collect()
    }

    #[rstest]
    #[case(r#"required username="ada" password="s;e c\"ret\\";"#, r#"s;e c"ret\"#)]
    #[case("required username='ada'\n  password='sec\"ret' ; ", "sec\"ret")]
    #[case("required username=ada password=secret;", "secret")]
    fn user_and_password_are_read_in_all_kinds_of_quotes(
        #[case] options: &str,
        #[case] password: &str,
    ) {
        assert_eq!(
            expanded(&format!("{PLAIN} {options}")).unwrap(),
            pairs(&[("sasl.username", "ada"), ("sasl.password", password)])
        );
    }

    #[test]
    fn the_client_of_oauthbearer_and_its_extensions_are_read() {
        let text = r#"a.b.OAuthBearerLoginModule required clientId="id" clientSecret="s" scope="x" extension_a="1" extension_b="2";"#;
        assert_eq!(
            expanded(text).unwrap(),
            pairs(&[
                ("sasl.oauthbearer.client.credentials.client.id", "id"),
                ("sasl.oauthbearer.client.credentials.client.secret", "s"),
                ("sasl.oauthbearer.scope", "x"),
                (EXTENSIONS, "a=1,b=2"),
            ])
        );
        assert_eq!(
            expanded("OAuthBearerLoginModule required;").unwrap(),
            vec![]
        );
    }

    #[rstest]
    #[case::no_semicolon("PlainLoginModule required password=\"topsecret\"")]
    #[case::open_quote("PlainLoginModule required password=\"topsecret;")]
    #[case::more_behind("PlainLoginModule required password=topsecret; Other required;")]
    #[case::no_value("PlainLoginModule required topsecret;")]
    #[case::kerberos("com.sun.security.auth.module.Krb5LoginModule required keyTab=topsecret;")]
    #[case::unknown_option("PlainLoginModule required password=very topsecret=x;")]
    #[case::empty("")]
    fn other_texts_are_refused_with_the_keys_to_use_and_without_the_password(#[case] text: &str) {
        let error = expanded(text).unwrap_err();
        assert!(error.message().contains("sasl.password"), "{error}");
        assert!(!error.message().contains("topsecret"), "{error}");
    }

    #[test]
    fn a_key_that_it_sets_too_is_refused() {
        let mut pairs = pairs(&[
            ("sasl.password", "one"),
            (KEY, "PlainLoginModule required password=\"two\";"),
        ]);
        let error = expand(&mut pairs).unwrap_err();
        assert!(error.message().contains("sasl.password"), "{error}");
        assert!(!error.message().contains("two"), "{error}");
    }
}
