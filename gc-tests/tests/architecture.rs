//! The structure of `gc-core` is what `docs/architecture.md` says: rooms, the order of their layers, and the imports that
//! run against it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The lines of a section of the document, from its heading to the next.
fn section(heading: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join("docs/architecture.md")).unwrap();
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    let section: Vec<_> = lines
        .take_while(|line| !line.starts_with('#'))
        .map(str::to_string)
        .collect();
    assert!(
        !section.is_empty(),
        "docs/architecture.md has no section `{heading}`"
    );
    section
}

/// The rows of the tables of a section: the text in backquotes in each of the first cells.
fn rows(heading: &str, cells: usize) -> Vec<Vec<String>> {
    let quoted = |cell: &str| {
        cell.split('`')
            .nth(1)
            .unwrap_or_default()
            .trim_end_matches('/')
            .to_string()
    };
    section(heading)
        .iter()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').skip(1).take(cells).map(quoted).collect())
        .collect()
}

/// The rooms, from the lowest layer to the highest.
fn rooms() -> Vec<String> {
    rows("## Layers", 1).into_iter().flatten().collect()
}

/// All source files below a folder, with their paths from it.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file without comments, and without its unit tests, which may use all of the crate.
fn product_code(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code.lines().map(|line| line.split("//").next().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that a piece of code names by `crate::`, as `room/module`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (start, prefix) in code.match_indices("crate::") {
        if code[..start].ends_with('$') {
            continue;
        }
        let rest = &code[start + prefix.len()..];
        let paths = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap().split(',').collect(),
            None => vec![rest],
        };
        for path in paths {
            let name = |text: &str| -> String {
                text.trim()
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect()
            };
            let mut segments = path.trim().split("::").map(name);
            let (room, module) = (
                segments.next().unwrap(),
                segments.next().unwrap_or_default(),
            );
            found.insert(format!("{room}/{module}"));
        }
    }
    found
}

#[test]
fn nothing_lies_loose_and_every_room_has_a_layer() {
    let mut here: Vec<_> = fs::read_dir(repository().join("gc-core/src"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "lib.rs")
        .collect();
    here.sort();
    let mut listed = rooms();
    listed.sort();
    assert_eq!(
        here, listed,
        "on the left gc-core/src, on the right docs/architecture.md"
    );
}

#[test]
fn imports_run_down_but_for_those_that_are_explained() {
    let rooms = rooms();
    let layer = |room: &str| rooms.iter().position(|name| name == room);
    let root = repository().join("gc-core/src");
    let mut upward = BTreeSet::new();
    let mut seen = 0;
    for file in sources(&root) {
        let place = file
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/");
        let Some((room, module)) = place.split_once('/') else {
            continue;
        };
        let from = layer(room).unwrap();
        let module = module.split('/').next().unwrap().trim_end_matches(".rs");
        for import in imports(&product_code(&fs::read_to_string(&file).unwrap())) {
            let to = import.split('/').next().unwrap();
            // Names of the crate itself, such as its macros, are in no room.
            let Some(to) = layer(to) else { continue };
            seen += 1;
            if to > from {
                upward.insert(vec![format!("{room}/{module}"), import]);
            }
        }
    }
    assert!(
        seen > 300,
        "only {seen} imports were found: the test does not read what it should"
    );
    let explained: BTreeSet<_> = rows("### Imports that run up", 2).into_iter().collect();
    assert_eq!(
        upward, explained,
        "on the left gc-core/src, on the right docs/architecture.md"
    );
    assert!(
        upward.len() <= 10,
        "{} imports run up: that is more than the layers bear",
        upward.len()
    );
}
