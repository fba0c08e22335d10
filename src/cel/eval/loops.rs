//! Loops.

use std::sync::Arc;

use super::super::fault::Fault;
use super::super::library::lists::sorted;
use super::super::lower::{Loop, LoopKind};
use super::super::meter::Meter;
use super::super::value::{Value, int};
use super::{Outcome, Scope, insert};
use tree::Span;

impl<'a> Scope<'a> {
    /// A loop of any kind.
    pub(super) fn run(&self, it: &Loop, span: Span, locals: &mut Vec<Value<'a>>) -> Outcome<'a> {
        let range = self.eval(&it.range, locals)?;
        self.charge(range.length().unwrap_or_default() as u64, span)?;
        let Some(rounds) = rounds(&range, it.two) else {
            let message = format!("this loop is over a list or a map, not {}", range.type_name());
            return Err(Fault { message, span: it.range.span, fatal: false });
        };
        let mut result = Gathered::new(it.kind);
        let mut pending = None;
        for (first, second) in rounds {
            let depth = locals.len();
            let item = if it.two { second.clone() } else { first.clone() };
            locals.push(first);
            if it.two {
                locals.push(second);
            }
            let round = self.round(it, &item, &mut result, locals);
            locals.truncate(depth);
            match round {
                Ok(true) => return Ok(Value::Bool(it.kind == LoopKind::Exists)),
                Ok(false) => {}
                // A later round of `all` or `exists` may decide whatever this one would have said.
                Err(fault) if matches!(it.kind, LoopKind::All | LoopKind::Exists) && !fault.fatal => pending = Some(fault),
                Err(fault) => return Err(fault),
            }
        }
        match pending {
            Some(fault) => Err(fault),
            None => result.finish(self.meter).map_err(|message| Fault { message, span, fatal: self.meter.is_out() }),
        }
    }

    /// One round; whether it decides the loop.
    fn round(&self, it: &Loop, item: &Value<'a>, result: &mut Gathered<'a>, locals: &mut Vec<Value<'a>>) -> Result<bool, Fault> {
        if it.kind == LoopKind::Filter {
            if self.truth(&it.body, locals)? {
                result.list.push(item.clone());
            }
            return Ok(false);
        }
        if let Some(filter) = &it.filter
            && !self.truth(filter, locals)?
        {
            return Ok(false);
        }
        match it.kind {
            LoopKind::All => return Ok(!self.truth(&it.body, locals)?),
            LoopKind::Exists => return self.truth(&it.body, locals),
            LoopKind::ExistsOne => result.count += usize::from(self.truth(&it.body, locals)?),
            LoopKind::Map | LoopKind::Filter => result.list.push(self.eval(&it.body, locals)?),
            LoopKind::SortBy => result.map.push((self.eval(&it.body, locals)?, item.clone())),
            LoopKind::TransformMap => {
                let key = locals.get(locals.len().saturating_sub(2)).cloned().unwrap_or(Value::Null);
                let value = self.eval(&it.body, locals)?;
                result.map.push((key, value));
            }
            LoopKind::TransformEntry => {
                let made = self.eval(&it.body, locals)?;
                for (key, value) in made.entries().unwrap_or_default() {
                    self.charge(result.map.len() as u64, it.body.span)?;
                    let fault = |message| Fault { message, span: it.body.span, fatal: false };
                    insert(&mut result.map, key, value).map_err(fault)?;
                }
            }
        }
        Ok(false)
    }
}

/// What a loop goes over: items; keys of a map; with `two`, index and item, or key and value.
fn rounds<'a>(range: &Value<'a>, two: bool) -> Option<Vec<(Value<'a>, Value<'a>)>> {
    if let Some(items) = range.items() {
        let pair = |(at, item): (usize, Value<'a>)| {
            if two { (int(at), item) } else { (item, Value::Null) }
        };
        return Some(items.into_iter().enumerate().map(pair).collect());
    }
    range.entries()
}

/// What a loop has gathered.
struct Gathered<'a> {
    kind: LoopKind,
    list: Vec<Value<'a>>,
    /// Entries; what is sorted, under its keys.
    map: Vec<(Value<'a>, Value<'a>)>,
    count: usize,
}

impl<'a> Gathered<'a> {
    fn new(kind: LoopKind) -> Self {
        Self { kind, list: Vec::new(), map: Vec::new(), count: 0 }
    }

    fn finish(self, meter: &Meter) -> Result<Value<'a>, String> {
        Ok(match self.kind {
            LoopKind::All => Value::Bool(true),
            LoopKind::Exists => Value::Bool(false),
            LoopKind::ExistsOne => Value::Bool(self.count == 1),
            LoopKind::Map | LoopKind::Filter => self.list.into(),
            LoopKind::TransformMap | LoopKind::TransformEntry => Value::Map(Arc::new(self.map)),
            LoopKind::SortBy => return sorted(meter, self.map),
        })
    }
}
