//! Whether the schemas that objects are checked against are those of the cluster's version of Kubernetes.

use super::Rendered;
use findings::{Diagnostic, rules};

/// Notes that other schemas stand in for a version that has none embedded.
pub fn check(rendered: Rendered<'_>, findings: &mut Vec<Diagnostic>) {
    let (wanted, used) = (rendered.cluster.value.kubernetes_minor(), rendered.schemas.minor());
    if wanted != used {
        let message = format!("objects are checked against the schemas of Kubernetes 1.{used}: there are none of 1.{wanted}");
        findings.push(Diagnostic::new(&rules::KUBERNETES_SCHEMAS, rendered.cluster.span("spec.kubernetesVersion"), message));
    }
}
