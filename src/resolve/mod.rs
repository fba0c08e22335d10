//! From documents to effective declarations, and what is wrong with them.

pub mod network;
