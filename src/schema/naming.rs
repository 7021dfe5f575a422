//! The names PostgreSQL gives to constraints and indexes that have none (`ChooseRelationName`, `ChooseIndexName`).

/// Longest identifier, in bytes (`NAMEDATALEN` - 1).
const MAX: usize = 63;

/// `name1_name2_label` cut to 63 bytes the way `makeObjectName` does: the longer of the first two parts loses first.
pub(super) fn object_name(name1: &str, name2: Option<&str>, label: &str) -> String {
    let overhead = label.len() + 1 + usize::from(name2.is_some());
    let available = MAX.saturating_sub(overhead);
    let (mut len1, mut len2) = (name1.len(), name2.map_or(0, str::len));
    while len1 + len2 > available {
        if len1 > len2 {
            len1 -= 1;
        } else {
            len2 -= 1;
        }
    }
    let mut out = clip(name1, len1).to_owned();
    if let Some(name2) = name2 {
        out.push('_');
        out.push_str(clip(name2, len2));
    }
    out.push('_');
    out.push_str(label);
    out
}

/// The first of `name`, `name1`, `name2`, … that is not taken.
pub(super) fn unique_name(
    name1: &str,
    name2: Option<&str>,
    label: &str,
    taken: impl Fn(&str) -> bool,
) -> String {
    let mut name = object_name(name1, name2, label);
    let mut pass = 0;
    while taken(&name) {
        pass += 1;
        name = object_name(name1, name2, &format!("{label}{pass}"));
    }
    name
}

/// Column names joined for an index name (`ChooseIndexNameAddition`): `a_b_c`. It stops once it is long enough; what is
/// too long is cut with the table's name.
pub(super) fn joined<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for column in columns {
        if !out.is_empty() {
            out.push('_');
        }
        out.push_str(column);
        if out.len() > MAX {
            break;
        }
    }
    out
}

/// The first `len` bytes, or fewer so that no character is cut.
fn clip(text: &str, mut len: usize) -> &str {
    len = len.min(text.len());
    while !text.is_char_boundary(len) {
        len -= 1;
    }
    &text[..len]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_built_and_cut_as_postgresql_does() {
        assert_eq!(
            object_name("orders", Some("user_id"), "fkey"),
            "orders_user_id_fkey"
        );
        assert_eq!(object_name("orders", None, "pkey"), "orders_pkey");
        let long = "a".repeat(60);
        let name = object_name(&long, Some("user_id"), "fkey");
        assert_eq!(name.len(), 63);
        assert!(name.ends_with("_user_id_fkey"));
        let taken = ["t_a_key", "t_a_key1"];
        assert_eq!(
            unique_name("t", Some("a"), "key", |name| taken.contains(&name)),
            "t_a_key2"
        );
        assert_eq!(joined(["a", "b"].into_iter()), "a_b");
    }
}
