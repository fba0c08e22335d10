//! Points in time and lengths of it; there is no clock.

use super::super::types::time::{Civil, Time, civil, days, offset};
use super::super::value::Value;
use super::{Function, Outcome, method, refused};

pub(super) const FUNCTIONS: &[Function] = &[
    method("getFullYear", 0..=1, |_, it| field(it, |civil| civil.year)),
    method("getMonth", 0..=1, |_, it| field(it, |civil| civil.month - 1)),
    method("getDate", 0..=1, |_, it| field(it, |civil| civil.day)),
    method("getDayOfMonth", 0..=1, |_, it| field(it, |civil| civil.day - 1)),
    method("getDayOfWeek", 0..=1, |_, it| field(it, |civil| (civil.days + 4).rem_euclid(7))),
    method("getDayOfYear", 0..=1, |_, it| field(it, |civil| civil.days - days(civil.year, 1, 1))),
    method("getHours", 0..=1, |_, it| clock(it, 3_600, 24)),
    method("getMinutes", 0..=1, |_, it| clock(it, 60, 60)),
    method("getSeconds", 0..=1, |_, it| clock(it, 1, 60)),
    method("getMilliseconds", 0..=1, |_, it| match it {
        [Value::Timestamp(time), ..] => Ok(Value::Int(i64::from(time.nanos) / 1_000_000)),
        [Value::Duration(length)] => Ok(Value::Int(length.nanos / 1_000_000)),
        _ => refused(it),
    }),
];

/// Seconds since 1970 where the zone's clocks are.
fn local(time: &Time, zone: Option<&Value<'_>>) -> Result<i64, String> {
    let shift = match zone {
        None => 0,
        Some(Value::String(zone)) if matches!(&**zone, "" | "UTC") => 0,
        Some(Value::String(zone)) => {
            offset(zone).ok_or_else(|| format!("the time zone `{zone}` is not known; `UTC` and offsets such as `+02:00` are"))?
        }
        Some(other) => return Err(format!("a time zone is a text, not {}", other.type_name())),
    };
    Ok(time.seconds.saturating_add(shift))
}

fn field<'a>(it: &[Value<'a>], read: fn(&Civil) -> i64) -> Outcome<'a> {
    match it {
        [Value::Timestamp(time), zone @ ..] => {
            let seconds = local(time, zone.first())?;
            Ok(Value::Int(read(&civil(seconds.div_euclid(86_400)))))
        }
        _ => refused(it),
    }
}

/// A part of the time of day, or a whole length in such units.
fn clock<'a>(it: &[Value<'a>], unit: i64, of: i64) -> Outcome<'a> {
    match it {
        [Value::Timestamp(time), zone @ ..] => {
            let seconds = local(time, zone.first())?.rem_euclid(86_400);
            Ok(Value::Int(seconds / unit % of))
        }
        [Value::Duration(length)] => Ok(Value::Int(length.nanos / 1_000_000_000 / unit)),
        _ => refused(it),
    }
}
