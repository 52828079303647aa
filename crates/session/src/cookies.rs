//! Cookies of the edge's own, which no backend may see or change.

/// Whether a key is one of these. As clients have it, a key without a namespace is one of `minecraft`.
#[must_use]
pub fn is_reserved(reserved: &[String], key: &str) -> bool {
    let asked = in_full(key);
    reserved.iter().any(|reserved| in_full(reserved) == asked)
}

fn in_full(key: &str) -> (&str, &str) {
    match key.split_once(':') {
        Some(("", path)) => ("minecraft", path),
        Some(parts) => parts,
        None => ("minecraft", key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_reserved_in_each_form_that_clients_take_it_in() {
        let own = ["minecraft:session".to_owned(), "edge:session".to_owned()];
        for key in ["minecraft:session", "session", ":session", "edge:session"] {
            assert!(is_reserved(&own, key), "{key}");
        }
        for key in ["minecraft:sessions", "edge", "other:session", "", ":", "edge:session:", "session:edge"] {
            assert!(!is_reserved(&own, key), "{key}");
        }
    }
}
