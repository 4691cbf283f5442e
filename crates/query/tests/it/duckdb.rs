//! DuckDB, asked the same over the same numbers.

use std::io::Write;
use std::process::{Command, Stdio};

/// Reads numbers, one a line, and prints the answer to the SQL over them, one cell a line.
const PROGRAM: &str = "
import sys
import duckdb
connection = duckdb.connect()
connection.execute('CREATE TABLE numbers (name VARCHAR, value DOUBLE)')
rows = [line.split() for line in sys.stdin]
connection.executemany('INSERT INTO numbers VALUES (?, ?)', [(name, float(value)) for name, value in rows])
for row in connection.execute(sys.argv[1]).fetchall():
    for cell in row:
        print(repr(cell))
";

/// The answer over a table `numbers` of a name and a value; `None`, said aloud, where there is no DuckDB.
pub(crate) fn ask(numbers: &[(String, f64)], sql: &str) -> Option<Vec<f64>> {
    let Some(python) = std::env::var_os("MANOMETER_TEST_PYTHON") else {
        println!("skipped: no Python with DuckDB (MANOMETER_TEST_PYTHON names no interpreter)");
        return None;
    };
    let has_duckdb =
        Command::new(&python).args(["-c", "import duckdb"]).stderr(Stdio::null()).status().unwrap();
    if !has_duckdb.success() {
        println!("skipped: the Python of MANOMETER_TEST_PYTHON has no module duckdb");
        return None;
    }
    let mut child = Command::new(&python)
        .args(["-c", PROGRAM, sql])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: String = numbers.iter().map(|(name, value)| format!("{name} {value:?}\n")).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "DuckDB failed on {sql}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(|cell| cell.parse().unwrap()).collect())
}
