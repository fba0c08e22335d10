//! A network, and a cluster in it, as a picture: one model, and a writer for each of mermaid, DOT and SVG.
//!
//! The model is made of the plan, so a picture shows what is rendered. What comes from declarations is text in it, and each
//! writer escapes text in its own way. Two pictures make one in which everything has a mark for what happened to it; writers show
//! a mark by a sign and by the form of a line, and by a colour where they have colours.

mod build;
mod compare;
pub mod dot;
pub mod mermaid;
pub mod svg;

use model::declare::SubnetType;

/// What happened to something since the base.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mark {
    /// Nothing, or there is no base.
    #[default]
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Something in it is new or gone.
    Changed,
}

impl Mark {
    /// What stands before marked text.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Mark::Same => "",
            Mark::Added => "+ ",
            Mark::Removed => "− ",
            Mark::Changed => "~ ",
        }
    }

    /// Name of the style that shows it; none for what is the same.
    #[must_use]
    pub fn class(self) -> Option<&'static str> {
        match self {
            Mark::Same => None,
            Mark::Added => Some("added"),
            Mark::Removed => Some("removed"),
            Mark::Changed => Some("changed"),
        }
    }

    /// The mark of something that these lines are in.
    #[must_use]
    pub fn of<'l>(lines: impl IntoIterator<Item = &'l Line>) -> Mark {
        let mut marks = lines.into_iter().map(|line| line.mark);
        let first = marks.next().unwrap_or_default();
        if marks.all(|mark| mark == first) { first } else { Mark::Changed }
    }

    /// The marks of a legend, and what they mean.
    pub const LEGEND: [(Mark, &'static str); 3] = [(Mark::Added, "new"), (Mark::Removed, "gone"), (Mark::Changed, "changed")];
}

/// A line of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The text.
    pub text: String,
    /// What happened to it.
    pub mark: Mark,
}

impl Line {
    /// A line of something that has a mark.
    #[must_use]
    pub fn new(text: impl Into<String>, mark: Mark) -> Self {
        Self { text: text.into(), mark }
    }

    /// The text behind its sign.
    #[must_use]
    pub fn signed(&self) -> String {
        format!("{}{}", self.mark.sign(), self.text).trim_end().to_owned()
    }
}

impl<T: Into<String>> From<T> for Line {
    fn from(text: T) -> Self {
        Line::new(text, Mark::Same)
    }
}

/// Lines as one text.
#[must_use]
pub fn words(lines: &[Line], between: &str) -> String {
    lines.iter().map(Line::signed).collect::<Vec<_>>().join(between)
}

/// What there is to draw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Name of the network; two when a cluster has another one than before.
    pub network: Vec<Line>,
    /// What the network is made of.
    pub place: Place,
    /// The cluster, when one is drawn.
    pub cluster: Option<ClusterView>,
    /// What it was compared with, in words.
    pub base: Option<String>,
}

/// Where machines are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a VPC.
    Vpc(VpcView),
    /// In a network that netloom does not create.
    Premises(Vec<RangeView>),
}

impl Default for Place {
    fn default() -> Self {
        Place::Premises(Vec::new())
    }
}

/// A range of premises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeView {
    /// What has addresses in it.
    pub what: &'static str,
    /// The range.
    pub range: Line,
}

/// A VPC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VpcView {
    /// Its id when it is there already.
    pub id: Vec<Line>,
    /// Region.
    pub region: String,
    /// Its ranges.
    pub ranges: Vec<Line>,
    /// What routes lead to, in the order in which they are drawn.
    pub ends: Vec<End>,
    /// Zones that have subnets, in the order of the subnets.
    pub zones: Vec<Line>,
    /// Subnets, in the order of the plan.
    pub subnets: Vec<SubnetView>,
    /// Route tables.
    pub tables: Vec<TableView>,
    /// Routes of subnets: one for each subnet, destination and end.
    pub ways: Vec<Way>,
    /// Names of services with an endpoint in the VPC.
    pub endpoints: Vec<Line>,
}

/// What a route leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// What it is.
    pub kind: EndKind,
    /// Its name: the words for it, and the id or place when it has one.
    pub lines: Vec<Line>,
    /// What happened to it.
    pub mark: Mark,
}

