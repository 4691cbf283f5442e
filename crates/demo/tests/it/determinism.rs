//! The same options give the same stream.

use std::hash::{DefaultHasher, Hash, Hasher};

use manometer_demo::{DemoOptions, Organisation};

use crate::support::{present, small_options};

fn fingerprint(options: DemoOptions) -> u64 {
    let mut hasher = DefaultHasher::new();
    for upload in Organisation::new(options).unwrap().uploads() {
        upload.key.hash(&mut hasher);
        upload.at.hash(&mut hasher);
        format!("{:?}", upload.records).hash(&mut hasher);
        upload.for_each_test(|test| format!("{test:?}").hash(&mut hasher));
    }
    hasher.finish()
}

#[test]
fn the_same_options_give_the_same_stream_to_the_last_byte() {
    let options = DemoOptions { tests_total: 30_000, ..small_options() };
    assert_eq!(fingerprint(options), fingerprint(options));
}

#[test]
fn another_seed_gives_another_stream_with_the_same_facts() {
    let options = DemoOptions { tests_total: 10_000, ..small_options() };
    let other = DemoOptions { seed: 2, ..options };
    assert_ne!(fingerprint(options), fingerprint(other));
    let (first, second) = (Organisation::new(options).unwrap(), Organisation::new(other).unwrap());
    assert_eq!(first.planted().pool_shortage, second.planted().pool_shortage);
    assert_ne!(first.planted().added_step.sha, second.planted().added_step.sha);
}

#[test]
fn an_organisation_can_be_walked_through_twice() {
    let options =
        DemoOptions { tests_total: 5_000, days: 10, services: 3, ..DemoOptions::ending_at(present()) };
    let organisation = Organisation::new(options).unwrap();
    let keys = || organisation.uploads().map(|upload| upload.key).collect::<Vec<_>>();
    assert_eq!(keys(), keys());
}

#[test]
fn a_visit_that_fails_ends_the_visits() {
    let organisation = Organisation::new(small_options()).unwrap();
    let upload = organisation.uploads().find(|upload| upload.tests() > 5).unwrap();
    let mut visited = 0;
    let ended = upload.try_for_each_test(|_| {
        visited += 1;
        if visited == 3 { Err("enough") } else { Ok(()) }
    });
    assert_eq!((ended, visited), (Err("enough"), 3));
}
