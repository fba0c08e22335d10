//! Options that kops takes and does nothing with.
//!
//! What an option does was looked up in the templates and the code of the last patch release of every minor version from 1.18 on.
//! A manifest does not name the release of kops that applies it; it is taken to be of the cluster's minor version of Kubernetes,
//! the oldest that can be.

use tree::Node;

/// Keys below a provider's block that kops ignores.
struct Ignored {
    provider: &'static str,
    /// The first minor version of kops that ignores them.
    since: u32,
    keys: &'static [&'static str],
    /// What is so instead: a clause.
    instead: &'static str,
}

const IGNORED: [Ignored; 15] = [
    Ignored {
        provider: "calico",
        since: 22,
        keys: &["crossSubnet"],
        instead: "`ipipMode` and `vxlanMode` say it, and are CrossSubnet unless written",
    },
    Ignored { provider: "calico", since: 20, keys: &["majorVersion"], instead: "only v3 is left" },
    Ignored { provider: "canal", since: 19, keys: &["disableTxChecksumOffloading"], instead: OFFLOADING },
    Ignored { provider: "flannel", since: 19, keys: &["disableTxChecksumOffloading"], instead: OFFLOADING },
    Ignored { provider: "cilium", since: 0, keys: &LEGACY, instead: "it is of Cilium's first releases" },
    Ignored { provider: "cilium", since: 19, keys: &["enableipv4", "enableipv6"], instead: "`nonMasqueradeCIDR` says it" },
    Ignored { provider: "cilium", since: 23, keys: &["containerRuntimeLabels"], instead: "the agent finds the runtime itself" },
    Ignored { provider: "cilium", since: 34, keys: &["enablePolicy"], instead: "it is `default`" },
    Ignored {
        provider: "cilium",
        since: 34,
        keys: &["bpfCTGlobalTCPMax", "bpfCTGlobalAnyMax", "bpfNATGlobalMax", "bpfNeighGlobalMax"],
        instead: "the agent sizes its maps by the memory of the machine",
    },
    Ignored { provider: "cilium", since: 34, keys: &["bpfPolicyMapMax"], instead: "it is 16384" },
    Ignored { provider: "cilium", since: 34, keys: &["bpfLBMapMax"], instead: "it is 65536" },
    Ignored {
        provider: "cilium",
        since: 34,
        keys: &["bpfLBAlgorithm", "bpfLBMaglevTableSize"],
        instead: "the agent chooses backends at random",
    },
    Ignored {
        provider: "cilium",
        since: 34,
        keys: &["toFqdnsEnablePoller", "toFQDNsEnablePoller", "sidecarIstioProxyImage", "enableHostReachableServices"],
        instead: "Cilium itself has given it up",
    },
    Ignored {
        provider: "cilium",
        since: 34,
        keys: &["IPTablesRulesNoinstall", "installIptablesRules"],
        instead: "the agent installs its iptables rules",
    },
    Ignored {
        provider: "cilium",
        since: 34,
        keys: &["enableRemoteNodeIdentity", "enableUnreachableRoutes", "disableCNPStatusUpdates"],
        instead: "it is as the agent has it",
    },
];

const OFFLOADING: &str = "checksums are left to the kernel";

/// What kops 1.18 and later have of the first releases of Cilium.
const LEGACY: [&str; 49] = [
    "accessLog",
    "agentLabels",
    "allowLocalhost",
    "autoIpv6NodeRoutes",
    "bpfRoot",
    "cniBinPath",
    "containerRuntime",
    "containerRuntimeEndpoint",
    "debugVerbose",
    "device",
    "disableConntrack",
    "disableIpv4",
    "disableK8sServices",
    "enableTracing",
    "envoyLog",
    "ipv4ClusterCidrMaskSize",
    "ipv4Node",
    "ipv4Range",
    "ipv4ServiceRange",
    "ipv6ClusterAllocCidr",
    "ipv6Node",
    "ipv6Range",
    "ipv6ServiceRange",
    "k8sApiServer",
    "k8sKubeconfigPath",
    "keepBpfTemplates",
    "keepConfig",
    "labelPrefixFile",
    "labels",
    "lb",
    "libDir",
    "logDriver",
    "logOpt",
    "logstash",
    "logstashAgent",
    "logstashProbeTimer",
    "nat46Range",
    "nodeInitBootstrapFile",
    "pprof",
    "prefilterDevice",
    "prometheusServeAddr",
    "reconfigureKubelet",
    "removeCbrBridge",
    "restartPods",
    "restore",
    "singleClusterRoute",
    "socketPath",
    "stateDir",
    "tracePayloadlen",
];

/// Why kops ignores the option at a dotted path below a provider's block, in a cluster of this minor version of Kubernetes.
pub(super) fn why(provider: &str, option: &str, minor: u32) -> Option<String> {
    let fits = |one: &&Ignored| one.provider == provider && minor >= one.since && one.keys.contains(&option);
    let one = IGNORED.iter().find(fits)?;
    let since = if one.since == 0 { String::new() } else { format!(" since 1.{}", one.since) };
    Some(format!("kops ignores it{since}; {}", one.instead))
}

/// Values that say what is so without them: provider, option, value, and why it is so.
const NOTHING: [(&str, &str, &str, &str); 1] = [(
    "calico",
    "ipv6AutoDetectionMethod",
    "none",
    "`none` is what kops has without it; nodes have IPv6 addresses where pods do",
)];

/// Why an option's value changes nothing.
pub(super) fn nothing(provider: &str, option: &str, node: &Node) -> Option<&'static str> {
    let fits = |(of, at, value, _): &&(&str, &str, &str, &str)| *of == provider && *at == option && node.as_str() == Some(*value);
    NOTHING.iter().find(fits).map(|(.., why)| *why)
}
