//! The stacks of networks and clusters: netloom's templates, and what overlays make of them.

use super::Fleet;
use crate::overlay::clash::Clashes;
use crate::overlay::compiled::Compiled;
use crate::overlay::context::{self, Variables};
use crate::overlay::render::Instance;
use crate::overlay::{Reason, Selected};
use crate::resolve::Effective;
use artifacts::cloudformation::{self, Draft};
use findings::{Diagnostic, rules};
use model::declare::{Declared, Network, Stack};
use model::plan::{ClusterPlan, NetworkPlan};
use tree::{Node, Span};

/// The overlays of a network: those that layers give it, and those of its clusters that have something for its stack.
pub(super) type OfNetwork<'a> = Vec<Selected<'a>>;

impl<'a> Fleet<'a> {
    /// The overlays that have a share in a network's stack: those that layers give the network, then those of its clusters. Each is
    /// there once; clusters that would have it otherwise are reported, and those that do not have it.
    pub(super) fn overlays_of(
        &self,
        network: &Declared<Network>,
        plan: &NetworkPlan,
        clusters: &[Effective<'a>],
        findings: &mut Vec<Diagnostic>,
    ) -> OfNetwork<'a> {
        let name = &network.value.metadata.name;
        let inside: Vec<&Effective<'a>> = clusters.iter().filter(|one| std::ptr::eq(one.network, network)).collect();
        let at = self.networks.iter().position(|one| std::ptr::eq(one, network));
        let own = at.and_then(|at| self.overlays_of_networks.get(at)).map(Vec::as_slice).unwrap_or_default();
        let mut all: OfNetwork<'a> = own.iter().filter(|one| one.sound && self.share(one).is_some()).cloned().collect();
        let on_network = all.len();
        // Which of the clusters has which overlay.
        let mut users: Vec<Vec<&Effective<'a>>> = all.iter().map(|_| Vec::new()).collect();
        for effective in &inside {
            for (selected, compiled) in self.sharing(effective, plan) {
                match all.iter().position(|one| one.overlay.name() == selected.overlay.name()) {
                    None => {
                        all.push(selected.clone());
                        users.push(vec![effective]);
                    }
                    Some(at) => {
                        if let (Some(known), Some(users)) = (all.get_mut(at), users.get_mut(at)) {
                            findings.extend(self.differs(known, selected, compiled, network, plan));
                            merge_reasons(&mut known.reasons, &selected.reasons);
                            users.push(effective);
                        }
                    }
                }
            }
        }
        for (one, users) in all.iter().zip(users).skip(on_network) {
            let place = self.share(one).map_or(Span::NONE, |compiled| compiled.share_place(Stack::Network));
            findings.extend(shared(one.overlay.name(), place, name, &inside, &users));
        }
        all
    }

    /// An overlay that has something for the stacks of networks.
    pub(super) fn share(&self, selected: &Selected<'_>) -> Option<&'a Compiled> {
        self.compiled.get(selected.overlay.name()).filter(|compiled| compiled.has_share(Stack::Network))
    }

    /// The overlays of a cluster that have something for its network's stack and apply to the cluster. What is wrong with them there
    /// is reported when the cluster is compiled.
    fn sharing<'e>(&self, effective: &'e Effective<'a>, plan: &NetworkPlan) -> Vec<(&'e Selected<'a>, &'a Compiled)> {
        let shares = |one: &'e Selected<'a>| Some((one, self.share(one).filter(|_| one.sound)?));
        let mut sharing: Vec<_> = effective.overlays.iter().filter_map(shares).collect();
        if sharing.iter().any(|(_, compiled)| compiled.when.is_some()) {
            let instances = self.instances(effective, plan, &mut Vec::new());
            sharing.retain(|(one, _)| instances.iter().any(|instance| instance.overlay.name() == one.overlay.name()));
        }
        sharing
    }

