//! An overlay is compiled once for the whole fleet.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::Environment;

use super::Matcher;
use super::compiled::{Body, Compiled, CompiledAssertion, CompiledConfigMap, CompiledPatch, CompiledResource, Count, Manifest};
use super::expression::{self, Expression};
use super::generate;
use super::library::Overlay;
use super::template::{Compiler, Scalar, Template};
use findings::{Diagnostic, rules};
use model::declare::{self, Resource, Stack, Target};
use schema::{Identity, Object};
use tree::{FileId, Key, Node, Path, Sources, Span, Value};

/// Compiles an overlay; whatever is wrong with it goes to `findings`.
pub(super) fn compile(overlay: &Overlay, sources: &Sources, findings: &mut Vec<Diagnostic>) -> Compiled {
    let mut work = Work { overlay, sources, findings };
    let facts = Compiler { sources, conditions: true };
    let spec = work.node("spec");
    let values = spec.and_then(|spec| spec.get("values")).and_then(Node::as_map);
    let plain = Compiler { sources, conditions: false };
    let values =
        values.map(|map| map.iter().map(|(key, node)| (key.text.to_string(), plain.compile(node, work.findings))).collect());
    Compiled {
        when: work.expression(&Path::dotted("spec.when")),
        values: values.unwrap_or_default(),
        facts: spec.and_then(|spec| spec.get("facts")).map(|node| facts.compile(node, work.findings)),
        resources: work.resources(),
        config_maps: work.config_maps(),
        patches: work.patches(),
        assertions: work.assertions(),
        texts: Arc::new(work.texts()),
        runbook: work.runbook(),
    }
}

struct Work<'a> {
    overlay: &'a Overlay,
    sources: &'a Sources,
    findings: &'a mut Vec<Diagnostic>,
}

