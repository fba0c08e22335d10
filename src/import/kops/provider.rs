//! The network provider: the same key in a declaration, with kops's options as far as its overlay declares them.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::options::{self, Names, Taken, Taking};
use findings::{Diagnostic, rules};
use tree::{Map, Node, Path, Span, Value};

use super::{Work, defaults, ignored};

/// A declaration's key, which is that of v1alpha2, and the other names that a provider has in v1alpha3 or on kops's command line.
const PROVIDERS: [(&str, &[&str]); 16] = [
    ("kubenet", &[]),
    ("classic", &[]),
    ("external", &[]),
    ("cni", &[]),
    ("kopeio", &[]),
    ("weave", &[]),
    ("flannel", &[]),
    ("calico", &[]),
    ("canal", &[]),
    ("kuberouter", &["kubeRouter", "kube-router"]),
    ("romana", &[]),
    ("amazonvpc", &["amazonVPC", "amazon-vpc-routed-eni"]),
    ("cilium", &[]),
    ("lyftvpc", &[]),
    ("gce", &["gcp"]),
    ("kindnet", &[]),
];

/// Providers that netloom has no overlay for, and what to use in their place.
const WITHOUT_OVERLAY: [(&str, &str); 3] = [
    ("lyftvpc", "it is gone from kops since 1.23; `amazonvpc` and `cilium` with `ipam: eni` give pods addresses of the VPC, too"),
    ("gce", "it needs Google's alias addresses; `kubenet` is the counterpart on AWS"),
    (
        "kindnet",
        "`cni` leaves its objects to you; `kubenet` routes between nodes as it does, and `cilium` enforces policies, too",
    ),
];

/// Names of the same option: those of v1alpha2 and of v1alpha3, where they differ. An overlay may have either.
const NAMES: Names = &[
    ("amazonvpc", "imageName", "image", false),
    ("amazonvpc", "initImageName", "initImage", false),
    ("canal", "disableFlannelForwardRules", "flanneldIptablesForwardRules", true),
    ("cilium", "IPTablesRulesNoinstall", "installIptablesRules", true),
    ("cilium", "disableMasquerade", "masquerade", true),
    ("cilium", "toFqdnsDnsRejectResponseCode", "toFQDNsDNSRejectResponseCode", false),
    ("cilium", "toFqdnsEnablePoller", "toFQDNsEnablePoller", false),
];

/// Values that kops has under two names: provider, option, the old name, the new one.
const VALUES: [(&str, &str, &str, &str); 1] = [("cilium", "ipam", "hostscope", "kubernetes")];

/// What Weave itself takes for `WEAVE_MTU` (`prog/weave-kube/launch.sh`), which kops sets only where `mtu` is written.
const WEAVE_MTU: i64 = 1376;
/// The release of Weave that kops installs from 1.22 to 1.27, unless told otherwise; before it was 2.6.5 and 2.7.0.
const WEAVE: &str = "2.8.1";

/// The block of a provider, by any of its names.
pub(super) fn block<'a>(work: &Work<'a, '_>, provider: &str) -> Option<&'a Node> {
    let (name, others) = PROVIDERS.iter().find(|(name, _)| *name == provider)?;
    let networking = Path::dotted("spec.networking");
    [*name].into_iter().chain(others.iter().copied()).find_map(|key| work.spec.peek(&networking.child(key)))
}

/// Writes `networking`.
pub(super) fn write(work: &mut Work<'_, '_>) {
    let path = Path::dotted("spec.networking");
    work.spec.enter("spec.networking");
    let named = |(name, others): &(&'static str, &[&'static str])| {
        let key = [*name].into_iter().chain(others.iter().copied()).find(|key| work.spec.peek(&path.child(key)).is_some());
        key.map(|key| (*name, key))
    };
    let chosen: Vec<(&str, &str)> = PROVIDERS.iter().filter_map(named).collect();
    let [(provider, key)] = chosen[..] else { return not_one(work, &chosen) };
    let path = path.child(key);
    let Some(block) = work.spec.peek(&path) else { return };
    if let Some((_, instead)) = WITHOUT_OVERLAY.iter().find(|(name, _)| *name == provider) {
        work.spec.leave(path, format!("netloom has no overlay for it; {instead}"));
        work.cluster.set("spec.networking.cni", Value::Map(Map::new()));
        let what = format!("the network provider `{key}` has no counterpart; with `cni`, netloom installs none");
        return work.choose_cluster("spec.networking", block.span, what, *instead);
    }
    let Some(given) = block.as_map() else {
        work.spec.take(&path);
        return work.refuse(block.span, format!("`networking.{key}` is {}, but takes a mapping", block.kind()), "write `{}`");
    };
    let Some(declared) = options::of(provider) else {
        work.spec.take(&path);
        return work.cluster.set(&format!("spec.networking.{provider}"), block.clone());
    };
    let minor = work.version.minor;
    let taking = Taking {
        provider,
        options: declared,
        names: NAMES,
        ignored: &|option, node| {
            let unused = ignored::why(provider, option, minor).map(Cow::Owned);
            unused.or_else(|| ignored::nothing(provider, option, node).map(Cow::Borrowed))
        },
        value: &|option, node| renamed(provider, option, node),
    };
    let Taken { block: options, used, entered, left, misfits } = taking.take(given, &path);
    work.cluster.set(&format!("spec.networking.{provider}"), Node::new(Value::Map(options), block.span));
    for path in &used {
        work.spec.take(path);
    }
    entered.into_iter().for_each(|path| work.spec.enter_at(path));
    left.into_iter().for_each(|(path, reason)| work.spec.leave(path, reason));
    misfits.into_iter().for_each(|(path, misfit)| left_out(work, provider, path, misfit));
    match provider {
        "weave" => weave(work, block),
        _ => {
            defaults::write(work, provider, declared, block);
            release(work, provider, declared, block);
        }
    }
}

