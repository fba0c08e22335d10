//! Quantities of Kubernetes: `500m`, `1Gi`, `2e3`.

/// A quantity, exact to a billionth, as the API server keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    pub(crate) nanos: i128,
}

pub(crate) const NANO: i128 = 1_000_000_000;

impl Quantity {
    /// Reads a quantity.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        // A number without digits is zero, as the API server has it.
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') || number.len() > 40 {
            return None;
        }
        let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
        let (times, by) = scale(suffix)?;
        let numerator = digits.checked_mul(times)?.checked_mul(NANO)?;
        let divisor = 10i128.checked_pow(fraction.len().try_into().ok()?)?.checked_mul(by)?;
        // What is finer than a billionth is rounded away from zero.
        let nanos = numerator / divisor + i128::from(numerator % divisor != 0);
        Some(Self { nanos: if negative { -nanos } else { nanos } })
    }

    /// The whole number it is, if it is one.
    pub(crate) fn integer(self) -> Option<i64> {
        (self.nanos % NANO == 0).then(|| i64::try_from(self.nanos / NANO).ok()).flatten()
    }

    /// As a decimal number.
    pub fn text(self) -> String {
        let (whole, rest) = (self.nanos.unsigned_abs() / NANO.unsigned_abs(), self.nanos.unsigned_abs() % NANO.unsigned_abs());
        let sign = if self.nanos < 0 { "-" } else { "" };
        let text = format!("{sign}{whole}.{rest:09}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// What a suffix multiplies and divides by.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let among = |known: &[&str]| known.iter().position(|known| *known == suffix).and_then(|at| u32::try_from(at).ok());
    if let Some(at) = among(&["n", "u", "m"]) {
        return Some((1, 1000i128.pow(3 - at)));
    }
    if let Some(at) = among(&["", "k", "M", "G", "T", "P", "E"]) {
        return Some((1000i128.pow(at), 1));
    }
    if let Some(at) = among(&["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]) {
        return Some((1024i128.pow(at + 1), 1));
    }
    let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    let power = 10i128.checked_pow(exponent.unsigned_abs())?;
    Some(if exponent < 0 { (1, power) } else { (power, 1) })
}
