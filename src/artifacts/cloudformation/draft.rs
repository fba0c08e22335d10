//! A template in the hands of overlays: what they add, what they change, and where they say so.

use std::sync::{Arc, OnceLock};

use super::template::SECTIONS;
use findings::{Diagnostic, rules};
use patch::kept::{self, Places};
use tree::{Key, Map, Node, Path, Span, Value};
use yaml::to_yaml;

/// A template, and what overlays have done to it.
#[derive(Clone, Debug)]
pub struct Draft {
    template: Node,
    /// Its YAML.
    text: OnceLock<Arc<str>>,
    /// What overlays have done.
    pub changes: Changes,
}

/// The entries of a template that overlays have changed or removed, in the order in which they did.
#[derive(Clone, Debug, Default)]
pub struct Changes(Vec<Change>);

/// What an overlay has done to an entry of a template.
#[derive(Clone, Debug)]
pub struct Change {
    section: String,
    id: String,
    /// The name under which the entry was exported, if it was.
    export: Option<String>,
    /// Where the overlay says so.
    pub place: Span,
    /// Whether the entry is gone.
    pub removes: bool,
}

impl Changes {
    /// What was done last to an entry.
    #[must_use]
    pub fn last(&self, section: &str, id: &str) -> Option<&Change> {
        self.0.iter().rev().find(|change| change.section == section && change.id == id)
    }

    /// The exports of outputs that were changed or removed, and where.
    pub fn exports_removed(&self) -> impl Iterator<Item = (&str, Span)> {
        self.0.iter().filter_map(|change| Some((change.export.as_deref()?, change.place)))
    }

    /// Where something was done last.
    #[must_use]
    pub fn last_place(&self) -> Span {
        self.0.last().map_or(Span::NONE, |change| change.place)
    }

    /// Where a resource, or a parameter, was removed that is not there any more.
    #[must_use]
    pub fn removal(&self, id: &str) -> Option<Span> {
        let change = ["Resources", "Parameters"].iter().find_map(|section| self.last(section, id))?;
        change.removes.then_some(change.place)
    }
}

/// Whether a value is a function of CloudFormation, which is written as a mapping of one entry.
#[must_use]
pub fn is_function(node: &Node) -> bool {
    let single = node.as_map().filter(|map| map.len() == 1);
    single.and_then(|map| map.keys().next()).is_some_and(|key| key == "Ref" || key.starts_with("Fn::"))
}

impl Draft {
    /// A template as netloom makes it.
    #[must_use]
    pub fn new(template: Node) -> Self {
        Self { template, text: OnceLock::new(), changes: Changes::default() }
    }

    /// The template.
    #[must_use]
    pub fn template(&self) -> &Node {
        &self.template
    }

    /// Its YAML, made at the first call.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        self.text.get_or_init(|| to_yaml(&self.template).into())
    }

    /// The template, to be changed; its text is another one then.
    pub fn template_mut(&mut self) -> &mut Node {
        self.text.take();
        &mut self.template
    }

    /// Adds what is new: a mapping of sections. What is there already is not replaced, because that is what patches are for.
    pub fn add(&mut self, piece: Node, findings: &mut Vec<Diagnostic>) {
        let (span, kind) = (piece.span, piece.kind());
        let Value::Map(sections) = piece.value else {
            let message = format!("what an overlay adds to a template is a mapping of sections, and this is {kind}");
            findings.push(Diagnostic::new(&rules::TEMPLATE_FORM, span, message).help("write `Resources:` above it"));
            return;
        };
        for (section, entries) in sections {
            if !SECTIONS.contains(&&*section.text) {
                findings.push(no_section(&section));
                continue;
            }
            let (span, kind) = (entries.span, entries.kind());
            let Value::Map(entries) = entries.value else {
                let message = format!("`{}` is a mapping of logical ids, and this is {kind}", section.text);
                findings.push(Diagnostic::new(&rules::TEMPLATE_FORM, span, message));
                continue;
            };
            for (id, entry) in entries {
                self.add_entry(&section.text, id, entry, findings);
            }
        }
    }

    fn add_entry(&mut self, section: &str, id: Key, entry: Node, findings: &mut Vec<Diagnostic>) {
        let Some(entries) = self.section(section) else { return };
        let Some((there, old)) = entries.entry(&id.text) else {
            entries.push(id, entry);
            return;
        };
        let message = format!("the template has `{}` in its `{section}` already", id.text);
        let finding = Diagnostic::new(&rules::TEMPLATE_TAKEN, id.span, message);
        let first = if there.span.is_known() { there.span } else { old.span };
        findings.push(if first.is_known() { finding.also(first, "added here") } else { finding });
    }

    /// The entries of a section, which is made where its place is.
    fn section(&mut self, name: &str) -> Option<&mut Map> {
        let template = self.template_mut().as_map_mut()?;
        if !template.contains(name) {
            let order = |key: &Key| SECTIONS.iter().position(|section| *section == &*key.text).map_or(0, |at| at + 1);
            let mut entries: Vec<(Key, Node)> = std::mem::take(template).into_iter().collect();
            entries.push((name.into(), Map::new().into()));
            entries.sort_by_key(|(key, _)| order(key));
            *template = entries.into_iter().collect();
        }
        template.get_mut(name)?.as_map_mut()
    }

    /// Changes the template as a whole, if it is a template with the same resources then, or fewer of them.
    pub fn change(
        &mut self,
        place: Places<'_>,
        findings: &mut Vec<Diagnostic>,
        work: impl FnOnce(&mut Node, &mut Vec<Diagnostic>),
    ) {
        let before = self.template.clone();
        work(self.template_mut(), findings);
        let mut lost = not_kept(&before, &self.template, place);
        if !lost.is_empty() {
            findings.append(&mut lost);
            self.template = before;
            return;
        }
        for section in SECTIONS {
            let old = before.get(section).and_then(Node::as_map);
            for (id, entry) in old.into_iter().flat_map(Map::iter) {
                let now = self.template.get(section).and_then(|section| section.get(&id.text));
                if now != Some(entry) {
                    self.changes.0.push(Change {
                        section: section.to_owned(),
                        id: id.text.to_string(),
                        export: entry.at(&Path::dotted("Export.Name")).and_then(Node::as_str).map(str::to_owned),
                        place: place(&[section, &id.text]),
                        removes: now.is_none(),
                    });
                }
            }
        }
        if let Some(template) = self.template.as_map_mut() {
            // An emptied section is not written, nor does CloudFormation take one.
            template.retain(|key, node| &*key.text == "Resources" || node.as_map().is_none_or(|map| !map.is_empty()));
        }
    }

    /// Changes a resource, if it is one of the same type then; one that is `null` is removed.
    pub fn change_resource(
        &mut self,
        id: &str,
        place: Places<'_>,
        findings: &mut Vec<Diagnostic>,
        work: impl FnOnce(&mut Node, &mut Vec<Diagnostic>),
    ) {
        let Some(resources) = self.template_mut().as_map_mut().and_then(|map| map.get_mut("Resources")?.as_map_mut()) else {
            return;
        };
        let Some(resource) = resources.get_mut(id) else { return };
        let before = resource.clone();
        work(resource, findings);
        let (changed, removes) = (*resource != before, resource.is_null());
        if let Some(lost) = type_not_kept(id, &before, resource, place).filter(|_| !removes) {
            findings.push(lost);
            *resource = before;
            return;
        }
        if removes {
            resources.remove(id);
        }
        if changed {
            let (section, id, place) = ("Resources".to_owned(), id.to_owned(), place(&[]));
            self.changes.0.push(Change { section, id, export: None, place, removes });
        }
    }
}

