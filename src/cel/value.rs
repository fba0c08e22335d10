//! What expressions compute with.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::sync::Arc;

use super::meter::Meter;
use super::types::format::Format;
use super::types::quantity::Quantity;
use super::types::semver::Semver;
use super::types::time::{Span as Length, Time};
use super::types::url::Url;
use tree::{Node, limits};

/// A value. Trees are borrowed, not converted: a field is looked at when an expression asks for it.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number without sign: `1u`.
    UInt(u64),
    /// Any other number.
    Double(f64),
    /// Text.
    String(Arc<str>),
    /// Bytes: `b'…'`.
    Bytes(Arc<[u8]>),
    /// A list or a mapping of a tree.
    Node(&'a Node),
    /// A list that an expression made.
    List(Arc<Vec<Value<'a>>>),
    /// A mapping that an expression made, in the order made.
    Map(Arc<Vec<(Value<'a>, Value<'a>)>>),
    /// A value that may be missing.
    Optional(Option<Arc<Value<'a>>>),
    /// A type's name.
    Type(&'static str),
    /// A length of time.
    Duration(Length),
    /// A point in time.
    Timestamp(Time),
    /// An IP address.
    Ip(IpAddr),
    /// An IP address and a prefix length.
    Cidr(IpAddr, u8),
    /// A Kubernetes quantity, such as `500m` or `1Gi`.
    Quantity(Quantity),
    /// A semantic version.
    Semver(Arc<Semver>),
    /// A URL.
    Url(Arc<Url>),
    /// A named format of Kubernetes.
    Format(&'static Format),
}

impl From<&str> for Value<'_> {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl<'a> From<Vec<Value<'a>>> for Value<'a> {
    fn from(items: Vec<Value<'a>>) -> Self {
        Self::List(Arc::new(items))
    }
}

impl<'a> From<&'a Node> for Value<'a> {
    fn from(node: &'a Node) -> Self {
        match &node.value {
            tree::Value::Null => Self::Null,
            tree::Value::Bool(flag) => Self::Bool(*flag),
            tree::Value::Int(number) => Self::Int(*number),
            tree::Value::Float(number) => Self::Double(*number),
            tree::Value::String(text) => Self::String(Arc::clone(text)),
            tree::Value::List(_) | tree::Value::Map(_) => Self::Node(node),
        }
    }
}

/// A count as expressions see it.
pub(super) fn int<'a>(count: usize) -> Value<'a> {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

impl<'a> Value<'a> {
    /// The name of its type, as `type(x)` gives it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::UInt(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Node(node) if node.as_list().is_some() => "list",
            Self::List(_) => "list",
            Self::Node(_) | Self::Map(_) => "map",
            Self::Optional(_) => "optional_type",
            Self::Type(_) => "type",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Ip(_) => "net.IP",
            Self::Cidr(..) => "net.CIDR",
            Self::Quantity(_) => "kubernetes.Quantity",
            Self::Semver(_) => "kubernetes.Semver",
            Self::Url(_) => "kubernetes.URL",
            Self::Format(_) => "kubernetes.NamedFormat",
        }
    }

    /// An optional value that is there.
    pub fn some(self) -> Self {
        Self::Optional(Some(Arc::new(self)))
    }

    /// Its length, where it has one: characters, bytes, items or entries.
    pub fn length(&self) -> Option<usize> {
        match self {
            Self::String(text) => Some(text.chars().count()),
            Self::Bytes(bytes) => Some(bytes.len()),
            Self::List(items) => Some(items.len()),
            Self::Map(entries) => Some(entries.len()),
            Self::Node(node) => match node.as_map() {
                Some(map) => Some(map.iter().filter(|(_, node)| !node.is_null()).count()),
                None => node.as_list().map(<[Node]>::len),
            },
            _ => None,
        }
    }

    /// The items of a list.
    pub fn items(&self) -> Option<Vec<Value<'a>>> {
        match self {
            Self::List(items) => Some(items.to_vec()),
            Self::Node(node) => Some(node.as_list()?.iter().map(Value::from).collect()),
            _ => None,
        }
    }

    /// The entries of a mapping.
    pub fn entries(&self) -> Option<Vec<(Value<'a>, Value<'a>)>> {
        match self {
            Self::Map(entries) => Some(entries.to_vec()),
            Self::Node(node) => {
                let map = node.as_map()?;
                let there = map.iter().filter(|(_, node)| !node.is_null());
                Some(there.map(|(key, node)| (Value::String(Arc::clone(&key.text)), node.into())).collect())
            }
            _ => None,
        }
    }

    /// The value under a key of a mapping; none when there is no such key, or this is no mapping.
    pub fn field(&self, key: &Value<'a>) -> Option<Value<'a>> {
        match (self, key) {
            // A field that is null is one that is not there: the API server drops it.
            (Self::Node(node), Self::String(key)) => node.get(key).filter(|node| !node.is_null()).map(Value::from),
            (Self::Map(entries), key) => entries.iter().find(|(known, _)| known.equals(key)).map(|(_, value)| value.clone()),
            _ => None,
        }
    }

    /// Whether this is a mapping.
    pub fn is_map(&self) -> bool {
        matches!(self, Self::Map(_)) || matches!(self, Self::Node(node) if node.as_map().is_some())
    }

    /// Whether two values are the same; values of different types are not, but for numbers.
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Type(a), Self::Type(b)) => a == b,
            (Self::Duration(a), Self::Duration(b)) => a == b,
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Ip(a), Self::Ip(b)) => a == b,
            (Self::Cidr(a, m), Self::Cidr(b, n)) => (a, m) == (b, n),
            (Self::Quantity(a), Self::Quantity(b)) => a.cmp(b).is_eq(),
            (Self::Semver(a), Self::Semver(b)) => a.order(b).is_eq(),
            (Self::Url(a), Self::Url(b)) => a == b,
            (Self::Format(a), Self::Format(b)) => a.name == b.name,
            (Self::Optional(a), Self::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.equals(b),
                (a, b) => a.is_none() && b.is_none(),
            },
            _ if self.is_number() => self.compare(other).is_some_and(Ordering::is_eq),
            _ => self.equal_collections(other),
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::UInt(_) | Self::Double(_))
    }

    fn equal_collections(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (self.items(), other.items()) {
            return a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.equals(b));
        }
        match (self.entries(), other.entries()) {
            (Some(a), Some(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| other.field(key).is_some_and(|other| other.equals(value)))
            }
            _ => false,
        }
    }

    /// The order of two values that can be ordered.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::String(a), Self::String(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            (Self::Timestamp(a), Self::Timestamp(b)) => Some(a.cmp(b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Double(a), b) => compare_double(*a, b.whole()?),
            (a, Self::Double(b)) => compare_double(*b, a.whole()?).map(Ordering::reverse),
            (a, b) => Some(a.whole()?.cmp(&b.whole()?)),
        }
    }

    /// The number, when it is whole by type.
    fn whole(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some((*number).into()),
            Self::UInt(number) => Some((*number).into()),
            _ => None,
        }
    }

    /// Takes what it holds, roughly in bytes, from `left`: what comparing or writing it costs. None when that is not enough.
    ///
    /// Parts may be shared, so what looks small can be large: counting ends where the budget does.
    pub fn weigh(&self, left: &mut u64, depth: usize) -> Option<()> {
        let own = match self {
            Self::String(text) => text.len() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
            _ => 1,
        };
        *left = left.checked_sub(own + 1)?;
        let depth = depth.checked_sub(1)?;
        match self {
            Self::List(items) => items.iter().try_for_each(|item| item.weigh(left, depth)),
            Self::Map(entries) => entries.iter().try_for_each(|(key, value)| {
                key.weigh(left, depth)?;
                value.weigh(left, depth)
            }),
            Self::Node(node) => weigh(node, left),
            Self::Optional(Some(value)) => value.weigh(left, depth),
            _ => Some(()),
        }
    }
}

