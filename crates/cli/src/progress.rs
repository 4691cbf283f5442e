//! Progress for people: bars and spinners on a terminal, nothing elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A spinner with a message; invisible when standard error is not a terminal.
pub(crate) fn spinner(message: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(message);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A bar over `total` units of `what`; invisible when standard error is not a terminal.
pub(crate) fn bar(total: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let template =
        format!("{{bar:40.cyan/blue}} {{human_pos}} of {{human_len}} {what}  {{per_sec}}  {{eta}} left");
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    bar
}

/// The length of a bar of [`share`].
pub(crate) const WHOLE: u64 = 1_000;

/// A bar over a share of 1, counted in [`WHOLE`] parts, with a name before it and a message behind; invisible when
/// standard error is not a terminal.
pub(crate) fn share(name: &str) -> ProgressBar {
    let bar = ProgressBar::new(WHOLE).with_prefix(name.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{prefix}  {bar:30.cyan/blue} {percent:>3} %  {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