    /// Reports that an overlay gives something else for a network's stack with the options of another cluster.
    fn differs(
        &self,
        known: &Selected<'_>,
        other: &Selected<'_>,
        compiled: &Compiled,
        network: &Declared<Network>,
        plan: &NetworkPlan,
    ) -> Option<Diagnostic> {
        if known.options == other.options {
            return None;
        }
        let share = |selected: &Selected<'_>| {
            let base = Variables::new(
                None,
                context::network(plan, &network.value.metadata.labels),
                self.sources,
                self.overlays_folder(),
            );
            let instance = Instance::of_network(selected, compiled, &base, &network.value.metadata.name, &mut Vec::new());
            instance.map(|instance| instance.share(Stack::Network, self.jsonnet))
        };
        (share(known) != share(other)).then(|| {
            let (overlay, name) = (other.overlay.name(), &network.value.metadata.name);
            let message =
                format!("`{overlay}` has two sets of options in the network `{name}`, and gives different things for its stack");
            let finding = Diagnostic::new(&rules::STACK_DIFFERS, other.place, message);
            finding.also(known.place, "the other one")
        })
    }

    pub(super) fn variables(&self, effective: &Effective<'_>, plan: &NetworkPlan) -> Variables {
        let dns = model::plan::cluster::dns_ip(&effective.cluster.value);
        let network = context::network(plan, &effective.network.value.metadata.labels);
        Variables::new(Some(context::cluster(&effective.cluster, dns)), network, self.sources, self.overlays_folder())
    }

    fn overlays_folder(&self) -> &str {
        &self.project.value.spec.paths.overlays
    }

    /// The overlays of a network, evaluated.
    pub(super) fn instances_of_network<'i>(
        &self,
        network: &Declared<Network>,
        plan: &NetworkPlan,
        overlays: &'i [Selected<'a>],
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<Instance<'i>>
    where
        'a: 'i,
    {
        let name = &network.value.metadata.name;
        let base =
            Variables::new(None, context::network(plan, &network.value.metadata.labels), self.sources, self.overlays_folder());
        let instance = |selected: &'i Selected<'a>| {
            let compiled = self.share(selected)?;
            let instance = Instance::of_network(selected, compiled, &base, name, findings)?;
            // Overlays of clusters apply to these, which has been found out there.
            let of_layer = |reason: &Reason| matches!(reason.origin, crate::overlay::Origin::NetworkLayer(_));
            (!selected.reasons.iter().any(of_layer) || instance.applies(findings)).then_some(instance)
        };
        overlays.iter().filter_map(instance).collect()
    }

    /// A network's template with what overlays make of it; none where netloom makes no stack.
    pub(super) fn stack_of_network(
        &self,
        plan: &NetworkPlan,
        overlays: &[Selected<'_>],
        instances: &[Instance<'_>],
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Draft> {
        self.stack_with(Stack::Network, cloudformation::network::template(plan), overlays, instances, findings)
    }

    /// A cluster's template with what overlays make of it; none outside AWS.
    pub(super) fn stack_of_cluster(
        &self,
        effective: &Effective<'_>,
        (plan, network): (&ClusterPlan, &NetworkPlan),
        instances: &[Instance<'_>],
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Draft> {
        let template = network.aws.as_ref().map(|_| cloudformation::cluster::template(&effective.cluster, plan, network));
        self.stack_with(Stack::Cluster, template, &effective.overlays, instances, findings)
    }

    fn stack_with(
        &self,
        stack: Stack,
        template: Option<Node>,
        overlays: &[Selected<'_>],
        instances: &[Instance<'_>],
        findings: &mut Vec<Diagnostic>,
    ) -> Option<Draft> {
        let sharing: Vec<&Instance<'_>> = instances.iter().filter(|one| one.compiled.has_share(stack)).collect();
        let Some(template) = template else {
            sharing.iter().for_each(|one| one.without_stack(stack, findings));
            return None;
        };
        let mut draft = Draft::new(template);
        sharing.iter().for_each(|one| one.extend(stack, &mut draft, self.jsonnet, findings));
        sharing.iter().for_each(|one| one.patch_stack(stack, &mut draft, self.jsonnet, findings));
        if !sharing.is_empty()
            && let Some(clashes) = Clashes::of(overlays, self.sources)
        {
            clashes.template(draft.template(), stack, findings);
        }
        Some(draft)
    }
}

fn merge_reasons(known: &mut Vec<Reason>, more: &[Reason]) {
    for reason in more {
        if !known.contains(reason) {
            known.push(reason.clone());
        }
    }
}

/// Warns of a change to a network's stack that other clusters have not asked for.
fn shared(overlay: &str, place: Span, network: &str, inside: &[&Effective<'_>], users: &[&Effective<'_>]) -> Option<Diagnostic> {
    const SHOWN: usize = 3;
    let mut others = inside.iter().filter(|one| !users.iter().any(|user| std::ptr::eq(*user, **one)));
    let first = others.next()?;
    let message = format!("`{overlay}` changes the network `{network}`, in which a cluster runs that does not have the overlay");
    let finding =
        Diagnostic::new(&rules::NETWORK_SHARED, place, message).also(first.cluster.span("spec.network"), "this cluster");
    Some(others.take(SHOWN).fold(finding, |finding, one| finding.also(one.cluster.span("spec.network"), "and this one")))
}
