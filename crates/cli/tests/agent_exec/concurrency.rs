//! Many at once.

use std::collections::BTreeSet;
use std::process::Stdio;

use crate::place::Place;

const RUNS: usize = 1_000;

#[test]
fn a_thousand_at_once_write_a_thousand_whole_records() {
    let place = Place::new();
    let children: Vec<_> = (0..RUNS)
        .map(|number| {
            place
                .manometer(&["exec", "-q", "--name", &format!("run {number}"), "--", "true"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let records = place.records();
    let distinct = |field: &str| -> usize {
        records.iter().map(|record| record[field].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>().len()
    };
    assert_eq!((records.len(), distinct("run_id"), distinct("operation")), (RUNS, RUNS, RUNS));
}
