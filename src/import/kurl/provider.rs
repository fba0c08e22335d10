//! The network provider.

use crate::version::Version;
use findings::{Diagnostic, rules};
use tree::{Node, Path, Span, Value};

use super::ranges::Pods;
use super::{Work, empty};

/// Add-ons that are network providers.
const PROVIDERS: [&str; 4] = ["weave", "flannel", "antrea", "calico"];
/// The last release of Weave by its makers, which kURL's builds are of.
const WEAVE: &str = "2.8.1";
/// What Weave itself takes for `WEAVE_MTU` (`prog/weave-kube/launch.sh`), which kURL does not set.
const MTU: i64 = 1376;
/// `veth_mtu` of `addons/calico/3.9.1/calico.yaml`.
const CALICO_MTU: i64 = 1440;
/// The Secret of kURL's key, and the entry in it (`addons/weave/*/tmpl-secret.yaml`).
const SECRET: &str = "weave-passwd";

/// Writes `networking`; the pod range as the add-on declares it.
pub(super) fn write<'a>(work: &mut Work<'a, '_>) -> Pods<'a> {
    let path = Path::dotted("spec");
    let chosen: Vec<&str> = PROVIDERS.into_iter().filter(|name| work.spec.peek(&path.child(name)).is_some()).collect();
    match chosen[..] {
        ["weave"] => weave(work),
        ["flannel"] => flannel(work),
        ["antrea"] => antrea(work),
        ["calico"] => calico(work),
        [] => none(work),
        [first, second, ..] => {
            let names = chosen.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let place = |name: &str| work.spec.span(&format!("spec.{name}"));
            let finding = Diagnostic::new(&rules::IMPORT_FORM, place(second), format!("more than one network provider: {names}"));
            let finding = finding.also(place(first), "the first one");
            work.findings.push(finding);
            Pods::default()
        }
        [_] => Pods::default(),
    }
}

fn weave<'a>(work: &mut Work<'a, '_>) -> Pods<'a> {
    let span = work.spec.span("spec.weave");
    work.cluster.set("spec.networking.weave", empty(span));
    weave_version(work, span);
    // kURL's default is on, which is Weave's, too.
    if let Some(flag) = work.spec.flag(&["spec.weave.noMasqLocal"], work.findings) {
        let span = work.spec.span("spec.weave.noMasqLocal");
        work.cluster.set("spec.networking.weave.noMasqLocal", Node::new(Value::Bool(flag), span));
    }
    work.cluster.set("spec.networking.weave.mtu", Node::new(Value::Int(MTU), span));
    let comment =
        "kURL leaves Weave its own 1376 bytes. Without this line pods get what the network carries, once they are restarted.";
    work.cluster.note("spec.networking.weave.mtu", comment);
    weave_encryption(work, span);
    pods(work, "spec.weave", "podCidrRange", false)
}

/// kURL's builds are of 2.8.1 (`2.8.1-20230417`, `2.8.x`) and older; of those there are no images that the overlay fits.
fn weave_version(work: &mut Work<'_, '_>, span: Span) {
    let written = work.spec.text(&["spec.weave.version"], work.findings);
    work.cluster.set("spec.networking.weave.version", Node::new(Value::String(WEAVE.into()), span));
    let (text, span) = written.unwrap_or(("", span));
    let field = "spec.networking.weave.version";
    if text.starts_with("2.8.") {
        let comment = "The release that kURL installs. Without this line it is the community's 2.9.0, whose nodes need nft.";
        return work.cluster.note(field, comment);
    }
    let asked = if text == "latest" || text.is_empty() { "a release that only kURL knows" } else { text };
    let what = format!("the Installer asks for {asked}; {WEAVE} is the nearest release that netloom has objects for");
    let help = "look at the image of the DaemonSet `weave-net`; if it is older, all nodes have to take the new release";
    work.choose_cluster(field, span, what, help);
}

/// kURL's secret is `weave-passwd`, made once; `isEncryptionDisabled` reads as if it turned encryption off.
fn weave_encryption(work: &mut Work<'_, '_>, span: Span) {
    let flag = work.spec.flag(&["spec.weave.isEncryptionDisabled"], work.findings);
    let field = "spec.networking.weave.encryption";
    if flag != Some(true) {
        let secret = "spec.networking.weave.encryption.key.existingSecret";
        work.cluster.set(&format!("{secret}.name"), Node::new(Value::String(SECRET.into()), span));
        work.cluster.set(&format!("{secret}.key"), Node::new(Value::String(SECRET.into()), span));
        let comment = "The key that kURL's installer made, once. On a new cluster leave `encryption` out: a Job makes one there.";
        return work.cluster.note(field, comment);
    }
    let span = work.spec.span("spec.weave.isEncryptionDisabled");
    work.cluster.set(&format!("{field}.enabled"), Node::new(Value::Bool(false), span));
    let what = "the Installer asks for no encryption, but kURL's script turns it off only for the value 0 and this flag becomes 1, \
                so an installed cluster may well be encrypted";
    let help = "look with `weave --local status` in a Weave pod; a change either way cuts every pod's connections until all nodes have it";
    work.choose_cluster(field, span, what, help);
}

fn flannel<'a>(work: &mut Work<'a, '_>) -> Pods<'a> {
    let span = work.spec.span("spec.flannel");
    work.spec.enter("spec.flannel");
    let backend = Node::new(Value::String("vxlan".into()), span);
    work.cluster.set("spec.networking.flannel.backend", backend);
    pods(work, "spec.flannel", "podCIDRRange", true)
}

