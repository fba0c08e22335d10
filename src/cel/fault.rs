//! Why an expression has no value.

use tree::Span;

/// Why an expression has no value.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// Where in the policy.
    pub span: Span,
    /// Whether nothing makes up for it: the budget is spent.
    pub fatal: bool,
}
