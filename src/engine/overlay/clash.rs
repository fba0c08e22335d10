//! Overlays of equal standing that set one field to different values.
//!
//! Later overlays win, and a layer of fewer clusters overrides one of more on purpose. But between overlays that stand in one list,
//! apply to the clusters of one selector, or are built on by one overlay, the order of names alone decides.

use indexmap::IndexMap;

use super::{Origin, Selected};
use findings::{Diagnostic, rules};
use model::declare::Stack;
use schema::{Object, show_object};
use tree::{FileId, Node, Sources, Value};

/// Overlays by the files with their patches.
#[derive(Debug)]
pub struct Clashes<'a> {
    overlays: &'a [Selected<'a>],
    owners: IndexMap<FileId, usize>,
}

impl<'a> Clashes<'a> {
    /// Of a cluster's overlays; none when no two that patch something are of equal standing.
    #[must_use]
    pub fn of(overlays: &'a [Selected<'a>], sources: &Sources) -> Option<Self> {
        let mut owners = IndexMap::new();
        for (index, one) in overlays.iter().enumerate() {
            let spec = one.overlay.spec();
            let files = spec.patches.iter().filter_map(|patch| Some(one.overlay.file(&patch.path, sources)?.0));
            let own = (!spec.declarations.is_empty()).then_some(one.overlay.declared.node.span.file);
            files.chain(own).for_each(|file| _ = owners.insert(file, index));
        }
        let clashes = Self { overlays, owners };
        let mut patching: Vec<usize> = clashes.owners.values().copied().collect();
        patching.dedup();
        let pairs = patching.iter().enumerate().flat_map(|(at, a)| patching.iter().skip(at + 1).map(move |b| (*a, *b)));
        pairs.into_iter().any(|(a, b)| clashes.equal(a, b)).then_some(clashes)
    }

    /// Whether two overlays are of equal standing: something asks for both, and neither builds on the other.
    fn equal(&self, a: usize, b: usize) -> bool {
        let (Some(one), Some(other)) = (self.overlays.get(a), self.overlays.get(b)) else { return false };
        let shared = one.reasons.iter().any(|reason| other.reasons.iter().any(|it| it.origin == reason.origin));
        a != b && shared && !self.builds_on(a, b) && !self.builds_on(b, a)
    }

    /// Whether an overlay builds on another one, directly or not.
    fn builds_on(&self, upper: usize, lower: usize) -> bool {
        let position = |name: &str| self.overlays.iter().position(|one| one.overlay.name() == name);
        let users = |one: &Selected<'_>| -> Vec<usize> {
            let names = one.reasons.iter().filter_map(|reason| match &reason.origin {
                Origin::UsedBy(name) => position(name),
                _ => None,
            });
            names.collect()
        };
        let (mut open, mut seen) = (vec![lower], vec![lower]);
        while let Some(one) = open.pop().and_then(|at| self.overlays.get(at)) {
            for user in users(one) {
                if user == upper {
                    return true;
                }
                if !seen.contains(&user) {
                    seen.push(user);
                    open.push(user);
                }
            }
        }
        false
    }

    /// Reports fields of a cluster's declaration.
    pub fn declaration(&self, cluster: &Node, findings: &mut Vec<Diagnostic>) {
        if let Some(spec) = cluster.get("spec") {
            self.walk(spec, &mut Vec::new(), "the cluster's", findings);
        }
    }

    /// Reports fields of an object.
    pub fn object(&self, object: &Object, findings: &mut Vec<Diagnostic>) {
        self.walk(&object.node, &mut Vec::new(), &format!("{}:", show_object(&object.identity)), findings);
    }

    /// Reports fields of a stack's template.
    pub fn template(&self, template: &Node, stack: Stack, findings: &mut Vec<Diagnostic>) {
        self.walk(template, &mut Vec::new(), &format!("the {} stack's", stack.name()), findings);
    }

    fn walk(&self, node: &Node, trail: &mut Vec<String>, of: &str, findings: &mut Vec<Diagnostic>) {
        findings.extend(self.clash(node, trail, of));
        match &node.value {
            Value::Map(map) => {
                for (key, child) in map.iter() {
                    trail.push(key.text.to_string());
                    self.walk(child, trail, of, findings);
                    trail.pop();
                }
            }
            Value::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    trail.push(item.str_at("name").map_or_else(|| at.to_string(), str::to_owned));
                    self.walk(item, trail, of, findings);
                    trail.pop();
                }
            }
            _ => {}
        }
    }

    /// The newest two values of a node, one right over the other, that overlays of equal standing set.
    fn clash(&self, node: &Node, trail: &[String], of: &str) -> Option<Diagnostic> {
        let owner = |node: &Node| self.owners.get(&node.span.file).copied();
        let mut newer = node;
        while let Some(older) = newer.overrode.as_deref() {
            if let Some((winner, loser)) = owner(newer).zip(owner(older)).filter(|(a, b)| self.equal(*a, *b) && newer != older) {
                let name = |at: usize| self.overlays.get(at).map_or("", |one| one.overlay.name());
                let (winner, loser) = (name(winner), name(loser));
                let field = trail.join(".");
                let message =
                    format!("`{winner}` and `{loser}` set {of} `{field}` to different values, and neither builds on the other");
                let finding = Diagnostic::new(&rules::OVERLAY_CLASH, newer.span, message);
                let finding = finding.also(older.span, format!("`{loser}` sets it here, in vain"));
                let help = format!("let `{winner}` build on `{loser}` (`uses: [{loser}]`), or set the field in one of them");
                return Some(finding.help(help));
            }
            newer = older;
        }
        None
    }
}
