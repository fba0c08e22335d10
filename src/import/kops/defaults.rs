//! What a manifest does not say about its network provider, and kops has otherwise than the overlay.

use serde_json::Value as Json;

use crate::options;
use tree::{Node, Value};

use super::Work;

/// What is on when its block is there and does not say (`pkg/model/components/cilium.go`).
const ON_WHERE_PRESENT: [(&str, &str); 2] = [("cilium", "ingress"), ("cilium", "gatewayAPI")];

/// A default of kops that an overlay has otherwise, of all releases of kops or of some.
struct Missing {
    provider: &'static str,
    /// Minor versions of kops that have it, the last one not among them.
    releases: std::ops::Range<u32>,
    /// Whether the block leaves it open.
    open: fn(&Node) -> bool,
    option: &'static str,
    value: Written,
    comment: &'static str,
}

/// A value of a table.
#[derive(Clone, Copy)]
enum Written {
    Text(&'static str),
    Flag(bool),
}

impl From<Written> for Value {
    fn from(value: Written) -> Self {
        match value {
            Written::Text(text) => Value::String(text.into()),
            Written::Flag(flag) => Value::Bool(flag),
        }
    }
}

impl Missing {
    fn holds(&self, minor: u32, block: &Node) -> bool {
        self.releases.contains(&minor) && (self.open)(block)
    }
}

/// A range of releases that has no end yet.
const ON: u32 = u32::MAX;
/// The first release of Kubernetes without dockershim: since then containerd gives nodes of kubenet a CNI configuration
/// (`config-cni.template` of `nodeup/pkg/model/containerd.go`).
const CONTAINERD: u32 = 24;

/// `template_functions.go` (`CalicoIPv4PoolIPIPMode`), `pkg/model/components/cilium.go` and the templates of the releases.
const DEFAULTS: [Missing; 7] = [
    Missing {
        provider: "calico",
        releases: 0..22,
        open: |block| all_but_vxlan(block) && unset(block, &["crossSubnet", "ipipMode"]),
        option: "ipipMode",
        value: Written::Text("Always"),
        comment: ALWAYS,
    },
    Missing {
        provider: "calico",
        releases: 0..22,
        open: |block| !all_but_vxlan(block) && unset(block, &["crossSubnet"]),
        option: "vxlanMode",
        value: Written::Text("Always"),
        comment: ALWAYS,
    },
    Missing {
        provider: "cilium",
        releases: 22..26,
        open: |block| block.str_at("ipam") == Some("eni") && unset(block, &["disableMasquerade", "masquerade"]),
        option: "disableMasquerade",
        value: Written::Flag(true),
        comment: "With ENI addresses kops did not masquerade before 1.26.",
    },
    Missing {
        provider: "kopeio",
        releases: CONTAINERD..ON,
        open: |block| unset(block, &["writeCNIConfig"]),
        option: "writeCNIConfig",
        value: Written::Flag(false),
        comment: "Nodes that kops makes have a CNI configuration from containerd. Without this line they get a second one, which other \
                  nodes need.",
    },
    // kube-router judges them since v2.8; before, it had no such check.
    Missing {
        provider: "kuberouter",
        releases: 0..ON,
        open: |block| unset(block, &["strictExternalIPValidation"]),
        option: "strictExternalIPValidation",
        value: Written::Flag(false),
        comment: "As kops has it: addresses that Services claim for themselves count, whatever range they are of. Without this line \
                  those outside the declared ranges do not.",
    },
    Missing {
        provider: "kuberouter",
        releases: 29..ON,
        open: |block| unset(block, &["runtimeEndpoint"]),
        option: "runtimeEndpoint",
        value: Written::Text("unix:///run/containerd/containerd.sock"),
        comment: "As kops has it, for Services that ask for direct server return.",
    },
    Missing {
        provider: "romana",
        releases: 0..ON,
        open: |block| unset(block, &["etcd"]),
        option: "etcd.source",
        value: Written::Text("cluster"),
        comment: "As kops has it: Romana's data are in the cluster's etcd, on 4001, which has to speak plain HTTP and the v2 API. An \
                  etcd of Romana's own is safer, needs another port, and begins without these data.",
    },
];

const ALWAYS: &str = "The default of kops before 1.22. Without this line packets are encapsulated between subnets only.";

/// Comments on a provider's block: provider, the first minor version of kops that it is about, and the comment.
const NOTES: [(&str, u32, &str); 1] = [(
    "kubenet",
    CONTAINERD,
    "Nodes that kops makes have a CNI configuration from containerd, 10-containerd-net.conflist, which does the same as that of the \
     DaemonSet `kubenet` and comes before it: nothing changes there.",
)];

fn all_but_vxlan(block: &Node) -> bool {
    block.str_at("encapsulationMode") != Some("vxlan")
}

/// Whether the block says nothing of these: an empty text is nothing.
fn unset(block: &Node, options: &[&str]) -> bool {
    options.iter().all(|option| block.get(option).is_none_or(|node| node.is_null() || node.as_str() == Some("")))
}

/// Writes what kops has where the manifest says nothing, as far as the overlay declares it.
pub(super) fn write(work: &mut Work<'_, '_>, provider: &str, declared: &Json, block: &Node) {
    let minor = work.version.minor;
    let field = |option: &str| format!("spec.networking.{provider}.{option}");
    for (_, option) in ON_WHERE_PRESENT.iter().filter(|(of, _)| *of == provider) {
        let enabled = format!("{option}.enabled");
        let silent = block.get(option).is_some_and(|it| it.as_map().is_some_and(|map| map.get("enabled").is_none()));
        if silent && options::declared(declared, &enabled).is_some() {
            work.cluster.set(&field(&enabled), true);
        }
    }
    for default in DEFAULTS.iter().filter(|default| default.provider == provider && default.holds(minor, block)) {
        if options::declared(declared, default.option).is_some() {
            work.cluster.set(&field(default.option), Node::new(default.value.into(), block.span));
            work.cluster.note(&field(default.option), default.comment);
        }
    }
    for (_, _, comment) in NOTES.iter().filter(|(of, since, _)| *of == provider && minor >= *since) {
        work.cluster.note(&format!("spec.networking.{provider}"), *comment);
    }
    if provider == "cilium" {
        ipsec_key(work, block);
    }
}

/// The key of Cilium's IPsec that kops has put into the cluster, from its secret `ciliumpassword`.
fn ipsec_key(work: &mut Work<'_, '_>, block: &Node) {
    let encrypted = block.get("enableEncryption").and_then(Node::as_bool) == Some(true);
    if encrypted && matches!(block.str_at("encryptionType"), None | Some("" | "ipsec")) {
        let field = "spec.networking.cilium.encryptionKey";
        work.cluster.set(&format!("{field}.existingSecret.name"), "cilium-ipsec-keys");
        work.cluster.set(&format!("{field}.existingSecret.key"), "keys");
        work.cluster
            .note(field, "The key that kops has made. On a new cluster leave `encryptionKey` out: a Job makes one there.");
    }
}
