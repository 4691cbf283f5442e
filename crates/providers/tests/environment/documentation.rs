//! `docs/ENVIRONMENTS.md` names every variable that is read and every system.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The string literals of the sources that look like variables.
fn variables_read() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("crates/providers/src/environment")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for literal in code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(|line| line.split('"').skip(1).step_by(2))
        {
            let is_name = literal.len() > 1
                && literal.contains(|letter: char| letter.is_ascii_uppercase())
                && literal.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let is_variable = literal.starts_with("ghprb")
                || literal == "CI"
                || literal.contains('_') && !literal.contains(|letter: char| letter.is_ascii_lowercase());
            if is_name && is_variable {
                found.insert(literal.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_variable_is_documented() {
    let page = std::fs::read_to_string(root().join("docs/ENVIRONMENTS.md")).unwrap();
    let variables = variables_read();
    assert!(variables.len() > 200, "the search finds them: {}", variables.len());
    let missing: Vec<&String> = variables
        .iter()
        .filter(|name| !['`', '='].iter().any(|end| page.contains(&format!("`{name}{end}"))))
        .collect();
    assert!(missing.is_empty(), "docs/ENVIRONMENTS.md does not name {missing:?}");
}
