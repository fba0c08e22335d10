//! Senders of flows.

use std::fmt;

use crate::declare::Endpoint;
use schema::address::{Cidr, Invalid};

/// A flow's sender.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Machines of the cluster.
    Machines(Endpoint),
    /// An address range.
    Range(Cidr),
    /// An AWS prefix list, by id.
    PrefixList(String),
}

impl Peer {
    /// Reads an item of an access list: an address range or a prefix list's id.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let id = text.strip_prefix("pl-").filter(|id| !id.is_empty());
        match id {
            Some(id) if id.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()) => {
                Ok(Peer::PrefixList(text.to_owned()))
            }
            _ => text.parse().map(Peer::Range),
        }
    }

    /// The disjoint sets of senders that make it up.
    #[must_use]
    pub fn parts(&self) -> Vec<Peer> {
        match self {
            Peer::Machines(machines) => machines.parts().iter().map(|part| Peer::Machines(*part)).collect(),
            Peer::Range(_) | Peer::PrefixList(_) => vec![self.clone()],
        }
    }

    /// Whether this is the whole internet, in either address family.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        matches!(self, Peer::Range(range) if range.prefix() == 0)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Machines(machines) => machines.fmt(f),
            Peer::Range(range) => range.fmt(f),
            Peer::PrefixList(id) => f.write_str(id),
        }
    }
}
