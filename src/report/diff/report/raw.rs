//! Plain unified text, file by file.

use similar::TextDiff;

use crate::diff::File;
use findings::inert;

/// The files' differences as `diff -u` has them, below the output folder.
#[must_use]
pub fn render(files: &[File], output: &str) -> String {
    let mut out = String::new();
    for file in files {
        let name = |side: &str, there: bool| match there {
            true => format!("{side}/{output}/{}", file.path),
            false => "/dev/null".to_owned(),
        };
        let (before, after) = (file.before.as_deref().unwrap_or_default(), file.after.as_deref().unwrap_or_default());
        let (old, new) = (name("a", file.before.is_some()), name("b", file.after.is_some()));
        let text = TextDiff::from_lines(before, after).unified_diff().header(&old, &new).to_string();
        text.lines().for_each(|line| out.extend([&*inert::line(line), "\n"]));
    }
    out
}