/// What Antrea sends, by how it encrypts: the bytes it takes (`pkg/agent/config/node_config.go` and `pkg/agent/agent.go` of Antrea
/// 1.4) and the flows (`pkg/apis/ports.go`), each a name, a protocol, a port and what for.
struct Tunnel {
    overhead: &'static [(&'static str, i64)],
    flows: &'static [(&'static str, &'static str, Option<&'static str>, &'static str)],
}

const GENEVE: Tunnel =
    Tunnel { overhead: &[("Geneve", 50)], flows: &[("antrea-geneve", "udp", Some("6081"), "pod traffic between nodes")] };
const GENEVE_IPV6: Tunnel = Tunnel { overhead: &[("Geneve", 70)], ..GENEVE };
const WIREGUARD: Tunnel = Tunnel {
    overhead: &[("WireGuard", 80)],
    flows: &[("antrea-wireguard", "udp", Some("51820"), "pod traffic between nodes, encrypted")],
};
/// `ipsec.yaml` of kURL's releases before 1.4.
const IPSEC: Tunnel = Tunnel {
    overhead: &[("GRE", 38), ("ESP", 38)],
    flows: &[
        ("antrea-esp", "50", None, "pod traffic between nodes, encrypted"),
        ("antrea-ike", "udp", Some("500"), "nodes agree on keys"),
    ],
};
/// The minor version of Antrea 1 from which kURL encrypts with WireGuard.
const WIREGUARD_SINCE: u32 = 4;

/// There is no overlay for Antrea; what a plan has to know of it is declared.
fn antrea<'a>(work: &mut Work<'a, '_>) -> Pods<'a> {
    let span = work.spec.span("spec.antrea");
    let plain = work.spec.flag(&["spec.antrea.isEncryptionDisabled"], work.findings) == Some(true);
    let ipv6 = work.spec.peek(&Path::dotted("spec.kurl.ipv6")).and_then(Node::as_bool) == Some(true);
    let version = work.spec.peek(&Path::dotted("spec.antrea.version")).and_then(Node::as_str).unwrap_or_default();
    let old = version.starts_with("0.") || Version::parse(version).is_some_and(|version| version.minor < WIREGUARD_SINCE);
    let tunnel = match (plain, old) {
        (true, _) if ipv6 => GENEVE_IPV6,
        (true, _) => GENEVE,
        (false, true) => IPSEC,
        (false, false) => WIREGUARD,
    };
    work.cluster.set("spec.networking.cni", empty(span));
    let mut set = |field: &str, value: Node| work.cluster.set(&format!("spec.networking.cni.{field}"), value);
    set("kubeProxy", "required".into());
    set("nodeRanges", true.into());
    if !plain {
        set("encrypted", true.into());
    }
    if ipv6 {
        set("ipv6", true.into());
    }
    let overhead = |(name, bytes): &(&str, i64)| Node::map([("name", Node::from(*name)), ("bytes", Node::from(*bytes))]);
    set("overhead", tunnel.overhead.iter().map(overhead).collect::<Vec<Node>>().into());
    let controller = ("antrea-controller", "tcp", Some("10349"), "agents ask Antrea's controller, on whichever node it is");
    set("ports", tunnel.flows.iter().chain([&controller]).map(flow).collect::<Vec<Node>>().into());
    let what = "there is no overlay for Antrea; with `cni`, netloom installs no network provider and Antrea stays yours";
    work.choose_cluster(
        "spec.networking",
        span,
        what,
        "`flannel` is what kURL itself offers today, but there is no way over without downtime",
    );
    pods(work, "spec.antrea", "podCidrRange", true)
}

fn flow((name, protocol, port, because): &(&str, &str, Option<&str>, &str)) -> Node {
    let fields =
        [("name", Some(*name)), ("protocol", Some(*protocol)), ("port", *port), ("from", Some("nodes")), ("to", Some("nodes"))];
    let fields = fields.into_iter().chain([("because", Some(*because))]);
    Node::map(fields.filter_map(|(key, value)| Some((key, Node::from(value?)))))
}

fn calico<'a>(work: &mut Work<'a, '_>) -> Pods<'a> {
    let span = work.spec.span("spec.calico");
    work.spec.enter("spec.calico");
    work.cluster.set("spec.networking.calico.ipipMode", Node::new(Value::String("Always".into()), span));
    work.cluster.set("spec.networking.calico.mtu", Node::new(Value::Int(CALICO_MTU), span));
    let comment = "kURL's add-on has 1440 bytes. Without this line pods get what the network carries, once they are made anew.";
    work.cluster.note("spec.networking.calico.mtu", comment);
    let what = "the Installer's Calico is 3.9.1 of 2019, the one release that kURL has; netloom has objects for a current one";
    let help =
        "Calico is upgraded one step of a few minor releases after the other; read its notes on upgrades, or make a new cluster";
    work.choose_cluster("spec.networking.calico", span, what, help);
    Pods { per_node: true, ..Pods::default() }
}

fn none<'a>(work: &mut Work<'a, '_>) -> Pods<'a> {
    let span = work.spec.span("spec");
    work.cluster.set("spec.networking.cni", empty(span));
    let what = "the Installer names no network provider; with `cni`, netloom installs none";
    work.choose_cluster("spec.networking", span, what, "write the one that the cluster has, such as `weave: {}`");
    Pods::default()
}

fn pods<'a>(work: &mut Work<'a, '_>, addon: &str, prefix: &str, per_node: bool) -> Pods<'a> {
    let range = work.spec.text(&[&format!("{addon}.podCIDR")], work.findings);
    let prefix = work.spec.first(&[&format!("{addon}.{prefix}")]);
    Pods { range, prefix, per_node }
}
