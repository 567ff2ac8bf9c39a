//! How much time the processors have spent on this process.
//!
//! The kernel's account (`/proc/self/stat`) of all threads, those included that have ended, in ticks of ten
//! milliseconds. It holds what the system did for the process, such as clearing pages. `None` where the system has no
//! such file.

use std::fs;
use std::time::Duration;

/// Linux tells programs its times in such ticks, whatever it counts in itself.
const TICK: Duration = Duration::from_millis(10);

/// What all threads of this process have used until now.
pub fn time() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may hold anything.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    let (user, system) = (ticks()?, ticks()?);
    Some(TICK * (user + system))
}
