//! A cluster's README: what an engineer on call needs to know about its network.

pub mod markdown;
mod page;

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, UndefinedBehavior, Value};

use model::declare::{Cluster, Declared, Transition};
use model::plan::{ClusterPlan, NetworkPlan};
use page::Page;

/// The page's template with the filter `code`; whatever it prints is escaped unless it is Markdown already.
static PAGE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    if let Ok(syntax) = SyntaxConfig::builder().keep_trailing_newline(true).trim_blocks(true).lstrip_blocks(true).build() {
        env.set_syntax(syntax);
    }
    env.set_formatter(|out, _, value| {
        let written = match value.as_str() {
            Some(text) if value.is_safe() => out.write_str(text),
            Some(text) => out.write_str(&markdown::escape(text)),
            None => out.write_str(&markdown::escape(&value.to_string())),
        };
        written.map_err(Error::from)
    });
    env.add_filter("code", |text: &str| Value::from_safe_string(markdown::code(text)));
    env.add_filter("codes", |texts: Vec<Value>| {
        let codes: Vec<String> = texts.iter().filter_map(Value::as_str).map(markdown::code).collect();
        Value::from_safe_string(codes.join(", "))
    });
    env.add_template("cluster.md", include_str!("cluster.md.j2")).unwrap_or_else(|error| unreachable!("cluster.md.j2: {error}"));
    env
});

/// The README of a cluster. `sections` are its overlays' own, already in Markdown, in the overlays' order.
#[must_use]
pub fn cluster(
    cluster: &Declared<Cluster>,
    network: &NetworkPlan,
    plan: &ClusterPlan,
    sections: &[String],
    transitions: &[&Transition],
) -> String {
    let page = Page::new(&cluster.value, network, plan, sections, transitions);
    let rendered = PAGE.get_template("cluster.md").and_then(|template| template.render(Value::from(Serde(&page))));
    let mut text = rendered.unwrap_or_else(|error| unreachable!("the page takes every cluster: {error}"));
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
