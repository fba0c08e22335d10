//! Flows of overlays: how bad it is when security groups block one.

use super::{Judge, Objection};
use crate::diagnostic::{Severity, rules};
use crate::overlay::library::Overlay;
use crate::tree::{Node, Path};

/// Flows whose being blocked is taken more lightly.
pub(super) fn weaker(judge: &Judge<'_>, was: &Overlay, is: &Overlay) -> Vec<Objection> {
    fn ports(overlay: &Overlay) -> &[Node] {
        overlay.declared.node.at(&Path::dotted("spec.facts.ports")).and_then(Node::as_list).unwrap_or_default()
    }
    let severity = |port: &Node| {
        let blocked = port.get("blocked")?.str_at("severity")?;
        blocked.parse::<Severity>().ok()
    };
    let of_port = |own: &Node| {
        let name = own.str_at("name")?;
        let base = ports(was).iter().find(|port| port.str_at("name") == Some(name))?;
        let (before, after) = (severity(base).unwrap_or(Severity::Error), severity(own).unwrap_or(Severity::Error));
        let code = base.get("blocked").and_then(|blocked| blocked.str_at("code")).unwrap_or(rules::FLOW_BLOCKED.code);
        (after < before).then(|| {
            let (before, after) = (before.name(), after.name());
            let message = format!(
                "that the flow `{name}` of the overlay `{}` is blocked is lowered from `{before}` to `{after}`",
                is.name()
            );
            Objection::weaker(code, own.span, message).was(judge, base.span)
        })
    };
    ports(is).iter().filter_map(of_port).collect()
}
