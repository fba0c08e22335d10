//! Why fields of kURL have no counterpart.

use crate::reading::Reasons;

const ADDON: &str = "it is an add-on of kURL's; netloom installs the network provider and DNS caches";
const MACHINES: &str = "netloom sets no machines up";

/// For an `Installer`.
pub(super) const INSTALLER: Reasons = &[
    ("metadata", "it is kURL's own bookkeeping"),
    ("spec", ADDON),
    ("spec.antrea", "netloom has no overlay for Antrea, whose flows and overhead are declared"),
    ("spec.calico.version", "the release is the overlay's"),
    ("spec.collectd", MACHINES),
    ("spec.containerd", MACHINES),
    ("spec.contour", "it is an ingress controller, on top of the cluster's network"),
    ("spec.docker", MACHINES),
    ("spec.firewalldConfig", "the cluster's README lists what the machines' firewalls must admit"),
    ("spec.flannel.version", "the release is the overlay's"),
    ("spec.flannel.s3Override", MACHINES),
    ("spec.helm", "it is for kURL to run"),
    ("spec.iptablesConfig", "the cluster's README lists what the machines' firewalls must admit"),
    ("spec.k3s", "a cluster of k3s brings its own network provider; kURL has ended its support"),
    ("spec.kubernetes", MACHINES),
    ("spec.kubernetes.loadBalancerAddress", "netloom makes no load balancer for the API server"),
    ("spec.kubernetes.useStandardNodePortRange", "`access.nodePorts` is about the ports 30000 to 32767"),
    ("spec.kurl", "it steers kURL's installer"),
    ("spec.rke2", "a cluster of RKE2 brings its own network provider; kURL has ended its support"),
    ("spec.selinuxConfig", MACHINES),
    ("spec.ufwConfig", "the cluster's README lists what the machines' firewalls must admit"),
    ("spec.weave.s3Override", MACHINES),
];
