//! Declarations from other tools' cluster manifests.
//!
//! An importer writes out what the manifest says and what its tool would have derived from it, so that no address moves when
//! netloom takes over. Where the manifest is silent about something that a declaration must say, the importer chooses, and says
//! so twice: in a comment beside the field and as a finding. Every field without counterpart is listed by its path.

mod imported;
mod kops;
mod kurl;
mod label;
mod manifest;
mod options;
mod reading;
mod version;
mod writing;

pub use imported::{Dropped, Imported};
pub use kops::{Kops, kops};
pub use kurl::{Kurl, kurl};
pub use manifest::read;
