//! Which files an overlay of the project can read, by what its texts say; rather some more than one too few.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::jsonnet;
use super::library::{Overlay, resolved};
use tree::Sources;

/// The functions with which expressions open files whose names they compute.
const OPENERS: [&str; 2] = ["file(", "has_file("];

/// The project's files by path.
#[derive(Debug)]
pub struct Files<'s> {
    texts: BTreeMap<&'s str, &'s str>,
    /// The folder of overlays, with a `/` at the end.
    overlays: String,
}

impl<'s> Files<'s> {
    /// Those of a run whose overlays are in this folder.
    #[must_use]
    pub fn of(sources: &'s Sources, overlays: &str) -> Self {
        let own = sources.iter().filter(|(_, source)| !source.is_embedded());
        Self { texts: own.map(|(_, source)| (&*source.path, &*source.text)).collect(), overlays: format!("{overlays}/") }
    }

    /// The text of a file below the overlays that a value is the path of.
    #[must_use]
    pub fn named(&self, path: &str) -> Option<&'s str> {
        self.texts.get(path).filter(|_| path.starts_with(&self.overlays)).copied()
    }

    /// The files whose paths begin with `folder`, in order.
    pub fn below<'f>(&'f self, folder: &'f str) -> impl Iterator<Item = (&'s str, &'s str)> {
        let from = self.texts.range::<str, _>((Bound::Included(folder), Bound::Unbounded));
        from.take_while(move |(path, _)| path.starts_with(folder)).map(|(path, text)| (*path, *text))
    }

    /// The files that an overlay of the project can read, in order; a path at which nothing stands has no text.
    ///
    /// That is its folder, what its `overlay.yaml` names, and what programs among these import; and everything below the overlays
    /// when one of them opens files by names that it computes.
    #[must_use]
    pub fn reached(&self, overlay: &Overlay) -> BTreeMap<String, Option<&'s str>> {
        let (mut reached, mut all) = (BTreeMap::new(), false);
        let mut open: Vec<String> = self.below(&overlay.folder).map(|(path, _)| path.to_owned()).collect();
        let named = overlay.named().filter_map(|path| resolved(overlay.name(), path));
        open.extend(named.map(|path| format!("{}{path}", self.overlays)));
        while let Some(path) = open.pop() {
            if reached.contains_key(&path) {
                continue;
            }
            let text = self.texts.get(&*path).copied();
            if let Some(text) = text {
                // What is no program imports nothing.
                open.extend(jsonnet::imports(&path, text).unwrap_or_default());
                if !all && OPENERS.iter().any(|opener| text.contains(opener)) {
                    all = true;
                    open.extend(self.below(&self.overlays).map(|(path, _)| path.to_owned()));
                }
            }
            reached.insert(path, text);
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overlay::library;

    /// What a stock overlay opens has to be named in full by an option, because that is where others look for such files.
    #[test]
    fn stock_overlays_open_what_options_name() {
        let mut sources = Sources::default();
        library::embed(&mut sources);
        let known = ["item.path", "manifest.path", "key.file", "options.coreFile"];
        let mut found = 0;
        for (_, source) in sources.iter() {
            for (at, _) in source.text.match_indices("file(") {
                let argument = source.text[at + 5..].split([')', ',']).next().unwrap();
                assert!(known.contains(&argument), "{}: file({argument})", source.path);
                found += 1;
            }
        }
        assert!(found >= known.len());
    }
}
