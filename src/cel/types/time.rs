//! Points in time and lengths of it; there is no clock.

use std::cmp::Ordering;

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub(crate) nanos: i64,
}

/// A point in time.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// Seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds beyond them.
    pub nanos: u32,
    /// Seconds east of Greenwich where it was written, which is how it is written again.
    east: i64,
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }
}

const SECOND: i128 = 1_000_000_000;

impl Span {
    /// Reads what Go writes: `1h30m`, `1.5s`, `300ms`.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        if rest == "0" {
            return Some(Self { nanos: 0 });
        }
        let mut total = 0i128;
        let mut parts = 0;
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
            let (number, after) = rest.split_at(end);
            let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
            let (unit, more) = after.split_at(unit_end);
            let unit: i128 = match unit {
                "ns" => 1,
                "us" | "µs" | "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => SECOND,
                "m" => 60 * SECOND,
                "h" => 3_600 * SECOND,
                _ => return None,
            };
            let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
            if whole.is_empty() && fraction.is_empty() || fraction.len() > 18 {
                return None;
            }
            let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
            total = total.checked_add(digits.checked_mul(unit)? / 10i128.pow(u32::try_from(fraction.len()).ok()?))?;
            rest = more;
            parts += 1;
        }
        let total = if negative { -total } else { total };
        (parts > 0).then_some(Self { nanos: i64::try_from(total).ok()? })
    }

    /// The sum of two lengths.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.nanos.checked_add(other.nanos).map(|nanos| Self { nanos })
    }

    /// The length, backwards.
    pub fn negated(self) -> Self {
        Self { nanos: self.nanos.saturating_neg() }
    }

    /// In seconds, as CEL writes it.
    pub fn text(self) -> String {
        let (whole, rest) = (self.nanos.unsigned_abs() / 1_000_000_000, self.nanos.unsigned_abs() % 1_000_000_000);
        let sign = if self.nanos < 0 { "-" } else { "" };
        let text = format!("{whole}.{rest:09}");
        format!("{sign}{}s", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Time {
    /// Reads RFC 3339: `2026-01-31T12:00:00Z`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| {
            let part = text.get(from..to)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i64>().ok()).flatten()
        };
        let sign = |at: usize, allowed: &str| text.get(at..=at).is_some_and(|found| allowed.contains(found));
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let marks = sign(4, "-") && sign(7, "-") && sign(10, "Tt") && sign(13, ":") && sign(16, ":");
        let civil = (1..=12).contains(&month) && (1..=length(year, month)).contains(&day) && year > 0;
        if !marks || !civil || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let rest = text.get(19..)?;
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
            None => ("", rest),
        };
        if rest.starts_with('.') && fraction.is_empty() {
            return None;
        }
        let nanos = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
        let east = if matches!(zone, "Z" | "z") { 0 } else { offset(zone)? };
        let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - east;
        Some(Self { seconds, nanos, east })
    }

    /// The time some length later.
    pub fn plus(self, length: Span) -> Option<Self> {
        let later = Self::of(i128::from(self.seconds) * SECOND + i128::from(self.nanos) + i128::from(length.nanos))?;
        Some(Self { east: self.east, ..later })
    }

    /// The length from `earlier` to here.
    pub fn since(self, earlier: Self) -> Option<Span> {
        let nanos = |time: Self| i128::from(time.seconds) * SECOND + i128::from(time.nanos);
        i64::try_from(nanos(self) - nanos(earlier)).ok().map(|nanos| Span { nanos })
    }

    /// A point in the years 1 to 9999, which are those that can be written.
    pub fn of(nanos: i128) -> Option<Self> {
        let seconds = i64::try_from(nanos.div_euclid(SECOND)).ok()?;
        let written = days(1, 1, 1) * 86_400..days(10_000, 1, 1) * 86_400;
        written.contains(&seconds).then_some(())?;
        Some(Self { seconds, nanos: u32::try_from(nanos.rem_euclid(SECOND)).ok()?, east: 0 })
    }

    /// In RFC 3339.
    pub fn text(self) -> String {
        let local = self.seconds.saturating_add(self.east);
        let civil = civil(local.div_euclid(86_400));
        let second = local.rem_euclid(86_400);
        let fraction = format!(".{:09}", self.nanos);
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let minutes = self.east.unsigned_abs() / 60;
        let zone = match self.east.signum() {
            0 => "Z".to_owned(),
            sign => format!("{}{:02}:{:02}", if sign < 0 { '-' } else { '+' }, minutes / 60, minutes % 60),
        };
        format!("{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}", civil.year, civil.month, civil.day)
    }
}

/// Seconds east of Greenwich: `+05:30`.
pub(crate) fn offset(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone.as_bytes().first()? {
        b'-' => (-1, zone.get(1..)?),
        b'+' => (1, zone.get(1..)?),
        _ => (1, zone),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str| (text.len() == 2).then(|| text.parse::<i64>().ok()).flatten();
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

pub(crate) struct Civil {
    pub(crate) days: i64,
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
}

/// Days since 1970 of a date: years begin in March, so that the leap day comes last.
pub(crate) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date that is so many days after 1970 began.
pub(crate) fn civil(count: i64) -> Civil {
    let shifted = count + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted - era * 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil { days: count, year, month, day }
}

fn length(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(next_year, next, 1) - days(year, month, 1)
}