impl End {
    /// Its lines, the first with its mark.
    fn signed(&self) -> Vec<Line> {
        let mut lines = self.lines.clone();
        if let Some(first) = lines.first_mut().filter(|first| first.mark == Mark::Same) {
            first.mark = self.mark;
        }
        lines
    }
}

/// Kinds of ends of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndKind {
    /// The VPC's internet gateway.
    Internet,
    /// The egress-only internet gateway, for IPv6.
    EgressOnly,
    /// A NAT gateway in the subnet at this place.
    Nat(usize),
    /// Something outside of the picture: a transit gateway, a peering, a gateway that somebody else made.
    Outside,
}

/// A subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetView {
    /// Its name.
    pub name: String,
    /// The zone, as a place in [`VpcView::zones`].
    pub zone: usize,
    /// What it is for in a word, its ranges, and its id when it is there already.
    pub details: Vec<Line>,
    /// What happened to it.
    pub mark: Mark,
}

impl SubnetView {
    /// Whether machines in it have public addresses, or things that have stand in it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        let is = |line: &Line, of: [SubnetType; 2]| of.into_iter().any(|one| kind(one) == line.text);
        let public = |line: &Line| is(line, [SubnetType::Public, SubnetType::Utility]);
        let private = |line: &Line| is(line, [SubnetType::Private, SubnetType::DualStack]);
        // Of two words the later one is the newer.
        self.details.iter().rfind(|line| public(line) || private(line)).is_some_and(public)
    }
}

/// A route table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableView {
    /// Its name.
    pub name: String,
    /// Names of its subnets.
    pub subnets: Vec<Line>,
    /// Destinations, and the words for what they lead to.
    pub routes: Vec<Line>,
    /// What happened to it.
    pub mark: Mark,
}

impl TableView {
    /// Whether a subnet is in it, or was.
    #[must_use]
    pub fn has(&self, subnet: &SubnetView) -> bool {
        self.subnets.iter().any(|name| name.text == subnet.name)
    }
}

/// A route of a subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The subnet, as a place in [`VpcView::subnets`].
    pub subnet: usize,
    /// The end, as a place in [`VpcView::ends`].
    pub end: usize,
    /// The destination; none for everything in IPv4.
    pub destination: Option<String>,
    /// What happened to it.
    pub mark: Mark,
}

/// A cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterView {
    /// Its name; empty where only its ranges are drawn.
    pub name: String,
    /// What happened to it.
    pub mark: Mark,
    /// Range of pods, or words for what it is.
    pub pods: Vec<Line>,
    /// Range of services.
    pub services: Vec<Line>,
    /// The network provider.
    pub provider: Vec<Line>,
    /// What it does to pods' packets, a line each.
    pub encapsulation: Vec<Line>,
    /// The way of a pod's question for a name, from the pod outwards.
    pub dns: Vec<StepView>,
    /// What is admitted, by receiver.
    pub groups: Vec<GroupView>,
}

/// A step of a question for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    /// Who has the question.
    pub title: &'static str,
    /// More about it.
    pub details: Vec<Line>,
    /// What happened to it.
    pub mark: Mark,
}

/// A security group, or what a host's firewall has to admit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Whose it is.
    pub title: String,
    /// What it admits, in the order of the plan.
    pub rules: Vec<RuleView>,
    /// What happened to it.
    pub mark: Mark,
}

/// A flow that a group admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleView {
    /// Protocol and ports.
    pub protocol: String,
    /// The senders.
    pub from: String,
    /// What it is called.
    pub name: String,
    /// What happened to it.
    pub mark: Mark,
}

impl StepView {
    /// The step in lines, its title first.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        std::iter::once(Line::new(self.title, self.mark)).chain(self.details.iter().cloned()).collect()
    }
}

impl GroupView {
    /// The group in lines, its title first.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        std::iter::once(Line::new(&*self.title, self.mark)).chain(self.rules.iter().map(RuleView::line)).collect()
    }
}

impl RuleView {
    /// The rule in a line.
    #[must_use]
    pub fn line(&self) -> Line {
        Line::new(format!("{} from {}: {}", self.protocol, self.from, self.name), self.mark)
    }
}

/// What a subnet is for, in a word.
#[must_use]
pub fn kind(kind: SubnetType) -> &'static str {
    match kind {
        SubnetType::Public => "public",
        SubnetType::Private => "private",
        SubnetType::Utility => "utility",
        SubnetType::DualStack => "dual-stack",
    }
}

#[cfg(test)]
mod tests;
