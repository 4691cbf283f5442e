//! Python, for the bytes that real clients write.

use std::process::{Command, Stdio};

/// What a script writes, where Python has `modules`. `None`, after saying so, where it has not; with `CI` set that is
/// a failure. `MANOMETER_TEST_PYTHON` names the Python to use.
pub(crate) fn output(script: &str, modules: &str) -> Option<Vec<u8>> {
    let python = std::env::var("MANOMETER_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let probe = format!("import {modules}");
    let found = Command::new(&python).args(["-c", &probe]).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        let why =
            format!("{python} has no {modules}: install them, or name a Python in MANOMETER_TEST_PYTHON");
        assert!(std::env::var_os("CI").is_none(), "{why}");
        println!("skipped: {why}");
        return None;
    }
    let output = Command::new(python).args(["-c", script]).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "the script failed: {}", output.status);
    Some(output.stdout)
}
