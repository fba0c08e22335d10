//! What was probably meant.

/// The candidate most like `given`, if any is like it at all: alike from the beginning, or one slip of the keyboard away.
pub fn nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_ascii_lowercase();
    let slip = |name: &str| name.len() > 2 && name.len() <= given.len() + 1 && strsim::osa_distance(&given, name) <= 1;
    let score = |name: &str| strsim::jaro_winkler(&given, name).max(if slip(name) { 0.9 } else { 0.0 });
    let scored = candidates.into_iter().map(|name| (score(&name.to_ascii_lowercase()), name));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}
