//! Functions on lists, and sets.

use std::cmp::Ordering;
use std::sync::Arc;

use super::super::value::{Value, int};
use super::{Function, Outcome, function, method, refused};
use crate::meter::Meter;
use crate::operators::{Operator, binary};

pub(super) const FUNCTIONS: &[Function] = &[
    method("isSorted", 0..=0, |meter, it| {
        let items = items(meter, it)?;
        for pair in items.windows(2) {
            if ordered(&pair[0], &pair[1])?.is_gt() {
                return Ok(Value::Bool(false));
            }
        }
        Ok(Value::Bool(true))
    }),
    method("sum", 0..=0, |meter, it| {
        let items = items(meter, it)?;
        let Some((first, rest)) = items.split_first() else { return Ok(Value::Int(0)) };
        if !matches!(first, Value::Int(_) | Value::UInt(_) | Value::Double(_) | Value::Duration(_)) {
            return refused(&items);
        }
        rest.iter().try_fold(first.clone(), |sum, item| binary(Operator::Add, &sum, item, meter))
    }),
    method("min", 0..=0, |meter, it| extreme(meter, it, Ordering::Less)),
    method("max", 0..=0, |meter, it| extreme(meter, it, Ordering::Greater)),
    method("slice", 2..=2, |meter, it| {
        let [list, Value::Int(from), Value::Int(to)] = it else { return refused(it) };
        let Some(items) = list.items() else { return refused(it) };
        meter.charge(items.len() as u64)?;
        let range = usize::try_from(*from).ok().zip(usize::try_from(*to).ok()).and_then(|(from, to)| items.get(from..to));
        range.map(|part| part.to_vec().into()).ok_or_else(|| format!("there are no items from {from} to {to}"))
    }),
    method("flatten", 0..=1, |meter, it| {
        let depth = match it.get(1) {
            None => 1,
            Some(Value::Int(depth)) => usize::try_from(*depth).map_err(|_| "the depth is negative".to_owned())?,
            Some(_) => return refused(it),
        };
        let list = it.first().filter(|list| list.items().is_some());
        let Some(list) = list else { return refused(it) };
        meter.weigh(list)?;
        let mut flat = Vec::new();
        flatten(list, depth.min(tree::limits::POLICY_STACK), &mut flat);
        Ok(flat.into())
    }),
    method("distinct", 0..=0, |meter, it| {
        let mut kept: Vec<Value<'_>> = Vec::new();
        for item in items(meter, it)? {
            meter.charge(kept.len() as u64)?;
            if !kept.iter().any(|known| known.equals(&item)) {
                kept.push(item);
            }
        }
        Ok(kept.into())
    }),
    method("sort", 0..=0, |meter, it| {
        let items = items(meter, it)?;
        sorted(meter, items.iter().cloned().zip(items.iter().cloned()).collect())
    }),
    method("first", 0..=0, |meter, it| Ok(Value::Optional(items(meter, it)?.into_iter().next().map(Arc::new)))),
    method("last", 0..=0, |meter, it| Ok(Value::Optional(items(meter, it)?.into_iter().next_back().map(Arc::new)))),
    function("lists.range", 1..=1, |meter, it| {
        let [Value::Int(count)] = it else { return refused(it) };
        meter.charge(u64::try_from(*count).map_err(|_| "there is no list with fewer than no items".to_owned())?)?;
        Ok((0..*count).map(Value::Int).collect::<Vec<_>>().into())
    }),
    function("sets.contains", 2..=2, |meter, it| {
        let (a, b) = sets(meter, it)?;
        Ok(Value::Bool(within(&b, &a)))
    }),
    function("sets.equivalent", 2..=2, |meter, it| {
        let (a, b) = sets(meter, it)?;
        Ok(Value::Bool(within(&a, &b) && within(&b, &a)))
    }),
    function("sets.intersects", 2..=2, |meter, it| {
        let (a, b) = sets(meter, it)?;
        Ok(Value::Bool(a.iter().any(|item| b.iter().any(|other| other.equals(item)))))
    }),
];

/// The items of the only argument.
fn items<'a>(meter: &Meter, it: &[Value<'a>]) -> Result<Vec<Value<'a>>, String> {
    match it.first().and_then(Value::items) {
        Some(items) => {
            it.iter().try_for_each(|list| meter.weigh(list))?;
            Ok(items)
        }
        None => refused(it).map(|_| Vec::new()),
    }
}

fn ordered(a: &Value<'_>, b: &Value<'_>) -> Result<Ordering, String> {
    a.compare(b).ok_or_else(|| format!("{} and {} have no order", a.type_name(), b.type_name()))
}

/// Values in the order of the keys that stand before them; what has the same key keeps its order.
pub(crate) fn sorted<'a>(meter: &Meter, keyed: Vec<(Value<'a>, Value<'a>)>) -> Outcome<'a> {
    let mut sorted: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(keyed.len());
    for (key, value) in keyed {
        meter.charge(sorted.len() as u64)?;
        let mut at = sorted.len();
        while let Some((before, _)) = at.checked_sub(1).and_then(|before| sorted.get(before)) {
            if ordered(before, &key)?.is_le() {
                break;
            }
            at -= 1;
        }
        sorted.insert(at, (key, value));
    }
    Ok(sorted.into_iter().map(|(_, value)| value).collect::<Vec<_>>().into())
}

fn extreme<'a>(meter: &Meter, it: &[Value<'a>], wanted: Ordering) -> Outcome<'a> {
    let mut items = items(meter, it)?.into_iter();
    let mut best = items.next().ok_or_else(|| "the list is empty".to_owned())?;
    for item in items {
        if ordered(&item, &best)? == wanted {
            best = item;
        }
    }
    Ok(best)
}

fn flatten<'a>(list: &Value<'a>, depth: usize, flat: &mut Vec<Value<'a>>) {
    for item in list.items().unwrap_or_default() {
        match item.items() {
            Some(_) if depth > 0 => flatten(&item, depth - 1, flat),
            _ => flat.push(item),
        }
    }
}

/// `reverse` of a list.
pub(super) fn reverse<'a>(meter: &Meter, it: &[Value<'a>]) -> Outcome<'a> {
    let mut items = items(meter, it)?;
    items.reverse();
    Ok(items.into())
}

/// `indexOf` and `lastIndexOf` of a list.
pub(super) fn position<'a>(meter: &Meter, it: &[Value<'a>], last: bool) -> Outcome<'a> {
    let [list, wanted] = it else { return refused(it) };
    let Some(items) = list.items() else { return refused(it) };
    meter.weigh(list)?;
    let found = |item: &Value<'a>| item.equals(wanted);
    let at = if last { items.iter().rposition(found) } else { items.iter().position(found) };
    Ok(at.map_or(Value::Int(-1), int))
}

fn sets<'a>(meter: &Meter, it: &[Value<'a>]) -> Result<(Vec<Value<'a>>, Vec<Value<'a>>), String> {
    let [a, b] = it else { return refused(it).map(|_| Default::default()) };
    let (Some(first), Some(second)) = (a.items(), b.items()) else { return refused(it).map(|_| Default::default()) };
    meter.weigh(a)?;
    meter.weigh(b)?;
    meter.charge((first.len() as u64).saturating_mul(second.len() as u64))?;
    Ok((first, second))
}

/// Whether every item of `part` is in `whole`.
fn within(part: &[Value<'_>], whole: &[Value<'_>]) -> bool {
    part.iter().all(|item| whole.iter().any(|known| known.equals(item)))
}