/// Says that there is no provider, or more than one.
fn not_one(work: &mut Work<'_, '_>, chosen: &[(&str, &str)]) {
    let span = work.spec.span("spec.networking");
    let message = match chosen {
        [] => "`networking` names no network provider".to_owned(),
        many => {
            let names = many.iter().map(|(_, key)| format!("`{key}`")).collect::<Vec<_>>();
            format!("`networking` names {} network providers: {}", names.len(), names.join(", "))
        }
    };
    let known = PROVIDERS.map(|(key, _)| key).join(", ");
    let given = work.spec.peek(&Path::dotted("spec.networking")).and_then(Node::as_map);
    let given = given.into_iter().flat_map(Map::keys).next().unwrap_or_default();
    let finding = Diagnostic::new(&rules::IMPORT_FORM, span, message).help(format!("kops knows: {known}"));
    work.findings.push(if chosen.is_empty() { finding.suggest(given, PROVIDERS.map(|(key, _)| key)) } else { finding });
}

/// The newer of two names of a value.
fn renamed(provider: &str, option: &str, node: &Node) -> Option<Value> {
    let rule = VALUES.iter().find(|(of, at, old, _)| *of == provider && *at == option && node.as_str() == Some(old));
    rule.map(|(.., new)| Value::String((*new).into()))
}

/// Says that an overlay does not take a value.
fn left_out(work: &mut Work<'_, '_>, provider: &str, path: Path, misfit: Diagnostic) {
    let span = misfit.span;
    work.spec.leave(path, "its overlay does not take the value");
    let what = format!("{}; it is left out, and the overlay's default stands in", misfit.message);
    let help = misfit.help.into_iter().next().unwrap_or_else(|| "write a value that it takes".into());
    work.choose_cluster(&format!("spec.networking.{provider}"), span, what, help);
}

/// The release that is written, where the overlay is of the same minor one; otherwise the overlay's.
fn release(work: &mut Work<'_, '_>, provider: &str, declared: &Json, block: &Node) {
    let field = format!("spec.networking.{provider}.version");
    let default = options::declared(declared, "version").and_then(|schema| schema.get("default")?.as_str());
    let Some(ours) = default else { return };
    let written = block.get("version").and_then(Node::as_str).filter(|text| !text.is_empty());
    let span = block.get("version").map_or(block.span, |node| node.span);
    if written.is_some_and(|text| minor(text) == minor(ours)) {
        return;
    }
    let what = match written {
        Some(text) => {
            work.cluster.unset(&field);
            format!("the manifest asks for {text}, and netloom has objects for {ours}")
        }
        None => format!("the manifest names no release, and kops installs one of its own; netloom has objects for {ours}"),
    };
    let help = "compare with the images that run before you apply anything, and read the notes on upgrades of those in between";
    work.choose_cluster(&format!("spec.networking.{provider}"), span, what, help);
}

/// `3.31` of `v3.31.6`.
fn minor(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.trim_start_matches('v').split(['.', '-', '+']).map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// What a manifest leaves open about Weave: encryption, and the release and the MTU where they are not written.
fn weave(work: &mut Work<'_, '_>, block: &Node) {
    let span = block.span;
    let written = |key: &str| block.get(key).filter(|node| !node.is_null() && node.as_str() != Some(""));
    weave_version(work, written("version").and_then(Node::as_str), written("version").map_or(span, |node| node.span));
    if written("mtu").is_none() {
        work.cluster.set("spec.networking.weave.mtu", Node::new(Value::Int(WEAVE_MTU), span));
        let comment = "The manifest has no `mtu`, so pods have Weave's own 1376 bytes. Without this line they get what the network \
                       carries, once they are restarted.";
        work.cluster.note("spec.networking.weave.mtu", comment);
    }
    work.cluster.set("spec.networking.weave.encryption.enabled", Node::new(Value::Bool(false), span));
    let what = "Weave is encrypted by kops only where its state store has a secret `weavepassword`, which the manifest does not \
                show; encryption is taken to be off";
    let help = "look with `kops get secrets`, and where there is one, replace this by `encryption: {key: {existingSecret: {name: \
                weave-net, key: network-password}}}`; a change either way cuts every pod's connections until all nodes have it";
    work.choose_cluster("spec.networking.weave.encryption", span, what, help);
}

/// The release that runs, or the nearest one that there are images of.
fn weave_version(work: &mut Work<'_, '_>, written: Option<&str>, span: Span) {
    let field = "spec.networking.weave.version";
    match written {
        Some(version) if version.starts_with("2.9.") || version == WEAVE => {}
        None => {
            let comment = "What kops installs. Without this line it is the community's 2.9.0, whose nodes need nft.";
            work.cluster.set(field, Node::new(Value::String(WEAVE.into()), span));
            work.cluster.note(field, comment);
        }
        Some(version) => {
            work.cluster.set(field, Node::new(Value::String(WEAVE.into()), span));
            let what = format!("netloom has no objects for Weave {version}; {WEAVE} is the nearest release it has");
            work.choose_cluster(
                field,
                span,
                what,
                "all nodes have to take the new release; try it on a cluster of no importance",
            );
        }
    }
}