/// Reports what a patch has made of a template that is none any more, and of resources that are others.
fn not_kept(before: &Node, after: &Node, place: Places<'_>) -> Vec<Diagnostic> {
    let invalid = |keys: &[&str], message: String| {
        let help = "an entry of a section is removed by `null` for it, or by `$patch: delete` in it";
        Diagnostic::new(&rules::PATCH_INVALID, place(keys), message).help(help)
    };
    if after.as_map().is_none() {
        return vec![invalid(&[], format!("the patch makes the template {}", after.kind()))];
    }
    let version = "AWSTemplateFormatVersion";
    let fields = before.str_at(version).map(|before| ([version], before));
    let fields: Vec<(&[&str], &str)> = fields.iter().map(|(path, before)| (path.as_slice(), *before)).collect();
    let mut lost: Vec<_> = kept::fields_kept("the template", after, &fields, place).into_iter().collect();
    for section in SECTIONS {
        match after.get(section) {
            Some(node) if node.as_map().is_none() => {
                lost.push(invalid(&[section], format!("the patch makes `{section}` of the template {}", node.kind())));
            }
            None if section == "Resources" => {
                lost.push(invalid(&[section], format!("the patch takes `{section}` away from the template")));
            }
            _ => {}
        }
    }
    let resources = before.get("Resources").and_then(Node::as_map).into_iter().flat_map(Map::iter);
    lost.extend(resources.filter_map(|(id, resource)| {
        let below = |keys: &[&str]| place(&[&["Resources", &id.text], keys].concat());
        type_not_kept(&id.text, resource, after.get("Resources")?.get(&id.text)?, &below)
    }));
    lost
}

/// Reports a resource that is of another type now, or of none.
fn type_not_kept(id: &str, before: &Node, after: &Node, place: Places<'_>) -> Option<Diagnostic> {
    let lost = kept::fields_kept(&format!("the resource `{id}`"), after, &[(&["Type"], before.str_at("Type")?)], place)?;
    let help =
        "a resource keeps its `Type`; `null` for it or `$patch: delete` in it removes it, and `resources` adds another one";
    Some(lost.help(help))
}

/// A section that overlays cannot add.
fn no_section(key: &Key) -> Diagnostic {
    let message = format!("`{}` is no section that an overlay adds to", key.text);
    let finding = Diagnostic::new(&rules::TEMPLATE_FORM, key.span, message);
    match &*key.text {
        "AWSTemplateFormatVersion" | "Description" => finding.help("the template has it already; leave it out"),
        "Conditions" | "Rules" => {
            finding.help("say `when` in overlay.yaml instead: what a stack does not have is not in its template")
        }
        "Mappings" => finding.help("say `values` in overlay.yaml instead, and expressions that read them"),
        "Transform" | "Hooks" | "Metadata" => finding.help("the sections are `Parameters`, `Resources` and `Outputs`"),
        given => match findings::nearest(given, SECTIONS) {
            Some(section) => finding.help(format!("did you mean `{section}`?")),
            None => finding.help("the sections are `Parameters`, `Resources` and `Outputs`; resources stand below `Resources:`"),
        },
    }
}
