//! The formats of texts that Kubernetes knows and JSON Schema does not.

pub(super) fn has_format(name: &str, text: &str) -> Option<bool> {
    match name {
        "byte" => Some(is_base64(text)),
        "quantity" => Some(is_quantity(text)),
        _ => None,
    }
}

/// Tells whether Kubernetes reads `text` as a quantity: a decimal number and a unit or an exponent.
pub(super) fn is_quantity(text: &str) -> bool {
    const UNITS: [&str; 16] = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let unit = unsigned.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    let number = &unsigned[..unsigned.len() - unit.len()];
    let is_number = number.matches('.').count() <= 1 && number.contains(|letter: char| letter.is_ascii_digit());
    is_number && (UNITS.contains(&unit) || is_exponent(unit))
}

fn is_exponent(unit: &str) -> bool {
    let signed = unit.strip_prefix(['e', 'E']).unwrap_or_default();
    let digits = signed.strip_prefix(['+', '-']).unwrap_or(signed);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// Tells whether `text` is padded base64, which may be wrapped.
pub(super) fn is_base64(text: &str) -> bool {
    let letters: Vec<u8> = text.bytes().filter(|letter| !b"\r\n".contains(letter)).collect();
    let padding = letters.iter().rev().take_while(|letter| **letter == b'=').count();
    let data = &letters[..letters.len() - padding];
    let is_letter = |letter: &u8| letter.is_ascii_alphanumeric() || b"+/".contains(letter);
    letters.len().is_multiple_of(4) && padding <= 2 && data.iter().all(is_letter)
}
