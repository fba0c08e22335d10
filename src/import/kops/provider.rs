//! The network provider: the same key in a declaration, with kops's options.

use crate::diagnostic::{Diagnostic, rules};
use crate::tree::{Key, Map, Node, Path, Span, Value};

use super::Work;

/// kops's key in v1alpha2 and, where it differs, in v1alpha3; the declaration's key is the first.
const PROVIDERS: [(&str, &str); 16] = [
    ("kubenet", ""),
    ("classic", ""),
    ("external", ""),
    ("cni", ""),
    ("kopeio", ""),
    ("weave", ""),
    ("flannel", ""),
    ("calico", ""),
    ("canal", ""),
    ("kuberouter", "kubeRouter"),
    ("romana", ""),
    ("amazonvpc", "amazonVPC"),
    ("cilium", ""),
    ("lyftvpc", ""),
    ("gce", "gcp"),
    ("kindnet", ""),
];

/// Providers that netloom has no overlay for, and what to use in their place.
const WITHOUT_OVERLAY: [(&str, &str); 3] = [
    ("lyftvpc", "it is gone from kops since 1.23; `amazonvpc` and `cilium` with `ipam: eni` give pods addresses of the VPC, too"),
    ("gce", "it needs Google's alias addresses; `kubenet` is the counterpart on AWS"),
    ("kindnet", "`cni: {}` leaves its objects to you; `flannel` and `kubenet` do the same"),
];

/// Options that v1alpha3 names differently: provider, key there, key in a declaration, whether true and false change places.
const RENAMED: [(&str, &str, &str, bool); 6] = [
    ("amazonvpc", "image", "imageName", false),
    ("amazonvpc", "initImage", "initImageName", false),
    ("canal", "flanneldIptablesForwardRules", "disableFlannelForwardRules", true),
    ("cilium", "installIptablesRules", "IPTablesRulesNoinstall", true),
    ("cilium", "masquerade", "disableMasquerade", true),
    ("cilium", "toFQDNsDNSRejectResponseCode", "toFqdnsDnsRejectResponseCode", false),
];

/// What Weave itself takes for `WEAVE_MTU` (`prog/weave-kube/launch.sh`), which kops sets only where `mtu` is written.
const WEAVE_MTU: i64 = 1376;
/// The release of Weave that kops installs from 1.22 to 1.27, unless told otherwise; before it was 2.6.5 and 2.7.0.
const WEAVE: &str = "2.8.1";

/// Writes `networking`.
pub(super) fn write(work: &mut Work<'_, '_>) {
    let path = Path::dotted("spec.networking");
    work.spec.enter("spec.networking");
    let present = |(old, new): &&(&'static str, &'static str)| {
        [*old, *new].into_iter().find(|key| !key.is_empty() && work.spec.peek(&path.child(key)).is_some())
    };
    let chosen: Vec<(&str, &str)> = PROVIDERS.iter().filter_map(|pair| present(&pair).map(|key| (pair.0, key))).collect();
    let [(provider, key)] = chosen[..] else { return not_one(work, &chosen) };
    let path = path.child(key);
    let Some(block) = work.spec.peek(&path) else { return };
    if let Some((_, instead)) = WITHOUT_OVERLAY.iter().find(|(name, _)| *name == provider) {
        work.spec.leave(path, format!("netloom has no overlay for it; {instead}"));
        work.cluster.set("spec.networking.cni", Value::Map(Map::new()));
        let what = format!("the network provider `{key}` has no counterpart; with `cni`, netloom installs none");
        return work.choose_cluster("spec.networking", block.span, what, *instead);
    }
    work.spec.take(&path);
    if block.as_map().is_none() {
        return work.refuse(block.span, format!("`networking.{key}` is {}, but takes a mapping", block.kind()), "write `{}`");
    }
    let block = renamed(provider, block);
    work.cluster.set(&format!("spec.networking.{provider}"), block.clone());
    if provider == "weave" {
        weave(work, &block);
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

/// The provider's options under the names that declarations have.
fn renamed(provider: &str, block: &Node) -> Node {
    let mut block = block.clone();
    let Some(map) = block.as_map_mut() else { return block };
    let entries = std::mem::take(map).into_iter().map(|(key, mut node)| {
        let rule = RENAMED.iter().find(|(of, from, _, _)| *of == provider && *from == &*key.text);
        let Some((_, _, to, swapped)) = rule else { return (key, node) };
        if let (true, Value::Bool(flag)) = (swapped, &node.value) {
            node.value = Value::Bool(!flag);
        }
        (Key { text: (*to).into(), span: key.span }, node)
    });
    *map = entries.collect();
    block
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
