//! What changes of the core's own fields do.

use super::Class;

/// A field of the core, those below it included, with what a change of it does.
pub(super) struct Known {
    pub(super) field: &'static str,
    pub(super) class: Class,
    pub(super) because: &'static str,
    pub(super) steps: &'static [&'static str],
}

const fn known(field: &'static str, class: Class, because: &'static str, steps: &'static [&'static str]) -> Known {
    Known { field, class, because, steps }
}

const SECOND_CLUSTER: &[&str] = &["Build a second cluster beside this one, and move over."];

/// Fields of a cluster, where none of its overlays says anything. The steps follow kops's tables of what an update needs.
pub(super) const CLUSTER: [Known; 19] = [
    known(
        "network",
        Class::Unsupported,
        "A cluster's machines, addresses and security groups belong to its network, and cannot leave it.",
        SECOND_CLUSTER,
    ),
    known(
        "clusterName",
        Class::Downtime,
        "The cloud controller manager finds machines, routes and load balancers by the tag with this name; with another one it finds none of them.",
        SECOND_CLUSTER,
    ),
    known(
        "kubernetesVersion",
        Class::NodeReplacement,
        "netloom renders for this version; control plane and nodes get it by being replaced.",
        &["Upgrade the control plane one minor version at a time, then replace the nodes."],
    ),
    known(
        "podCIDR",
        Class::Downtime,
        "Nodes keep the range that they were given, and running pods their addresses, while routes and rules are made for the new range.",
        &[
            "Announce a downtime, or build a second cluster and move over.",
            "Change `--cluster-cidr` of the controller managers and of kube-proxy, and merge the change.",
            "Replace every node.",
        ],
    ),
    known(
        "serviceCIDR",
        Class::Downtime,
        "Services keep their addresses until they are made anew, the API server's own service and cluster DNS among them, and its certificate names the old one.",
        &[
            "Announce a downtime, or build a second cluster and move over.",
            "Change `--service-cluster-ip-range` of the API server and the controller manager, and renew the API server's certificate.",
            "Make every Service anew, and replace every node.",
        ],
    ),
    known(
        "nonMasqueradeCIDR",
        Class::NodeReplacement,
        "The rules for address translation stay on a node until it is replaced or rebooted.",
        &[],
    ),
    known("nodes.max", Class::InPlace, "netloom counts with it; no machine changes.", &[]),
    known("nodes.kernel", Class::InPlace, "netloom checks with it; no machine changes.", &[]),
    known("nodes.architectures", Class::InPlace, "netloom checks with it; no machine changes.", &[]),
    known("nodes.instanceTypes", Class::InPlace, "netloom counts with it; no machine changes.", &[]),
    known(
        "nodes.maxPods",
        Class::NodeReplacement,
        "Kubelets read it when they start.",
        &["Give the kubelets the new number, and replace the nodes one after the other."],
    ),
    known(
        "nodes.podCIDRMask",
        Class::NodeReplacement,
        "A node keeps the range that it was given as long as it is registered.",
        &["Change `--node-cidr-mask-size` of the controller manager, and replace the nodes one after the other."],
    ),
    known("controlPlane.apiPort", Class::Downtime, "Kubelets, pods and people go on asking at the old port.", &[]),
    known("controlPlane.apiHost", Class::Rolling, "What reaches the API server under this name restarts.", &[]),
    known(
        "controlPlane.etcdPorts",
        Class::InPlace,
        "Security groups admit other ports at once; etcd itself is not netloom's.",
        &[],
    ),
    known(
        "kubeProxy.mode",
        Class::NodeReplacement,
        "kube-proxy leaves the rules of its old mode on a node until the node is rebooted or replaced; both sets together translate packets twice.",
        &["Change kube-proxy's configuration together with the replacement of nodes, one after the other."],
    ),
    known(
        "dns.domain",
        Class::NodeReplacement,
        "Kubelets write the domain into pods when these start; running pods look up names in the old one.",
        &["Let cluster DNS serve both domains, change the kubelets, and replace the nodes; drop the old domain then."],
    ),
    known(
        "dns.serviceIP",
        Class::Downtime,
        "Running pods ask for names at the old address until they are made anew.",
        &[
            "Announce a downtime: the DNS service has to be made anew, the kubelets' `clusterDNS` changed, and every pod restarted.",
        ],
    ),
    known("access", Class::InPlace, "Security groups admit other senders at once.", &[]),
];

/// Fields of a network; the others are judged by the resources that they change.
pub(super) const NETWORK: [Known; 6] = [
    known("aws.region", Class::Unsupported, "A network cannot move to another region.", SECOND_CLUSTER),
    known(
        "aws.cidr",
        Class::Unsupported,
        "A VPC keeps its primary range; another range is another VPC.",
        &["Add a range under `additionalCIDRs` instead, or build a second network."],
    ),
    known("aws.vpcID", Class::Unsupported, "Another VPC is another network.", SECOND_CLUSTER),
    known(
        "aws.topology",
        Class::NodeReplacement,
        "Machines stay in the subnets that they were started in; in the others they have to be started anew.",
        &[
            "Add the new subnets first and keep the old ones (`subnets`), and merge.",
            "Replace control plane and nodes into the new subnets, and the load balancers between internal and public ones by hand.",
            "Remove the old subnets when nothing is left in them.",
        ],
    ),
    known(
        "aws.natGateways",
        Class::Downtime,
        "Connections through a gateway that goes or is exchanged break, and the addresses change under which the outside sees the cluster.",
        &[
            "Tell whoever admits the cluster by its addresses.",
            "Choose a quiet hour: what is open through the old gateways is cut.",
        ],
    ),
    known(
        "mtu",
        Class::NodeReplacement,
        "Running pods and bridges keep the old value; where it becomes smaller, large packets vanish until the last node is replaced.",
        &["Replace the nodes one after the other."],
    ),
];

/// The entry for a field or the nearest field above it.
pub(super) fn longest<'k>(table: &'k [Known], field: &str) -> Option<&'k Known> {
    let found = table.iter().filter(|known| is_below(field, known.field));
    found.max_by_key(|known| known.field.len())
}

pub(super) fn is_below(field: &str, above: &str) -> bool {
    field.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
