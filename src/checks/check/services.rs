//! Addresses of services in the final objects: of the service range, nobody else's, and the DNS service's as kubelets know it.

use std::net::IpAddr;

use indexmap::IndexMap;

use findings::{Diagnostic, rules};
use model::declare::reserved;
use schema::Object;
use tree::{Node, Path, Span};

use super::{Rendered, objects};

/// The port by which a service is known to be DNS.
const DNS_PORT: i64 = 53;

/// Reports services with an address that they cannot have, or that another service has.
pub fn check(rendered: Rendered<'_>, findings: &mut Vec<Diagnostic>) {
    let mut taken: IndexMap<IpAddr, (String, Span)> = IndexMap::new();
    for object in rendered.objects.iter().filter(|object| is_service(object)) {
        for (address, span) in addresses(&object.node) {
            let name = objects::name(&object.identity);
            findings.extend(judge(rendered, object, address, span));
            match taken.get(&address) {
                Some((other, _)) if *other == name => {}
                Some((other, first)) => {
                    let message = format!("{name} and {other} have the same address {address}");
                    findings.push(Diagnostic::new(&rules::SERVICE_ADDRESS, span, message).also(*first, "the other one"));
                }
                None => drop(taken.insert(address, (name, span))),
            }
        }
    }
}

fn is_service(object: &Object) -> bool {
    object.identity.kind == "Service" && object.identity.api_version == "v1"
}

/// The addresses that a service asks for, with their places: `clusterIP` and `clusterIPs` without those said twice.
fn addresses(service: &Node) -> Vec<(IpAddr, Span)> {
    let spec = service.get("spec");
    let one = spec.and_then(|spec| spec.get("clusterIP"));
    let more = spec.and_then(|spec| spec.get("clusterIPs")?.as_list()).unwrap_or_default();
    let mut found: Vec<(IpAddr, Span)> = Vec::new();
    for node in one.into_iter().chain(more) {
        // `None` and what the API server would refuse are no addresses.
        let Some(address) = node.as_str().and_then(|text| text.parse().ok()) else { continue };
        if found.iter().all(|(known, _)| *known != address) {
            found.push((address, node.span));
        }
    }
    found
}

/// What is wrong with a service's address by itself.
fn judge(rendered: Rendered<'_>, object: &Object, address: IpAddr, span: Span) -> Option<Diagnostic> {
    let (range, dns) = (rendered.cluster.value.spec.service_cidr, rendered.plan.dns_ip);
    // A second range of the other family, which is not declared here, may well hold it.
    let other_family = range.is_v6() != address.is_ipv6();
    let name = objects::name(&object.identity);
    let finding =
        |what: String| Diagnostic::new(&rules::SERVICE_ADDRESS, span, format!("the address {address} of {name} {what}"));
    if other_family {
        return None;
    }
    if let Some(why) = reserved(range, address) {
        return Some(placed(finding(why), rendered, "spec.serviceCIDR", "the service range"));
    }
    let is_dns = object.identity.name == "kube-dns" && object.identity.namespace == "kube-system";
    if is_dns && address != dns {
        let finding = finding(format!("is not {dns}, which kubelets tell pods to ask"));
        let finding = placed(finding, rendered, "spec.dns.serviceIP", "the DNS service's address");
        return Some(finding.help("declare another address as `dns.serviceIP`"));
    }
    (address == dns && !serves_dns(&object.node))
        .then(|| placed(finding("is the DNS service's".to_owned()), rendered, "spec.dns.serviceIP", "the DNS service's address"))
}

/// Names the field that says what something has to be, where it is written.
fn placed(finding: Diagnostic, rendered: Rendered<'_>, field: &str, what: &str) -> Diagnostic {
    match rendered.cluster.node.at(&Path::dotted(field)) {
        Some(node) => finding.also(node.span, what),
        None => finding,
    }
}

fn serves_dns(service: &Node) -> bool {
    let ports = service.get("spec").and_then(|spec| spec.get("ports")?.as_list()).unwrap_or_default();
    ports.iter().any(|port| port.get("port").and_then(Node::as_int) == Some(DNS_PORT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::rendered;

    fn report(services: &[&str]) -> String {
        let object = |(at, spec): (usize, &&str)| {
            let (name, spec) = spec.split_once(' ').unwrap();
            (
                format!("{at}.yaml"),
                format!("{{apiVersion: v1, kind: Service, metadata: {{namespace: kube-system, name: {name}}}, spec: {spec}}}"),
            )
        };
        let objects: Vec<_> = services.iter().enumerate().map(object).collect();
        rendered("", "{}", &objects, check)
    }

    #[test]
    fn addresses_are_of_the_service_range() {
        assert_eq!(report(&["a {clusterIP: 100.64.0.2}", "b {clusterIP: None}", "c {}", "d {clusterIP: \"fd00::5\"}"]), "");
        assert_eq!(
            report(&["a {clusterIP: 10.1.2.3}"]),
            "error[service-address] 0.yaml:1:96: the address 10.1.2.3 of Service kube-system/a is not in serviceCIDR 100.64.0.0/13\n"
        );
        assert!(report(&["a {clusterIP: 100.64.0.1}"]).contains("which the service `kubernetes` has"));
        assert!(report(&["a {clusterIPs: [100.71.255.255]}"]).contains("is the last of serviceCIDR"));
    }

    #[test]
    fn the_dns_service_alone_has_its_address() {
        assert_eq!(report(&["kube-dns {clusterIP: 100.64.0.10, ports: [{port: 53}]}"]), "");
        assert_eq!(report(&["coredns {clusterIP: 100.64.0.10, ports: [{port: 53}]}"]), "");
        assert_eq!(
            report(&["kube-dns {clusterIP: 100.64.0.11}"]),
            "error[service-address] 0.yaml:1:103: the address 100.64.0.11 of Service kube-system/kube-dns is not 100.64.0.10, \
             which kubelets tell pods to ask\n"
        );
        assert!(report(&["web {clusterIP: 100.64.0.10, ports: [{port: 80}]}"]).contains("is the DNS service's\n"));
    }

    #[test]
    fn no_two_services_share_an_address() {
        assert_eq!(
            report(&["a {clusterIP: 100.64.0.20, clusterIPs: [100.64.0.20]}", "b {clusterIP: 100.64.0.20}"]),
            "error[service-address] 1.yaml:1:96: Service kube-system/b and Service kube-system/a have the same address 100.64.0.20 \
             | 0.yaml:1:96: the other one\n"
        );
    }
}
