//! A progress bar for long transfers, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};

/// Transfers below so many octets are over before a bar could be read.
const LONG: u64 = 1 << 20;

/// A bar for `octets`, or one that counts up if nobody knows how many there are. It draws on standard error,
/// and only if that is a terminal.
pub(crate) fn bar(octets: Option<u64>) -> ProgressBar {
    let (bar, template) = match octets {
        Some(octets) if octets < LONG => return ProgressBar::hidden(),
        Some(octets) => (ProgressBar::new(octets), "{bar:40} {binary_bytes}/{binary_total_bytes} {eta}"),
        None => (ProgressBar::no_length(), "{spinner} {binary_bytes} {binary_bytes_per_sec}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
