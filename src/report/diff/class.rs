//! What a change does to what runs.

use serde::Serialize;

use model::declare::TransitionClass;

/// What a change does to a running system, from harmless to impossible; what nobody knows is worse than all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Takes effect without a restart.
    InPlace,
    /// Pods restart one node after the other.
    Rolling,
    /// Nodes must be replaced.
    NodeReplacement,
    /// CloudFormation replaces resources.
    ResourceReplacement,
    /// Traffic stops for a while.
    Downtime,
    /// Cannot be done on a running system.
    Unsupported,
    /// Nobody has said what it does.
    #[value(skip)]
    Unknown,
}

impl Class {
    /// Every class, from harmless to unknown.
    pub const ALL: [Class; 7] = [
        Class::InPlace,
        Class::Rolling,
        Class::NodeReplacement,
        Class::ResourceReplacement,
        Class::Downtime,
        Class::Unsupported,
        Class::Unknown,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Class::InPlace => "in-place",
            Class::Rolling => "rolling",
            Class::NodeReplacement => "node-replacement",
            Class::ResourceReplacement => "resource-replacement",
            Class::Downtime => "downtime",
            Class::Unsupported => "unsupported",
            Class::Unknown => "unknown",
        }
    }

    /// What it means, as a clause.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Class::InPlace => "takes effect without a restart",
            Class::Rolling => "pods restart one node after the other",
            Class::NodeReplacement => "nodes must be replaced",
            Class::ResourceReplacement => "CloudFormation replaces resources",
            Class::Downtime => "traffic stops for a while",
            Class::Unsupported => "cannot be done on a running system",
            Class::Unknown => "nobody has said what it does",
        }
    }
}

impl From<TransitionClass> for Class {
    fn from(class: TransitionClass) -> Self {
        match class {
            TransitionClass::InPlace => Class::InPlace,
            TransitionClass::Rolling => Class::Rolling,
            TransitionClass::NodeReplacement => Class::NodeReplacement,
            TransitionClass::Downtime => Class::Downtime,
            TransitionClass::Unsupported => Class::Unsupported,
        }
    }
}

/// What one change does to what runs, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    /// How bad it is.
    pub class: Class,
    /// Name by which it is acknowledged: the field of the declaration, or the object.
    pub transition: String,
    /// What changes, each as `field: before → after` or as the object with what happens to it.
    pub changes: Vec<String>,
    /// Why it does that.
    pub because: String,
    /// What to do, in order.
    pub steps: Vec<String>,
    /// Who says so: an overlay, or the source of the core's own tables.
    pub source: String,
    /// Why somebody wants it in spite of that.
    pub acknowledged: Option<String>,
}

impl Effect {
    /// An effect of one change.
    pub(super) fn new(
        class: Class,
        transition: impl Into<String>,
        change: impl Into<String>,
        because: impl Into<String>,
    ) -> Self {
        let mut because = because.into();
        if !because.ends_with('.') {
            because.push('.');
        }
        Self {
            class,
            transition: transition.into(),
            changes: vec![change.into()],
            because,
            steps: Vec::new(),
            source: "netloom".to_owned(),
            acknowledged: None,
        }
    }

    pub(super) fn steps(mut self, steps: &[&str]) -> Self {
        self.steps = steps.iter().map(|step| (*step).to_owned()).collect();
        self
    }

    pub(super) fn source(mut self, source: impl Into<String>) -> Self {
        self.source = source.into();
        self
    }
}
