//! The text of Kafka's checkpoint files.
//!
//! ```text
//! file    = version "\n" count "\n" line*
//! version = "0"
//! line    = words separated by single spaces "\n"        exactly `count` of them
//! ```

/// The only version of the format.
const VERSION: &str = "0";

/// Formats a checkpoint with these lines.
pub(crate) fn format(lines: impl ExactSizeIterator<Item = String>) -> String {
    let mut text = format!("{VERSION}\n{}\n", lines.len());
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Splits a checkpoint into its lines.
pub(crate) fn parse(text: &str) -> Result<Vec<&str>, String> {
    let mut lines = text.lines();
    match lines.next() {
        Some(VERSION) => {}
        Some(version) => return Err(format!("its version is {version:?}, expected 0")),
        None => return Err("it is empty".to_owned()),
    }
    let count: usize = lines
        .next()
        .and_then(|count| count.parse().ok())
        .ok_or_else(|| "its second line is not a count".to_owned())?;
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    if lines.len() == count {
        Ok(lines)
    } else {
        Err(format!(
            "it announces {count} lines and has {}",
            lines.len()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back() {
        let text = format(["flights 0 17".to_owned(), "flights 1 4".to_owned()].into_iter());
        assert_eq!(text, "0\n2\nflights 0 17\nflights 1 4\n");
        assert_eq!(parse(&text).unwrap(), ["flights 0 17", "flights 1 4"]);
    }

    #[test]
    fn a_cut_checkpoint_is_refused() {
        for text in [
            "",
            "0\n",
            "1\n0\n",
            "0\n2\na 0 1\n",
            "0\n0\na 0 1\n",
            "0\nx\n",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
