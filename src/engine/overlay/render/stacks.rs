//! What an overlay has for the templates of stacks: pieces that it adds, and patches on what is there.

use super::super::compiled::{Body, CompiledPatch, Count};
use super::super::jsonnet::Jsonnet;
use super::objects::each;
use super::patching::{Found, wrong_number};
use super::{Instance, Maker, holds};
use artifacts::cloudformation::{Draft, SECTIONS, is_function};
use findings::{Diagnostic, nearest, rules};
use model::declare::Stack;
use patch::kept;
use schema::{Identity, show_object};
use tree::{Map, Node, Span, from_json};

/// How targets and policies see resources of templates.
const API_VERSION: &str = "cloudformation.netloom.dev/v1";

impl<'a> Instance<'a> {
    /// Adds to a stack's template what the overlay's resources give for it.
    pub fn extend(&self, stack: Stack, draft: &mut Draft, jsonnet: &Jsonnet, findings: &mut Vec<Diagnostic>) {
        self.blamed(findings, |findings| {
            for piece in self.pieces(stack, jsonnet, findings) {
                draft.add(piece, findings);
            }
        });
    }

    /// Applies the overlay's patches to a stack's template.
    pub fn patch_stack(&self, stack: Stack, draft: &mut Draft, jsonnet: &Jsonnet, findings: &mut Vec<Diagnostic>) {
        self.patching(findings, |findings| {
            for compiled in self.stack_patches(stack, findings) {
                let target = compiled.target.as_ref();
                match &compiled.body {
                    Body::Manifests(documents) => {
                        for document in documents {
                            let before = findings.len();
                            let change = document.template.eval(&self.context, findings);
                            let Some(change) = change.filter(|_| findings.len() == before) else { continue };
                            Change { compiled, stack, place: &|keys| kept::place(&change, keys) }.apply(
                                draft,
                                findings,
                                |node, findings| match change.as_list() {
                                    Some(_) => patch::json(node, &change, findings),
                                    None => patch::plain(node, &change, is_function, findings),
                                },
                                target.is_none().then_some(&change),
                            );
                        }
                    }
                    Body::Jsonnet(file) => {
                        let change = Change { compiled, stack, place: &|_| Span::file(*file) };
                        change.apply(
                            draft,
                            findings,
                            |node, findings| match jsonnet
                                .eval(*file, &[("ctx", self.data(&self.context)), ("object", node.to_json())])
                            {
                                Ok(json) => node.become_equal(from_json(&json, Span::file(*file))),
                                Err(finding) => findings.push(finding),
                            },
                            None,
                        );
                    }
                }
            }
        });
    }

    /// Reports what the overlay has for a stack that there is not.
    pub fn without_stack(&self, stack: Stack, findings: &mut Vec<Diagnostic>) {
        let mut places = Vec::new();
        self.blamed(findings, |findings| {
            self.each_resource(Some(stack), findings, &mut |maker, _| places.push(maker.resource.span));
            places.extend(self.stack_patches(stack, findings).map(|patch| patch.span));
        });
        places.dedup();
        for place in places {
            let whose = if stack == Stack::Network { "it" } else { "its network" };
            let message = format!("{} has no stack: {whose} is not on AWS", self.unit);
            let finding = Diagnostic::new(&rules::STACK_MISSING, place, message);
            findings.push(finding.also(self.place, format!("chosen here for {}", self.unit)));
        }
    }

    /// What the overlay gives for a stack, in a form that can be compared with what it gives in another place: the pieces, and the
    /// patches with what their expressions gave, or what their programs see.
    pub fn share(&self, stack: Stack, jsonnet: &Jsonnet) -> Vec<Node> {
        let mut nothing = Vec::new();
        let mut share = self.pieces(stack, jsonnet, &mut nothing);
        for patch in self.stack_patches(stack, &mut nothing).collect::<Vec<_>>() {
            match &patch.body {
                Body::Manifests(documents) => {
                    share.extend(documents.iter().filter_map(|document| document.template.eval(&self.context, &mut nothing)));
                }
                Body::Jsonnet(file) => share.push(from_json(&self.data(&self.context), Span::file(*file))),
            }
        }
        share
    }

    /// The pieces that the overlay adds to a stack's template, and what made each, for `explain`; they are made once more for it.
    #[must_use]
    pub fn stack_makers(&self, stack: Stack, jsonnet: &Jsonnet) -> Vec<(Node, Maker<'a>)> {
        let mut makers = Vec::new();
        self.each_piece(stack, jsonnet, &mut Vec::new(), &mut |maker, piece| makers.push((piece, maker.clone())));
        makers
    }

    fn pieces(&self, stack: Stack, jsonnet: &Jsonnet, findings: &mut Vec<Diagnostic>) -> Vec<Node> {
        let mut pieces = Vec::new();
        self.each_piece(stack, jsonnet, findings, &mut |_, piece| pieces.push(piece));
        pieces
    }

