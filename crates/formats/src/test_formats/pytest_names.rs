//! How pytest names tests, and the same in its JUnit XML: suite `pytest`, class name, name.

use crate::test_report::case::Case;
use crate::test_report::texts;

/// The suite of every test of pytest.
pub(super) const SUITE: &str = "pytest";

/// Splits a node id (`tests/test_cart.py::TestCart::test_adds[eur]`) into the class name and name that pytest writes
/// into JUnit XML (`tests.test_cart.TestCart`, `test_adds[eur]`), and the file.
pub(super) fn name_case(case: &mut Case, node_id: &str, limit: usize) {
    // Parameters may hold `::` as well.
    let parameters = node_id.find('[').unwrap_or(node_id.len());
    let (path, parameters) = node_id.split_at_checked(parameters).unwrap_or((node_id, ""));
    let mut parts: Vec<&str> = path.split("::").filter(|part| *part != "()").collect();
    let name = parts.pop().unwrap_or_default();
    let mut classname = String::new();
    for (position, part) in parts.iter().enumerate() {
        if position == 0 {
            texts::append(&mut case.file, part, limit);
            let module = part.strip_suffix(".py").unwrap_or(part);
            classname.push_str(&module.replace('/', "."));
        } else {
            classname.push('.');
            classname.push_str(part);
        }
    }
    texts::append(&mut case.classname, &classname, limit);
    for part in [name, parameters] {
        texts::append(&mut case.name, part, limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_id_is_named_as_in_junit_xml() {
        for (node_id, classname, name, file) in [
            (
                "tests/test_cart.py::TestCart::test_adds[a::b]",
                "tests.test_cart.TestCart",
                "test_adds[a::b]",
                "tests/test_cart.py",
            ),
            ("test_cart.py::test_adds", "test_cart", "test_adds", "test_cart.py"),
            ("test_cart.py", "", "test_cart.py", ""),
            ("", "", "", ""),
        ] {
            let mut case = Case::default();
            name_case(&mut case, node_id, 100);
            assert_eq!(
                (case.classname.as_str(), case.name.as_str(), case.file.as_str()),
                (classname, name, file)
            );
        }
    }
}