impl<'a> Work<'a> {
    fn node(&self, path: &str) -> Option<&'a Node> {
        self.overlay.declared.node.at(&Path::dotted(path))
    }

    fn compiler(&self) -> Compiler<'a> {
        Compiler { sources: self.sources, conditions: false }
    }

    /// The bare expression at a path, if there is one.
    fn expression(&mut self, path: &Path) -> Option<Expression> {
        let node = self.overlay.declared.node.at(path)?;
        let text = node.as_str()?;
        let offset = self.compiler().offset(text, node.span);
        Expression::compile(text, node.span, offset).map_err(|finding| self.findings.push(finding)).ok()
    }

    fn scalar(&mut self, path: &Path) -> Option<Scalar> {
        let node = self.overlay.declared.node.at(path)?;
        self.compiler().scalar(node.as_str()?, node.span).map_err(|finding| self.findings.push(*finding)).ok()
    }

    fn file(&mut self, path: &str, place: Span) -> Option<(FileId, &'a str)> {
        let found = self.overlay.file(path, self.sources);
        if found.is_none() {
            let message = format!("the overlay `{}` has no file `{path}`", self.overlay.name());
            let names = self.sources.iter().filter_map(|(_, source)| source.path.strip_prefix(&*self.overlay.folder));
            let finding = Diagnostic::new(&rules::OVERLAY_FILE, place, message);
            let outside = path.starts_with('/') || path.split('/').any(|part| part == "..");
            self.findings.push(match outside {
                true => finding.help("paths are relative to the overlay's folder; `../OVERLAY/FILE` is another overlay's"),
                false => finding.suggest(path, names),
            });
        }
        found
    }

    /// The text of a file without characters that nobody sees, which are reported.
    fn visible<'t>(&mut self, text: &'t str, file: FileId) -> Cow<'t, str> {
        match yaml::visible(text, file) {
            Ok(()) => Cow::Borrowed(text),
            Err(seen) => {
                let (finding, rest) = *seen;
                self.findings.push(finding);
                Cow::Owned(rest)
            }
        }
    }

    fn body(&mut self, path: &str, place: Span, pin: Option<(&str, Span)>) -> Option<Body> {
        let (id, text) = self.file(path, place)?;
        if let Some((pin, place)) = pin {
            return self.vendored(path, id, text, (pin, place));
        }
        if path.ends_with(".jsonnet") {
            return Some(Body::Jsonnet(id));
        }
        let documents = yaml::read(text, id, self.findings);
        let compiler = self.compiler();
        let manifest = |node: &Node, findings: &mut Vec<Diagnostic>| Manifest::new(compiler.compile(node, findings));
        Some(Body::Manifests(documents.iter().map(|node| manifest(node, self.findings)).collect()))
    }

    /// The manifests of a file that must be the one that was pinned.
    fn vendored(&mut self, path: &str, id: FileId, text: &str, (pin, place): (&str, Span)) -> Option<Body> {
        let actual = generate::pin(text);
        if actual != pin {
            let message = format!("`{path}` is not what was vendored: its blake3 is {actual}");
            let finding = Diagnostic::new(&rules::VENDORED, place, message);
            let command = self.sources.get(id).map(|source| format!("netloom vendor {}", source.path)).unwrap_or_default();
            self.findings.push(finding.help(format!("read what has changed, and run `{command}` to pin it")));
            return None;
        }
        if path.ends_with(".jsonnet") {
            return Some(Body::Jsonnet(id));
        }
        let documents = yaml::read(text, id, self.findings);
        let manifest = |node: Node| Manifest::new(Template::Constant(node));
        Some(Body::Manifests(documents.into_iter().map(manifest).collect()))
    }

    fn config_maps(&mut self) -> Vec<CompiledConfigMap> {
        let root = Path::dotted("spec.configMaps");
        let mut maps = Vec::new();
        for (index, declared) in self.overlay.spec().config_maps.iter().enumerate() {
            let here = root.item(index);
            let node = self.overlay.declared.node.nearest(&here);
            let when = self.expression(&here.child("when"));
            let mut data: Vec<(Key, Node)> = Vec::new();
            for (at, file) in declared.files.iter().enumerate() {
                let place = self.overlay.declared.node.nearest(&here.child("files").item(at)).span;
                let Some((id, text)) = self.file(file.path(), place) else { continue };
                let problem = match data.iter().any(|(key, _)| *key.text == *file.key()) {
                    true => Some(format!("the key `{}` is taken", file.key())),
                    false if !generate::is_key(file.key()) => Some(format!("`{}` is no key of a ConfigMap", file.key())),
                    false => None,
                };
                if let Some(message) = problem {
                    let finding = Diagnostic::new(&rules::CONFIG_KEY, place, message);
                    self.findings.push(finding.help("give it a key: `{key: NAME, path: FILE}`"));
                }
                let text = self.visible(text, id);
                data.push((file.key().into(), Node::new(Value::String((&*text).into()), Span::file(id))));
            }
            let text = |key: &str| node.get(key).cloned().unwrap_or_default();
            let made = generate::config_map(&text("name"), &text("namespace"), data, node.span);
            if let Some(identity) = Identity::of(&made) {
                let object = Arc::new(Object::new(identity, self.overlay.home(), made));
                maps.push(CompiledConfigMap { when, object, hash: declared.hash });
            }
        }
        maps
    }

    fn resources(&mut self) -> Vec<CompiledResource> {
        let root = Path::dotted("spec.resources");
        let mut resources = Vec::new();
        for (index, resource) in self.overlay.spec().resources.iter().enumerate() {
            let here = root.item(index);
            let place = self.overlay.declared.node.nearest(&here.child("path")).span;
            let (when, items) = match resource {
                Resource::Path(_) => (None, None),
                Resource::Conditional(_) => (self.expression(&here.child("when")), self.expression(&here.child("loop"))),
            };
            let pin = resource.pin().map(|pin| (pin, self.overlay.declared.node.nearest(&generate::pin_path(index)).span));
            if let Some(body) = self.body(resource.path(), place, pin) {
                resources.push(CompiledResource { stack: resource.stack(), when, items, body, span: place });
            }
        }
        resources
    }

    fn patches(&mut self) -> Vec<CompiledPatch> {
        let root = Path::dotted("spec.patches");
        let mut patches = Vec::new();
        for (index, patch) in self.overlay.spec().patches.iter().enumerate() {
            let here = root.item(index);
            let span = self.overlay.declared.node.nearest(&here.child("path")).span;
            let when = self.expression(&here.child("when"));
            let before = self.findings.len();
            let target = patch.target.as_ref().map(|target| self.target(target, patch.stack, &here.child("target")));
            let count = self.count(patch, &here);
            // What a wrong target matches is beside the point.
            let sound = self.findings.len() == before;
            if let Some(body) = self.body(&patch.path, span, None).filter(|_| sound) {
                if matches!(&body, Body::Manifests(documents) if documents.is_empty()) && self.findings.len() == before {
                    let message = format!("`{}` has no document, so it patches nothing", patch.path);
                    self.findings.push(Diagnostic::new(&rules::PATCH_INVALID, span, message));
                }
                patches.push(CompiledPatch { stack: patch.stack, when, body, target, count, span });
            }
        }
        patches
    }

    fn target(&mut self, target: &Target, stack: Option<Stack>, path: &Path) -> Matcher {
        let node = self.overlay.declared.node.nearest(path);
        let of_objects = |(key, _): &(&Key, &Node)| stack.is_some() && !["kind", "name"].contains(&&*key.text);
        for (key, _) in node.as_map().into_iter().flat_map(|map| map.iter()).filter(of_objects) {
            let message = format!("a resource of a stack has no `{}`", key.text);
            let finding = Diagnostic::new(&rules::PATCH_INVALID, key.span, message);
            self.findings.push(finding.help("`kind` is its type and `name` its logical id"));
        }
        for (index, requirement) in target.labels.match_expressions.iter().enumerate() {
            if let Some(fault) = requirement.fault() {
                let place = node.nearest(&Path::dotted("labels.matchExpressions").item(index)).span;
                self.findings.push(Diagnostic::new(&rules::SELECTOR_INVALID, place, fault));
            }
        }
        Matcher::new(target, node, self.findings)
    }

    fn count(&mut self, patch: &declare::Patch, path: &Path) -> Count {
        match (patch.expect, patch.at_least) {
            (Some(_), Some(_)) => {
                let place = self.overlay.declared.node.nearest(&path.child("atLeast")).span;
                let message = "`expect` is a number of objects, so `atLeast` has nothing to say";
                self.findings.push(Diagnostic::new(&rules::PATCH_INVALID, place, message));
                Count::AtLeast(0)
            }
            (Some(number), None) => Count::Exactly(number),
            (None, number) => Count::AtLeast(number.unwrap_or(1)),
        }
    }

    fn assertions(&mut self) -> Vec<CompiledAssertion> {
        let root = Path::dotted("spec.assertions");
        let count = self.overlay.spec().assertions.len();
        let compile = |index: usize| {
            let here = root.item(index);
            let (when, that) = (self.expression(&here.child("when")), self.expression(&here.child("that")));
            let (message, help) = (self.scalar(&here.child("message")), self.scalar(&here.child("help")));
            Some(CompiledAssertion { when, that: that?, message: message?, help, index })
        };
        (0..count).filter_map(compile).collect()
    }

    fn runbook(&mut self) -> Option<FileId> {
        let path = Path::dotted("spec.runbook");
        let name = self.overlay.spec().runbook.as_deref()?;
        Some(self.file(name, self.overlay.declared.node.nearest(&path).span)?.0)
    }

    /// The text templates of its folder.
    fn texts(&mut self) -> Environment<'static> {
        let mut env = expression::engine();
        for (id, source) in self.sources.iter() {
            let Some(name) = source.path.strip_prefix(&*self.overlay.folder).filter(|name| name.ends_with(".j2")) else {
                continue;
            };
            let checked = expression::within_limits_of_text(&source.text);
            let text = self.visible(&source.text, id).into_owned();
            let added = checked.map(|()| env.add_template_owned(name.to_owned(), text));
            match added {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.findings.push(expression::diagnose(&error, Span::file(id), Some(0))),
                Err(what) => self.findings.push(Diagnostic::new(&rules::LIMIT, Span::file(id), what)),
            }
        }
        env
    }
}
