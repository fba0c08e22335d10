//! Regular expressions: RE2's, which take time in proportion to the text.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use super::super::value::Value;
use super::{Function, Outcome, function, method, refused};
use crate::meter::Meter;
use tree::limits;

pub(super) const FUNCTIONS: &[Function] = &[
    method("matches", 1..=1, matches),
    function("matches", 2..=2, matches),
    method("find", 1..=1, |meter, it| match it {
        [Value::String(text), Value::String(pattern)] => {
            let found = compiled(meter, text, pattern)?;
            Ok(found.find(text).map_or("", |part| part.as_str()).into())
        }
        _ => refused(it),
    }),
    method("findAll", 1..=2, |meter, it| {
        let (text, pattern, limit) = match it {
            [Value::String(text), Value::String(pattern)] => (text, pattern, -1),
            [Value::String(text), Value::String(pattern), Value::Int(limit)] => (text, pattern, *limit),
            _ => return refused(it),
        };
        let found = compiled(meter, text, pattern)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(found.find_iter(text).take(limit).map(|part| part.as_str().into()).collect::<Vec<_>>().into())
    }),
];

fn matches<'a>(meter: &Meter, it: &[Value<'a>]) -> Outcome<'a> {
    let [Value::String(text), Value::String(pattern)] = it else { return refused(it) };
    Ok(Value::Bool(compiled(meter, text, pattern)?.is_match(text)))
}

/// Compiles a pattern once a thread; the cost is that of both, and of what they cost together.
fn compiled(meter: &Meter, text: &str, pattern: &str) -> Result<Arc<Regex>, String> {
    let size = pattern.len() as u64;
    meter.charge((text.len() as u64 + 1).saturating_mul(size / 8 + 1) + size)?;
    thread_local! {
        static KNOWN: RefCell<BTreeMap<String, Arc<Regex>>> = const { RefCell::new(BTreeMap::new()) };
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(found) = known.get(pattern) {
            return Ok(Arc::clone(found));
        }
        meter.charge(1000)?;
        let built = RegexBuilder::new(pattern).size_limit(limits::POLICY_REGEX).dfa_size_limit(limits::POLICY_REGEX).build();
        let built = built.map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => format!("the regular expression takes more than {limit} bytes when compiled"),
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                format!("not a regular expression of RE2: {last}")
            }
        })?;
        let built = Arc::new(built);
        if known.len() >= 64 {
            known.clear();
        }
        known.insert(pattern.to_owned(), Arc::clone(&built));
        Ok(built)
    })
}
