//! The most similar of several names, for error messages.

/// The minimum similarity, of Jaro and Winkler.
const ALIKE: f64 = 0.8;

/// The name of `known` that is most similar to `name`, ignoring case, if one is similar.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let scored = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&known.to_lowercase(), &name), known));
    scored
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_most_similar_name_is_found() {
        let known = ["orders", "orders-audit", "Payments"];
        assert_eq!(nearest("ordres", known), Some("orders"));
        assert_eq!(nearest("orders_audit", known), Some("orders-audit"));
        assert_eq!(nearest("payments", known), Some("Payments"));
        assert_eq!(nearest("flights", known), None);
        assert_eq!(nearest("", known), None);
    }
}
