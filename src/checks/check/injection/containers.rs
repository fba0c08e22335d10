//! The kubelet replaces `$(NAME)` in a container's command, arguments and environment by a variable of the container, which may be a
//! secret. What a declaration gives is data there, too.

use std::sync::Arc;

use super::Authors;
use findings::{Diagnostic, rules};
use schema::{Object, pod_spec};
use tree::{Node, Span};

/// Reports each variable that a declaration gives, and no overlay has written out, in what a container is started with.
pub(in crate::check) fn check(objects: &[Arc<Object>], authors: &Authors<'_>, findings: &mut Vec<Diagnostic>) {
    let given: Vec<(&str, Span)> =
        authors.texts().flat_map(|(text, span)| variables(text).map(move |variable| (variable, span))).collect();
    if given.is_empty() {
        return;
    }
    for object in objects {
        let Some(pod) =
            pod_spec(&object.identity.kind).and_then(|path| path.iter().try_fold(&object.node, |node, key| node.get(key)))
        else {
            continue;
        };
        for text in started_with(pod) {
            let shown = |(variable, _): &&(&str, Span)| {
                text.as_str().is_some_and(|text| variables(text).any(|one| one == *variable))
                    && !authors.stands(variable, text.span)
            };
            for (variable, span) in given.iter().filter(shown) {
                let message =
                    format!("the kubelet would replace `{variable}` in {} {}", object.identity.kind, object.identity.name);
                let finding = Diagnostic::new(&rules::CONTAINER_INJECTION, *span, message);
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
    }
}

/// The variables in a text; `$$(NAME)` is none.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("$(").filter_map(move |(open, _)| {
        let escaped = text[..open].bytes().rev().take_while(|byte| *byte == b'$').count() % 2 == 1;
        let length = text[open..].find(')')?;
        (!escaped).then(|| &text[open..=open + length])
    })
}

fn list<'n>(node: &'n Node, key: &str) -> std::slice::Iter<'n, Node> {
    node.get(key).and_then(Node::as_list).unwrap_or_default().iter()
}

/// The texts that the containers of a pod are started with.
fn started_with(pod: &Node) -> impl Iterator<Item = &Node> {
    let containers = ["containers", "initContainers"].into_iter().flat_map(move |key| list(pod, key));
    containers.flat_map(move |container| {
        let words = ["command", "args"].into_iter().flat_map(move |key| list(container, key));
        words.chain(list(container, "env").filter_map(|variable| variable.get("value")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_told_from_what_is_escaped() {
        assert_eq!(variables("a $(B) $$(C) $$$(D) $(").collect::<Vec<_>>(), ["$(B)", "$(D)"]);
    }
}
