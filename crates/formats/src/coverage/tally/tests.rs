//! What the tally makes of what readers tell it.

use super::*;

fn tally() -> Tally {
    Tally::new(&Limits::default())
}

fn rows(tally: Tally) -> (Vec<String>, Summary) {
    let mut rows = Vec::new();
    let summary = tally.finish(&mut |row: &Measured<'_>| {
        if let Measured::Coverage(CoverageRow { scope, counts }) = row {
            let show = |share: Option<Share>| {
                share.map_or("-".to_owned(), |share| format!("{}/{}", share.covered, share.valid))
            };
            let name = scope.name().unwrap_or_default();
            rows.push(format!(
                "{} {name} {} {} {}",
                scope.as_str(),
                show(counts.lines),
                show(counts.branches),
                show(counts.functions)
            ));
        }
        ControlFlow::Continue(())
    });
    (rows, summary)
}

#[test]
fn what_was_executed_once_was_executed() {
    let mut tally = tally();
    let package = tally.package("shop");
    let cart = tally.file("cart.py", Some(package));
    for (line, is_covered) in [(1, true), (2, false), (64, false), (2, true), (1, false)] {
        tally.line(cart, line, is_covered);
    }
    tally.branches(cart, 2, 1, 2);
    tally.branches(cart, 2, 0, 2);
    let again = tally.file("./cart.py", None);
    assert_eq!(again, cart);
    tally.file("empty.py", None);
    let (rows, summary) = rows(tally);
    assert_eq!(
        rows,
        ["total  2/3 1/2 -", "package shop 2/3 1/2 -", "file cart.py 2/3 1/2 -", "file empty.py 0/0 0/0 -"]
    );
    assert_eq!((summary.packages, summary.files), (1, 2));
}

#[test]
fn a_total_that_the_files_contradict_is_a_problem() {
    let mut tally = tally();
    let file = tally.file("a", None);
    tally.line(file, 1, true);
    tally.stated_total(Counts { lines: Some(Share { covered: 2, valid: 3 }), ..Counts::default() });
    let (rows, summary) = rows(tally);
    assert_eq!(rows.first().unwrap(), "total  1/1 - -");
    assert_eq!(
        summary.problems.first[0].to_string(),
        "lines: the report states 2 of 3 for the whole, its files make 1 of 1: the files count"
    );
}

#[test]
fn a_stated_total_stands_where_there_are_no_files() {
    let mut tally = tally();
    tally.stated_total(Counts { lines: Some(Share { covered: 2, valid: 3 }), ..Counts::default() });
    assert_eq!(rows(tally).0, ["total  2/3 - -"]);
}

#[test]
fn memory_has_an_end() {
    let mut tally = tally();
    let file = tally.file("a", None);
    let mut line = 0_u32;
    while !tally.is_full() {
        tally.line(file, line, true);
        line = line.wrapping_add(64);
    }
    let (rows, summary) = rows(tally);
    assert!(summary.truncated);
    assert_eq!(rows.len(), 1);
}

#[test]
fn half_a_report_has_no_total_but_the_stated_one() {
    for (stated, expected) in
        [(None, vec!["file a 1/1 - -"]), (Some(9), vec!["total  3/9 - -", "file a 1/1 - -"])]
    {
        let mut tally = tally();
        for name in ["a", "b"] {
            tally.begin_part();
            let package = tally.package("p");
            let file = tally.file(name, Some(package));
            tally.line(file, 1, true);
            if name == "a" {
                tally.end_part();
            }
        }
        tally.stated_total(Counts { lines: Share::of(stated.map(|_| 3), stated), ..Counts::default() });
        tally.ended_early(Problem::new("the file ends too early"));
        let (rows, summary) = rows(tally);
        assert_eq!(rows, expected);
        assert_eq!((summary.files, summary.packages, summary.truncated), (1, 0, true));
    }
}

#[test]
fn paths_of_windows_are_written_as_everywhere() {
    for (written, read) in [
        (r"C:\src\shop\cart.cs", "C:/src/shop/cart.cs"),
        (r"shop\cart.py", "shop/cart.py"),
        (r"C:\src/shop\cart.cs", "C:/src/shop/cart.cs"),
        (r"shop/odd\name.py", r"shop/odd\name.py"),
        ("./src/a.rs", "src/a.rs"),
        ("/src/a.rs", "/src/a.rs"),
    ] {
        assert_eq!(portable_path(written), read);
    }
}
