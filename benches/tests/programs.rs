//! The programs as somebody uses them: short runs, and answers to wrong arguments.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PAUSES: &str = env!("CARGO_BIN_EXE_pauses");
const RATIOS: &str = env!("CARGO_BIN_EXE_ratios");

fn run(program: &str, arguments: &[&str]) -> Output {
    Command::new(program)
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program prints UTF-8")
}

/// A place for the files of one test.
fn place(name: &str) -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&place).expect("the directory for temporary files can be written");
    place
}

fn names() -> Vec<String> {
    let list = run(PAUSES, &["--list"]);
    assert!(list.status.success());
    let names = text(&list.stdout);
    names
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_workload_comes_to_its_end_and_has_a_row_and_a_section() {
    let place = place("pauses");
    let json = place.join("figures.json");
    let output = run(
        PAUSES,
        &[
            "--quick",
            "--peers",
            "--scale=0.1",
            &format!("--output={}", place.display()),
            &format!("--json={}", json.display()),
        ],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));

    let (table, names) = (text(&output.stdout), names());
    let page = fs::read_to_string(place.join("report.html")).expect("there is a report");
    let json = fs::read_to_string(json).expect("there is a file of figures");
    let figures: serde_json::Value = serde_json::from_str(&json).expect("the figures are JSON");
    let outcomes = figures["outcomes"].as_array().expect("there are outcomes");
    // A workload has several rows where it runs in several modes.
    let mut workloads: Vec<_> = outcomes.iter().map(|row| &row["workload"]).collect();
    workloads.dedup();
    assert_eq!(workloads, names.iter().collect::<Vec<_>>());
    for outcome in outcomes {
        let name = outcome["name"].as_str().expect("a row has a name");
        assert!(
            outcome["steps"]["count"].as_u64() > Some(0),
            "{name} made no step"
        );
        assert!(table.contains(name), "{name} has no row");
        assert!(
            page.contains(&format!("<h2>{name}</h2>")),
            "{name} has no section"
        );
    }
    let anchors = page.match_indices("<section id=\"").map(|(start, text)| {
        let rest = &page[start + text.len()..];
        &rest[..rest.find('"').expect("the attribute ends")]
    });
    for anchor in anchors {
        assert!(!anchor.contains(char::is_whitespace));
        assert!(page.contains(&format!("<a href=\"#{anchor}\">")));
    }
    // Judging is left to the reader, and to `ratios`.
    assert!(!table.contains(" met ") && !table.contains(" missed "));
    assert!(page.len() < 4 << 20);

    let is_path = |line: &&str| line.starts_with("figures: ") || line.starts_with("report: ");
    for line in table.lines().filter(|line| !is_path(line)) {
        assert!(line.chars().count() <= 100, "too wide: {line}");
    }
}

#[test]
fn one_workload_can_be_asked_for() {
    let place = place("one");
    let output = format!("--output={}", place.display());
    let output = run(
        PAUSES,
        &["--quick", "--scale=0.1", "--workload=control", &output],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.contains("control") && !table.contains("large-heap"));
}

