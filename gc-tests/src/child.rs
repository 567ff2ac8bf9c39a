//! Tests that need a process of their own, because they may end or hang it, or change what all of it has; and tests
//! that may wait for ever.

use std::panic::resume_unwind;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Set in a child, to the test and the commands before it.
const CHILD: &str = "GC_TESTS_CHILD";

/// Runs the test of that name (`module::function`) again in a process of its own, and there `body`. What the child
/// wrote to its error output is returned; in the child there is nothing to return.
///
/// # Panics
///
/// If the child fails, however it does.
#[track_caller]
pub fn in_child(test: &str, body: impl FnOnce()) -> Option<String> {
    in_child_after(":", test, body)
}

/// The same after a command of the shell, such as one that limits what the child may have. A test may have several
/// children that differ in it.
///
/// # Panics
///
/// If the child fails, however it does.
#[track_caller]
pub fn in_child_after(command: &str, test: &str, body: impl FnOnce()) -> Option<String> {
    let this = format!("{command} && {test}");
    if let Ok(wanted) = std::env::var(CHILD) {
        if wanted == this {
            body();
        }
        return None;
    }
    let program = std::env::current_exe().unwrap();
    let arguments = [
        "--exact",
        test,
        "--nocapture",
        "--include-ignored",
        "--test-threads=1",
    ];
    let child = Command::new("sh")
        .args(["-c", &format!("{command} && exec \"$0\" \"$@\"")])
        .arg(&program)
        .args(arguments)
        .env(CHILD, &this)
        .output()
        .unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr),
    );
    assert!(
        child.status.success() && out.contains("1 passed"),
        "the child of {test} ended with {}. To repeat it: {CHILD}={this:?} sh -c '{command} && {} {}'\n{out}\n{err}",
        child.status,
        program.display(),
        arguments.join(" "),
    );
    Some(err.into_owned())
}

/// Longer than anything takes that does not wait for ever.
pub const LONG: Duration = Duration::from_secs(60);

/// Calls `f` on another thread.
///
/// # Panics
///
/// If `f` does, or does not return: so a test whose threads wait for each other fails, and does not hang.
pub fn in_time(f: impl FnOnce() + Send + 'static) {
    let (tell, told) = channel();
    let thread = thread::spawn(move || {
        f();
        _ = tell.send(());
    });
    match told.recv_timeout(LONG) {
        Err(RecvTimeoutError::Timeout) => panic!("threads wait for each other"),
        _ => thread
            .join()
            .unwrap_or_else(|payload| resume_unwind(payload)),
    }
}
