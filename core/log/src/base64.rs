//! UUIDs in Kafka's format: URL-safe base64 without padding, 22 characters.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes 16 bytes.
pub(crate) fn encode(bytes: [u8; 16]) -> String {
    let number = u128::from_be_bytes(bytes);
    // 21 characters of 6 bits hold 126 bits; the last character holds the remaining 2, then four zero bits.
    let character = |index: u32| {
        let bits = if index < 21 {
            number >> (122 - 6 * index)
        } else {
            number << 4
        };
        char::from(ALPHABET[(bits & 63) as usize])
    };
    (0..22).map(character).collect()
}

/// Decodes 16 bytes.
pub(crate) fn decode(text: &str) -> Option<[u8; 16]> {
    if text.len() != 22 {
        return None;
    }
    let mut number: u128 = 0;
    for (index, character) in text.bytes().enumerate() {
        let bits = ALPHABET.iter().position(|letter| *letter == character)? as u128;
        if index < 21 {
            number = number << 6 | bits;
        } else {
            if bits & 15 != 0 {
                return None;
            }
            number = number << 2 | bits >> 4;
        }
    }
    Some(number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_known_id_has_its_known_text() {
        // Kafka's id of the cluster metadata topic, and an id encoded with Python's base64 module.
        assert_eq!(encode(1_u128.to_be_bytes()), "AAAAAAAAAAAAAAAAAAAAAQ");
        let bytes = *b"\xfb\xff\xfe0123456789abc";
        assert_eq!(encode(bytes), "-__-MDEyMzQ1Njc4OWFiYw");
    }

    proptest! {
        #[test]
        fn an_id_comes_back(bytes: [u8; 16]) {
            prop_assert_eq!(decode(&encode(bytes)), Some(bytes));
        }

        #[test]
        fn no_text_panics(text in "[-_A-Za-z0-9=/é]{0,24}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(bytes), text);
            }
        }
    }
}
