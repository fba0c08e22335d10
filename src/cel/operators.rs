//! Operators.

use cel_parser::common::ast::operators as names;

use super::meter::Meter;
use super::value::{Value, int};

/// An operator with two operands that are both evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

impl Operator {
    /// The operator that the parser calls so.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name {
            names::EQUALS => Self::Equal,
            names::NOT_EQUALS => Self::NotEqual,
            names::LESS => Self::Less,
            names::LESS_EQUALS => Self::LessOrEqual,
            names::GREATER => Self::Greater,
            names::GREATER_EQUALS => Self::GreaterOrEqual,
            names::IN => Self::In,
            names::ADD => Self::Add,
            names::SUBSTRACT => Self::Subtract,
            names::MULTIPLY => Self::Multiply,
            names::DIVIDE => Self::Divide,
            names::MODULO => Self::Modulo,
            _ => return None,
        })
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Modulo => "%",
        }
    }
}

/// The value of `left operator right`.
pub(super) fn binary<'a>(operator: Operator, left: &Value<'a>, right: &Value<'a>, meter: &Meter) -> Result<Value<'a>, String> {
    let order = || {
        meter.charge(compared(left).min(compared(right)))?;
        left.compare(right).ok_or_else(|| no_overload(operator, left, right))
    };
    match operator {
        Operator::Equal | Operator::NotEqual => {
            if !is_scalar(left) && !is_scalar(right) {
                meter.weigh(left)?;
                meter.weigh(right)?;
            }
            Ok(Value::Bool(left.equals(right) == (operator == Operator::Equal)))
        }
        Operator::Less => Ok(Value::Bool(order()?.is_lt())),
        Operator::LessOrEqual => Ok(Value::Bool(order()?.is_le())),
        Operator::Greater => Ok(Value::Bool(order()?.is_gt())),
        Operator::GreaterOrEqual => Ok(Value::Bool(order()?.is_ge())),
        Operator::In => contains(left, right, meter).ok_or_else(|| no_overload(operator, left, right))?.map(Value::Bool),
        _ => arithmetic(operator, left, right, meter),
    }
}

fn is_scalar(value: &Value<'_>) -> bool {
    !matches!(value, Value::Node(_) | Value::List(_) | Value::Map(_) | Value::Optional(_) | Value::String(_))
}

/// Bytes that a comparison looks at.
fn compared(value: &Value<'_>) -> u64 {
    match value {
        Value::String(text) => text.len() as u64,
        Value::Bytes(bytes) => bytes.len() as u64,
        _ => 1,
    }
}

/// Whether a list has an item, or a map a key; none when `range` is neither.
fn contains<'a>(item: &Value<'a>, range: &Value<'a>, meter: &Meter) -> Option<Result<bool, String>> {
    if range.is_map() {
        let cost = meter.charge(range.length()? as u64);
        return Some(cost.map(|()| range.field(item).is_some()));
    }
    let items = range.items()?;
    Some(meter.weigh(range).map(|()| items.iter().any(|known| known.equals(item))))
}

fn no_overload(operator: Operator, left: &Value<'_>, right: &Value<'_>) -> String {
    format!("`{}` does not take {} and {}", operator.sign(), left.type_name(), right.type_name())
}

