//! Declarations, and the plans that are made of them: types that know neither files nor providers.

pub mod declare;
pub mod plan;
pub mod unit;

// The helpers of other members' tests are those of the tests here, too; `model` is this crate in both.
#[cfg(test)]
extern crate self as model;
#[cfg(test)]
#[allow(missing_docs)]
#[path = "../testing/declarations.rs"]
pub mod testing;