/// A tree is no deeper than YAML may be, and shares nothing.
fn weigh(node: &Node, left: &mut u64) -> Option<()> {
    *left = left.checked_sub(1)?;
    match &node.value {
        tree::Value::String(text) => {
            *left = left.checked_sub(text.len() as u64)?;
            Some(())
        }
        tree::Value::List(items) => items.iter().try_for_each(|item| weigh(item, left)),
        tree::Value::Map(map) => map.iter().try_for_each(|(key, node)| {
            *left = left.checked_sub(key.text.len() as u64)?;
            weigh(node, left)
        }),
        _ => Some(()),
    }
}

/// The order of a double and a whole number, which is compared as a double, as the API server does it.
#[allow(clippy::cast_precision_loss, reason = "that is how they are compared")]
fn compare_double(double: f64, whole: i128) -> Option<Ordering> {
    double.partial_cmp(&(whole as f64))
}

impl Meter {
    /// Takes what looking at all of a value costs.
    ///
    /// # Errors
    /// When that is not enough.
    pub fn weigh(&self, value: &Value<'_>) -> Result<(), String> {
        let before = self.left();
        let mut left = before;
        let fits = value.weigh(&mut left, limits::POLICY_STACK);
        self.charge(if fits.is_some() { before - left } else { u64::MAX })
    }
}