fn arithmetic<'a>(operator: Operator, left: &Value<'a>, right: &Value<'a>, meter: &Meter) -> Result<Value<'a>, String> {
    let overflow = || format!("the result of `{}` is out of range", operator.sign());
    match (left, right) {
        (Value::Int(_) | Value::UInt(_), Value::Int(0) | Value::UInt(0))
            if matches!(operator, Operator::Divide | Operator::Modulo) =>
        {
            Err("division by zero".to_owned())
        }
        (Value::Int(a), Value::Int(b)) => {
            let result = match operator {
                Operator::Add => a.checked_add(*b),
                Operator::Subtract => a.checked_sub(*b),
                Operator::Multiply => a.checked_mul(*b),
                Operator::Divide => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            result.map(Value::Int).ok_or_else(overflow)
        }
        (Value::UInt(a), Value::UInt(b)) => {
            let result = match operator {
                Operator::Add => a.checked_add(*b),
                Operator::Subtract => a.checked_sub(*b),
                Operator::Multiply => a.checked_mul(*b),
                Operator::Divide => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            result.map(Value::UInt).ok_or_else(overflow)
        }
        (Value::Double(a), Value::Double(b)) => match operator {
            Operator::Add => Ok(Value::Double(a + b)),
            Operator::Subtract => Ok(Value::Double(a - b)),
            Operator::Multiply => Ok(Value::Double(a * b)),
            Operator::Divide => Ok(Value::Double(a / b)),
            _ => Err(no_overload(operator, left, right)),
        },
        _ if operator == Operator::Add => add(left, right, meter)?.ok_or_else(|| no_overload(operator, left, right)),
        _ if operator == Operator::Subtract => {
            let difference = match (left, right) {
                (Value::Timestamp(a), Value::Timestamp(b)) => a.since(*b).map(Value::Duration),
                (Value::Timestamp(a), Value::Duration(b)) => a.plus(b.negated()).map(Value::Timestamp),
                (Value::Duration(a), Value::Duration(b)) => a.plus(b.negated()).map(Value::Duration),
                _ => return Err(no_overload(operator, left, right)),
            };
            difference.ok_or_else(overflow)
        }
        _ => Err(no_overload(operator, left, right)),
    }
}

/// `+` of what is no number; none when there is no such sum.
fn add<'a>(left: &Value<'a>, right: &Value<'a>, meter: &Meter) -> Result<Option<Value<'a>>, String> {
    let overflow = || "the sum is out of range".to_owned();
    Ok(Some(match (left, right) {
        (Value::String(a), Value::String(b)) => {
            meter.charge((a.len() + b.len()) as u64)?;
            Value::from(format!("{a}{b}"))
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            meter.charge((a.len() + b.len()) as u64)?;
            Value::Bytes([&**a, &**b].concat().into())
        }
        (Value::Duration(a), Value::Duration(b)) => Value::Duration(a.plus(*b).ok_or_else(overflow)?),
        (Value::Timestamp(time), Value::Duration(length)) | (Value::Duration(length), Value::Timestamp(time)) => {
            Value::Timestamp(time.plus(*length).ok_or_else(overflow)?)
        }
        _ => {
            meter.charge((left.length().unwrap_or_default() + right.length().unwrap_or_default()) as u64)?;
            match (left.items(), right.items()) {
                (Some(mut items), Some(more)) => {
                    items.extend(more);
                    items.into()
                }
                _ => return Ok(None),
            }
        }
    }))
}

/// `operand.field`, or `operand.?field`.
pub(super) fn select<'a>(operand: &Value<'a>, field: &str, optional: bool) -> Result<Value<'a>, String> {
    let (operand, optional, chained) = match operand {
        Value::Optional(None) => return Ok(Value::Optional(None)),
        Value::Optional(Some(inner)) => (&**inner, optional, true),
        other => (other, optional, false),
    };
    if !operand.is_map() {
        let known = operand.type_name();
        return Err(match operand {
            Value::Null => format!("null has no field `{field}`"),
            _ => format!("a value of type {known} has no field `{field}`"),
        });
    }
    match operand.field(&Value::from(field)) {
        Some(value) if optional || chained => Ok(value.some()),
        Some(value) => Ok(value),
        None if optional || chained => Ok(Value::Optional(None)),
        None => Err(format!("there is no field `{field}` here; `has(…)` asks whether there is one")),
    }
}

/// `has(operand.field)`
pub(super) fn has<'a>(operand: &Value<'a>, field: &str) -> Result<Value<'a>, String> {
    match operand {
        Value::Optional(None) => Ok(Value::Bool(false)),
        Value::Optional(Some(inner)) => has(inner, field),
        map if map.is_map() => Ok(Value::Bool(map.field(&Value::from(field)).is_some())),
        list if list.length().is_some() && !matches!(list, Value::String(_) | Value::Bytes(_)) => {
            Err("a list has no fields".to_owned())
        }
        _ => Ok(Value::Bool(false)),
    }
}

/// `operand[index]`, or `operand[?index]`.
pub(super) fn index<'a>(operand: &Value<'a>, index: &Value<'a>, optional: bool) -> Result<Value<'a>, String> {
    let (operand, optional) = match operand {
        Value::Optional(None) => return Ok(Value::Optional(None)),
        Value::Optional(Some(inner)) => (&**inner, true),
        other => (other, optional),
    };
    let found = if operand.is_map() {
        operand.field(index)
    } else {
        let at = match index {
            Value::Int(at) => usize::try_from(*at).ok(),
            Value::UInt(at) => usize::try_from(*at).ok(),
            #[allow(clippy::cast_possible_truncation, reason = "what is out of range is no index")]
            Value::Double(at) if at.fract() == 0.0 => usize::try_from(*at as i64).ok(),
            _ => return Err(format!("{} is not indexed by {}", operand.type_name(), index.type_name())),
        };
        match operand {
            Value::List(items) => at.and_then(|at| items.get(at).cloned()),
            Value::Node(node) => at.and_then(|at| node.as_list()?.get(at).map(Value::from)),
            other => return Err(format!("a value of type {} has no items", other.type_name())),
        }
    };
    match found {
        Some(value) if optional => Ok(value.some()),
        Some(value) => Ok(value),
        None if optional => Ok(Value::Optional(None)),
        None => Err(match index {
            Value::String(key) => format!("there is no key `{key}` here"),
            _ => format!(
                "there is no item here at this index; there are {}",
                operand.length().map_or_else(String::new, |n| n.to_string())
            ),
        }),
    }
}

/// The length of a value, for `size`.
pub(super) fn size<'a>(value: &Value<'a>) -> Result<Value<'a>, String> {
    value.length().map(int).ok_or_else(|| format!("a value of type {} has no size", value.type_name()))
}
