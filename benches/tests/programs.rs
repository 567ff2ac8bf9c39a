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
    assert_eq!(outcomes.len(), names.len());
    for (name, outcome) in names.iter().zip(outcomes) {
        assert_eq!(outcome["name"], name.as_str());
        assert!(
            outcome["steps"]["count"].as_u64() > Some(0),
            "{name} made no step"
        );
        assert!(table.contains(name.as_str()), "{name} has no row");
        assert!(
            page.contains(&format!("<section id=\"{name}\">")),
            "{name} has no section"
        );
    }
    assert!(page.len() < 3 << 20);
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
fn wrong_arguments_are_told_in_a_sentence_with_exit_code_1() {
    let file = place("wrong").join("file");
    fs::write(&file, "").expect("a file can be written");
    let under_a_file = format!("--output={}", file.join("below").display());
    let cases: [(&str, &[&str], &str); 7] = [
        (
            PAUSES,
            &["--workload=none"],
            "there is no workload \"none\"; there are control,",
        ),
        (PAUSES, &["--scale=0"], "--scale 0 is out of range"),
        (PAUSES, &["--scale=NaN"], "--scale NaN is out of range"),
        (PAUSES, &["--nonsense"], "--nonsense"),
        (
            PAUSES,
            &["--quick", &under_a_file],
            "cannot make the directory",
        ),
        (RATIOS, &["--rounds=0"], "--rounds 0 measures nothing"),
        (RATIOS, &["--depth=60"], "--depth 60 is out of range"),
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
    ] {
        assert!(table.contains(expected), "no line about {expected}");
    }
    // The bounds hold for other sizes.
    assert!(!table.contains(" met ") && !table.contains(" missed "));
}
