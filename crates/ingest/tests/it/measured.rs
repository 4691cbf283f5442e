//! Coverage, builds and sizes become rows of their run; a dry run shows the same rows and stores none.

use std::path::Path;

use manometer_ingest::{ContextFields, Listing, Part, RecordLines, records, reports};
use manometer_model::Limits;

use crate::support::{Bench, RECEIVED, junit, part};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new("../formats/tests/fixtures").join(name)).unwrap()
}

fn fixture_part(name: &str) -> Part {
    Part::from_memory(name, fixture(name))
}

#[test]
fn coverage_belongs_to_the_run_and_the_receipt_says_what_was_understood() {
    let bench = Bench::new();
    let said = [("run_id", "7"), ("branch", "main"), ("job_id", "9")];
    let taken = bench.upload(&said, vec![fixture_part("coverage/python/coverage.xml")]).unwrap();
    let file = &taken.files[0];
    assert_eq!((file.kind.as_str(), file.taken), ("cobertura", true));
    assert_eq!((file.packages, file.files, file.records), (2, 4, 7));
    assert_eq!((file.lines_covered, file.lines_valid), (13, 16));
    assert_eq!(bench.column("coverage", "run_id"), ["7"; 7]);
    assert_eq!(bench.column("coverage", "branch"), ["main"; 7]);
    assert_eq!(bench.column("coverage", "job_id"), ["9"; 7]);
    assert_eq!(bench.only("runs", "run_id"), "7");
}

#[test]
fn builds_and_artifacts_of_one_report_go_to_their_tables() {
    let bench = Bench::new();
    let taken = bench.upload(&[], vec![fixture_part("builds/webpack/stats.json")]).unwrap();
    assert_eq!((taken.files[0].builds, taken.files[0].artifacts), (1, 5));
    assert_eq!(bench.only("builds", "name"), "webpack");
    assert!(bench.column("artifacts", "name").contains(&"main.[hash].js".to_owned()));
    // The report tells when it was built; what does not is as old as its receipt.
    assert_eq!(bench.only("builds", "at"), "2026-11-21T10:18:24.245000Z");
}

#[test]
fn a_wheel_is_measured_and_not_searched_for_reports() {
    let bench = Bench::new();
    let wheel = "sizes/acme_shop-1.2.0-py3-none-any.whl";
    let taken = bench.upload(&[], vec![fixture_part(wheel)]).unwrap();
    assert_eq!(taken.files.len(), 1);
    assert_eq!((taken.files[0].kind.as_str(), taken.files[0].artifacts), ("wheel", 4));
    assert_eq!(
        bench.column("artifacts", "name"),
        ["acme_shop", "acme_shop", "acme_shop/acme_shop.dist-info", "acme_shop/shop"]
    );
    assert!(bench.column("artifacts", "size_bytes").contains(&fixture(wheel).len().to_string()));
}

#[test]
fn images_are_measured_by_layer_whichever_way_they_are_packed() {
    for (name, image, layers, sizes) in [
        ("docker-archive", "docker.io/acme/shop", 3_072 + 2_048 + 586, ["2048", "3072"]),
        ("oci-archive", "acme/shop", 291 + 235 + 586, ["235", "291"]),
    ] {
        let bench = Bench::new();
        let taken = bench.upload(&[], vec![fixture_part(&format!("sizes/{name}.tar"))]).unwrap();
        assert_eq!((taken.files[0].kind.as_str(), taken.files[0].artifacts), ("image", 3), "{name}");
        let expected = [image.to_owned(), format!("{image} layer 1"), format!("{image} layer 2")];
        assert_eq!(bench.column("artifacts", "name"), expected);
        assert_eq!(bench.column("artifacts", "kind"), ["image", "layer", "layer"]);
        let mut found = bench.column("artifacts", "size_bytes");
        found.retain(|size| *size != layers.to_string());
        assert_eq!(found, sizes, "{name}");
    }
}

#[test]
fn images_that_are_cut_or_scrambled_do_no_harm() {
    for name in ["docker-archive", "oci-archive"] {
        let whole = fixture(&format!("sizes/{name}.tar"));
        for cut in (0..whole.len()).step_by(173) {
            let bench = Bench::new();
            let content = whole.get(..cut).unwrap().to_vec();
            drop(bench.upload(&[], vec![Part::from_memory("cut.tar", content)]));
            let mut content = whole.clone();
            for byte in content.iter_mut().skip(cut).take(90) {
                *byte = byte.wrapping_mul(31).wrapping_add(7);
            }
            drop(bench.upload(&[], vec![Part::from_memory("scrambled.tar", content)]));
        }
    }
}