#[test]
fn peers_have_rows_only_if_somebody_asks() {
    let place = place("peers");
    let output = format!("--output={}", place.display());
    let quick = ["--quick", "--scale=0.001", &output];
    let table = |arguments: &[&str]| {
        let output = run(PAUSES, &[&quick, arguments].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(!table(&[]).contains("gc-arena"));
    assert!(table(&["--peers"]).contains("binary-trees (gc-arena)"));
    let one = table(&["--workload=binary-trees-mimalloc"]);
    assert!(one.contains("binary-trees (mimalloc)") && !one.contains("gc-arena"));
}

#[test]
fn modes_and_sizes_of_the_large_heap_can_be_asked_for() {
    let place = place("modes");
    let json = place.join("figures.json");
    let output = run(
        PAUSES,
        &[
            "--quick",
            "--scale=0.1",
            "--workload=large-heap",
            "--workload=large-heap-cells",
            "--mode=incremental",
            "--mode=concurrent",
            "--live=0.02",
            "--live=0.03",
            &format!("--output={}", place.display()),
            &format!("--json={}", json.display()),
        ],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json = fs::read_to_string(json).expect("there is a file of figures");
    let figures: serde_json::Value = serde_json::from_str(&json).expect("the figures are JSON");
    let outcomes = figures["outcomes"].as_array().expect("there are outcomes");
    let names: Vec<_> = outcomes.iter().map(|row| row["name"].as_str()).collect();
    let expected = [
        "large-heap (incremental, 0.02 GiB)",
        "large-heap (incremental, 0.03 GiB)",
        "large-heap (concurrent, 0.02 GiB)",
        "large-heap (concurrent, 0.03 GiB)",
        "large-heap (cells, incremental, 0.02 GiB)",
        "large-heap (cells, incremental, 0.03 GiB)",
        "large-heap (cells, concurrent, 0.02 GiB)",
        "large-heap (cells, concurrent, 0.03 GiB)",
    ];
    assert_eq!(names, expected.map(Some));
    for outcome in outcomes {
        let asked = outcome["live_asked"]
            .as_f64()
            .expect("a size was asked for")
            * 2f64.powi(30);
        let live = outcome["live"].as_f64().expect("the program knows");
        assert!((live / asked - 1.0).abs() < 0.03, "{live} of {asked} bytes");
        let building = &outcome["building"]["steps"]["count"];
        assert!(building.as_u64() > Some(0), "nothing was built");
    }
}

#[test]
fn wrong_arguments_are_told_in_a_sentence_with_exit_code_1() {
    let file = place("wrong").join("file");
    fs::write(&file, "").expect("a file can be written");
    let under_a_file = format!("--output={}", file.join("below").display());
    let cases: [(&str, &[&str], &str); 12] = [
        (
            PAUSES,
            &["--workload=none"],
            "there is no workload \"none\"; there are control,",
        ),
        (PAUSES, &["--scale=0"], "--scale 0 is out of range"),
        (PAUSES, &["--scale=NaN"], "--scale NaN is out of range"),
        (PAUSES, &["--live=0"], "--live 0 is out of range"),
        (
            PAUSES,
            &["--live=1", "--live=99"],
            "--live 99 is out of range",
        ),
        (
            PAUSES,
            &["--mode=sometimes"],
            "stop-the-world, incremental, concurrent",
        ),
        (PAUSES, &["--nonsense"], "--nonsense"),
        (
            PAUSES,
            &["--quick", &under_a_file],
            "cannot make the directory",
        ),
        (RATIOS, &["--rounds=0"], "--rounds 0 measures nothing"),
        (RATIOS, &["--depth=60"], "--depth 60 is out of range"),
        (RATIOS, &["--live=99"], "--live 99 is out of range"),
        (RATIOS, &["--scale=0"], "--scale 0 is out of range"),
    ];
    for (program, arguments, told) in cases {
        let output = run(program, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let errors = text(&output.stderr);
        assert!(errors.contains(told), "{arguments:?} gave: {errors}");
        assert!(!errors.contains("panicked"), "{arguments:?} gave: {errors}");
    }
}

#[test]
fn the_mode_of_programs_with_owners_can_be_asked_for() {
    for mode in ["stop-the-world", "incremental", "concurrent"] {
        let mode = format!("--mode={mode}");
        let output = run(RATIOS, &["--quick", "--only=owners", &mode]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let table = text(&output.stdout);
        assert!(table.contains("live map: speed") && !table.contains("mimalloc"));
        let errors = text(&output.stderr);
        assert!(!errors.contains("panicked"), "{mode}: {errors}");
    }
}

#[test]
fn the_ratios_of_a_quick_run_are_all_there_and_judge_nothing() {
    let output = run(RATIOS, &["--quick"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    for expected in [
        "mimalloc",
        "bumpalo",
        "random graph",
        "two-pointer node",
        "peak resident",
        "random graph of 0.2 M: speed-up, 1 → 2 threads",
        "one list of 0.2 M: 2 threads / 1",
        "barriered store - plain store",
        "coroutines: speed, gc-core / gc-arena",
        "peak resident: gc-core",
        "large heap, concurrent: collections that ended",
        "longest step / control's with a busy neighbour",
    ] {
        assert!(table.contains(expected), "no line about {expected}");
    }
    // The bounds hold for other sizes.
    assert!(!table.contains(" met ") && !table.contains(" missed "));
}