    fn each_piece(
        &self,
        stack: Stack,
        jsonnet: &Jsonnet,
        findings: &mut Vec<Diagnostic>,
        take: &mut dyn FnMut(&Maker<'a>, Node),
    ) {
        self.each_resource(Some(stack), findings, &mut |mut maker, findings| match &maker.resource.body {
            Body::Manifests(documents) => {
                for document in documents {
                    maker.document = Some(document);
                    let before = findings.len();
                    let piece = document.template.eval(&maker.context, findings);
                    piece
                        .filter(|_| findings.len() == before)
                        .into_iter()
                        .for_each(|piece| each(piece, |piece| take(&maker, piece)));
                }
            }
            Body::Jsonnet(file) => match jsonnet.eval(*file, &[("ctx", self.data(&maker.context))]) {
                Ok(json) => each(from_json(&json, Span::file(*file)), |piece| take(&maker, piece)),
                Err(finding) => findings.push(finding),
            },
        });
    }

    fn stack_patches(&self, stack: Stack, findings: &mut Vec<Diagnostic>) -> std::vec::IntoIter<&'a CompiledPatch> {
        let of_stack = |patch: &&CompiledPatch| patch.stack == Some(stack);
        let patches = self.compiled.patches.iter().filter(of_stack);
        patches.filter(|patch| holds(patch.when.as_ref(), &self.context, findings)).collect::<Vec<_>>().into_iter()
    }
}

/// A patch on a template, and how to find in it what becomes of something.
struct Change<'p> {
    compiled: &'p CompiledPatch,
    stack: Stack,
    place: kept::Places<'p>,
}

impl Change<'_> {
    /// Applies the patch to the resources that it is for, or to the template as a whole; `merged` is what is merged into that.
    fn apply(
        &self,
        draft: &mut Draft,
        findings: &mut Vec<Diagnostic>,
        mut work: impl FnMut(&mut Node, &mut Vec<Diagnostic>),
        merged: Option<&Node>,
    ) {
        let Some(target) = &self.compiled.target else {
            if merged.is_none_or(|change| self.names_what_is_there(change, draft.template(), findings)) {
                draft.change(self.place, findings, work);
            }
            return;
        };
        let resources = resources(draft.template());
        let found: Vec<&Identity> =
            resources.iter().filter(|(identity, node)| target.matches(identity, node)).map(|(identity, _)| identity).collect();
        if !self.compiled.count.fits(found.len()) {
            let found = Found {
                target: &target.to_string(),
                names: found.iter().map(|identity| show_object(identity)).collect(),
                nearest: target.nearest(resources.iter().map(|(identity, node)| (identity, *node))),
                what: ("resource", &format!("the {}'s stack", self.stack.name())),
            };
            findings.push(wrong_number(self.compiled, &found));
            return;
        }
        let ids: Vec<String> = found.into_iter().map(|identity| identity.name.clone()).collect();
        for id in ids {
            draft.change_resource(&id, self.place, findings, &mut work);
        }
    }

    /// Whether a patch that is merged into the template names entries that are there. `atLeast: 0` says that they need not be.
    fn names_what_is_there(&self, change: &Node, template: &Node, findings: &mut Vec<Diagnostic>) -> bool {
        let before = findings.len();
        let mut named = 0;
        if change.as_list().is_some() {
            return true;
        }
        for (section, entries) in change.as_map().into_iter().flat_map(Map::iter) {
            let there = template.get(&section.text).and_then(Node::as_map);
            if !SECTIONS.contains(&&*section.text) && !section.text.starts_with('$') {
                let message = format!("`{}` is no section of a template that a patch changes", section.text);
                let finding = Diagnostic::new(&rules::PATCH_NO_MATCH, section.span, message);
                let help = "the sections are `Parameters`, `Resources` and `Outputs`; with `target` a patch is for resources";
                findings.push(finding.help(help));
                continue;
            }
            for (id, _) in entries.as_map().into_iter().flat_map(Map::iter).filter(|(id, _)| !id.text.starts_with('$')) {
                if there.is_some_and(|there| there.contains(&id.text)) {
                    named += 1;
                } else if self.compiled.count != Count::AtLeast(0) {
                    findings.push(self.not_there(&section.text, id, there));
                }
            }
        }
        if findings.len() == before && !self.compiled.count.fits(named) {
            let (rule, number) = match named {
                0 => (&rules::PATCH_NO_MATCH, "nothing".to_owned()),
                1 => (&rules::PATCH_COUNT, "one entry".to_owned()),
                more => (&rules::PATCH_COUNT, format!("{more} entries")),
            };
            let message = format!("the patch names {number} of the template, and {}", self.compiled.count);
            findings.push(Diagnostic::new(rule, self.compiled.span, message));
        }
        findings.len() == before
    }

    fn not_there(&self, section: &str, id: &tree::Key, there: Option<&Map>) -> Diagnostic {
        let message = format!("the template of the {}'s stack has no `{}` in its `{section}`", self.stack.name(), id.text);
        let finding = Diagnostic::new(&rules::PATCH_NO_MATCH, id.span, message);
        match nearest(&id.text, there.into_iter().flat_map(Map::keys)) {
            Some(name) => finding.help(format!("did you mean `{name}`?")),
            None => finding.help("what is new is added under `resources`"),
        }
    }
}

/// The resources of a template, as targets see them.
fn resources(template: &Node) -> Vec<(Identity, &Node)> {
    let identity = |id: &str, node: &Node| Identity {
        api_version: API_VERSION.to_owned(),
        kind: node.str_at("Type").unwrap_or_default().to_owned(),
        namespace: String::new(),
        name: id.to_owned(),
    };
    let resources = template.get("Resources").and_then(Node::as_map);
    resources.into_iter().flat_map(Map::iter).map(|(id, node)| (identity(&id.text, node), node)).collect()
}