#[test]
fn a_tarball_of_anything_else_is_no_image() {
    let bench = Bench::new();
    let mut tar = fixture("sizes/oci-archive.tar");
    // Without its index it is some tarball.
    let at = tar.windows(10).position(|window| window == b"index.json").unwrap();
    tar.truncate(at);
    let refused = bench.upload(&[], vec![Part::from_memory("some.tar", tar)]).unwrap_err();
    assert!(refused.to_string().contains("could be read"), "{refused}");
}

#[test]
fn what_a_dry_run_shows_is_what_would_be_stored() {
    let parts = || {
        vec![
            part("a.xml", junit(&["adds", "removes"])),
            fixture_part("coverage/gcc/gcovr.json"),
            fixture_part("builds/webpack/stats.json"),
        ]
    };
    let said = [("run_id", "7"), ("branch", "main"), ("label.pool", "big")];
    let real = Bench::new();
    let taken = real.upload(&said, parts()).unwrap();

    let mut fields = ContextFields::new();
    fields.set("project", "github.com/acme/shop").unwrap();
    for (name, value) in said {
        fields.set(name, value).unwrap();
    }
    let mut lines = Vec::new();
    let mut sink = RecordLines::new(&mut lines);
    let shown = reports::dry_run(&fields, parts(), &Limits::default(), RECEIVED, &mut sink).unwrap();
    assert_eq!((shown.files, shown.problems), (taken.files, taken.problems));
    let rows: Vec<(String, u64)> =
        sink.rows().iter().map(|(table, count)| ((*table).to_owned(), *count)).collect();
    assert_eq!(rows, taken.outcome.receipt().rows.clone().into_iter().collect::<Vec<_>>());

    let copy = Bench::new();
    let read_back = records::prepare(
        &copy.store,
        Part::from_memory("shown.ndjson", lines),
        &copy.admission,
        &copy.limits,
        RECEIVED,
    )
    .unwrap()
    .commit_durable(&copy.store)
    .unwrap();
    assert_eq!(read_back.problems.total, 0, "{:?}", read_back.problems);
    for (table, columns) in [
        ("tests", &["name", "test_id", "status", "run_id", "at", "branch"][..]),
        ("coverage", &["scope", "name", "lines_covered", "branches_valid", "at"]),
        ("builds", &["name", "duration_seconds", "success", "at"]),
        ("artifacts", &["name", "kind", "size_bytes", "at"]),
        ("runs", &["run_id", "branch", "labels", "status", "conclusion", "started_at"]),
    ] {
        for column in columns {
            assert_eq!(copy.column(table, column), real.column(table, column), "{table}.{column}");
        }
    }
}

#[test]
fn files_and_folders_are_measured_where_they_lie() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("dist/assets");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(inner.join("a.js"), "12345").unwrap();
    std::fs::write(folder.path().join("dist/index.html"), "123").unwrap();
    std::os::unix::fs::symlink(folder.path(), inner.join("endless")).unwrap();
    std::fs::write(folder.path().join("broken.zip"), b"PK\x03\x04 and no more").unwrap();

    let mut listing = Listing::new();
    let limits = Limits::default();
    listing.add("dist", &folder.path().join("dist"), &limits).unwrap();
    listing.add("index", &folder.path().join("dist/index.html"), &limits).unwrap();
    listing.add("broken", &folder.path().join("broken.zip"), &limits).unwrap();
    let fixtures = Path::new("../formats/tests/fixtures/sizes");
    listing.add("wheel", &fixtures.join("acme_shop-1.2.0-py3-none-any.whl"), &limits).unwrap();
    listing.add("image", &fixtures.join("oci-archive.tar"), &limits).unwrap();
    assert!(listing.add("gone", &folder.path().join("gone"), &limits).is_err());
    assert_eq!(listing.problems.total, 1, "{:?}", listing.problems);

    let bench = Bench::new();
    let report = Part::from_memory("sizes", listing.to_report().unwrap());
    let taken = bench.upload(&[], vec![report]).unwrap();
    assert_eq!((taken.files[0].kind.as_str(), taken.files[0].artifacts), ("artifacts", 10));
    let named = |name: &str| bench.column("artifacts", "name").iter().filter(|known| *known == name).count();
    assert_eq!(["dist", "index", "broken", "acme_shop", "acme/shop layer 2"].map(named), [1, 1, 1, 2, 1]);
    let sizes = bench.column("artifacts", "size_bytes");
    assert!(["8", "3", "16"].iter().all(|size| sizes.contains(&(*size).to_owned())), "{sizes:?}");
}
