//! Fields of declarations, and what expressions see of them under other names.

use std::sync::Arc;

use serde_json::Value as Json;

use super::origin::{Kind, Origin, overridden, place};
use model::declare::{Cluster, Declared, Network};
use tree::{Node, Path, Span, Step};

/// The origin of a field of a declaration: where it is written, or that it is not.
pub(super) fn field(document: &Node, path: &Path, default: Option<Json>) -> Origin {
    let text = path.to_string();
    match document.at(path) {
        Some(node) => {
            let overrode = overridden(document, path);
            let origin = Origin::new(Kind::Declared, place(document, path), text).with(Some(node.to_json()));
            Origin { overrode, ..origin }
        }
        None if default.as_ref().is_some_and(|value| !value.is_null()) => {
            // The schema of the kind of document says so, and so does its type in `src/model/declare`.
            let kind = document.str_at("kind").unwrap_or_default().to_lowercase();
            let by = format!("`netloom schema {kind}`");
            Origin { by, ..Origin::new(Kind::Default, Span::NONE, text).with(default) }
        }
        None => Origin::new(Kind::Unset, Span::NONE, text),
    }
}

/// [`field`] by its name.
pub(super) fn at(document: &Node, name: &str, default: Option<Json>) -> Arc<Origin> {
    let path = super::field::find(document, name).unwrap_or_else(|_| Path::dotted(name));
    Arc::new(field(document, &path, default).named(name))
}

fn steps(rest: &[&str]) -> impl Iterator<Item = Step> {
    rest.iter().map(|key| Step::Key((*key).to_owned()))
}

/// What expressions call `cluster.…`; `value` is what they see.
pub(super) fn cluster(cluster: &Declared<Cluster>, rest: &[&str], value: Option<Json>) -> Origin {
    let document = &cluster.node;
    let spec = &cluster.value.spec;
    let below = |prefix: &str, rest: &[&str]| {
        let mut path = Path::dotted(prefix);
        path.0.extend(steps(rest));
        path
    };
    let from = |text: &str, paths: &[&str]| {
        let inputs = paths.iter().filter(|path| document.at(&Path::dotted(path)).is_some()).map(|path| at(document, path, None));
        Origin::computed(text, inputs.collect()).with(value.clone())
    };
    match rest {
        [] => from("the whole cluster", &["metadata.name"]),
        ["name"] => field(document, &below("metadata.name", &[]), None),
        ["labels", rest @ ..] => field(document, &below("metadata.labels", rest), value),
        ["clusterName"] if document.at(&Path::dotted("spec.clusterName")).is_none() => {
            from("the cluster's name, since `spec.clusterName` is not declared", &["metadata.name"])
        }
        ["kubernetesMinor"] => from("the minor of the Kubernetes version", &["spec.kubernetesVersion"]),
        ["cniProvider"] => from("the network provider", &["spec.networking"]),
        ["dns", "serviceIP"] if document.at(&Path::dotted("spec.dns.serviceIP")).is_none() => {
            let range = at(document, "spec.serviceCIDR", Some(spec.service_cidr.to_string().into()));
            Origin::computed("the tenth address of the service range", vec![range]).with(value)
        }
        ["controlPlane", "portsBesideEtcd"] => {
            let ports = at(document, "spec.controlPlane.etcdPorts", Some(spec.control_plane.etcd_ports.clone().into()));
            Origin::computed("the TCP ports besides etcd's", vec![ports]).with(value)
        }
        rest => field(document, &below("spec", rest), value),
    }
}

/// What expressions call `network.…`.
pub(super) fn network(network: &Declared<Network>, rest: &[&str], value: Option<Json>) -> Origin {
    let document = &network.node;
    let aws = network.value.spec.aws.is_some();
    let from = |text: &str, paths: &[&str]| {
        let written = paths.iter().filter(|path| document.at(&Path::dotted(path)).is_some());
        let inputs: Vec<_> = written.map(|path| at(document, path, None)).collect();
        Origin::computed(text, inputs).with(value.clone())
    };
    let ranges = ["spec.aws.cidr", "spec.aws.additionalCIDRs", "spec.static.cidr", "spec.static.additionalCIDRs"];
    match rest.first().copied() {
        Some("name") => field(document, &Path::dotted("metadata.name"), None),
        Some("labels") => {
            let mut path = Path::dotted("metadata.labels");
            path.0.extend(steps(rest.get(1..).unwrap_or_default()));
            field(document, &path, value)
        }
        Some("mtu") => {
            let written = document.at(&Path::dotted("spec.mtu")).is_some();
            let platform = if aws { "spec.aws" } else { "spec.static" };
            let inputs = if written { Vec::new() } else { vec![at(document, platform, None).shortened()] };
            Origin { inputs, ..field(document, &Path::dotted("spec.mtu"), value) }
        }
        Some("cidrs") => from("the network's ranges", &ranges),
        Some("platform") => from("whether the network is on AWS", &["spec.aws", "spec.static"]),
        Some("region") if aws => field(document, &Path::dotted("spec.aws.region"), value),
        Some("zones") if aws => from("the zones in which subnets stand", &["spec.aws.zones", "spec.aws.subnets"]),
        Some("topology") if aws => field(document, &Path::dotted("spec.aws.topology"), value),
        Some("vpcID") if aws => field(document, &Path::dotted("spec.aws.vpcID"), value),
        Some("natGateways") if aws => from(
            "the number of NAT gateways",
            &["spec.aws.natGateways", "spec.aws.topology", "spec.aws.zones", "spec.aws.subnets"],
        ),
        Some("subnets") if aws => from("the network's subnets", &["spec.aws.cidr", "spec.aws.zones", "spec.aws.subnets"]),
        Some(_) => from("the network is not on AWS", &["spec.static"]),
        None => from("the whole network", &["metadata.name"]),
    }
}
