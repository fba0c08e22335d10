//! Case files: a head, and sections between lines such as `-- netloom.yaml --`.

/// The head, and each section with its name, in order.
pub(crate) fn parse(text: &str) -> (&str, Vec<(&str, &str)>) {
    let (mut sections, mut name, mut start, mut at) = (Vec::new(), "", 0, 0);
    for line in text.split_inclusive('\n') {
        if let Some(next) = line.strip_prefix("-- ").and_then(|line| line.trim_end().strip_suffix(" --")) {
            sections.push((name, &text[start..at]));
            (name, start) = (next, at + line.len());
        }
        at += line.len();
    }
    sections.push((name, &text[start..]));
    let head = sections.remove(0).1;
    (head, sections)
}
