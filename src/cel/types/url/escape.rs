//! Percent signs in URLs.

use std::fmt::Write;

/// A part of a URL, each with its own rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Host,
    Path,
    /// Where a plus sign stands for a space.
    Query,
}

/// A text without its percent signs; none when they are wrong, or a host has what hosts have not.
pub(crate) fn decoded(text: &str, part: Part) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let byte = u8::try_from(digit()? * 16 + digit()?).ok()?;
                // In a host they stand for what is no ASCII, or for themselves.
                if part == Part::Host && byte.is_ascii() && byte != b'%' {
                    return None;
                }
                bytes.push(byte);
            }
            b'+' if part == Part::Query => bytes.push(b' '),
            other if part == Part::Host && !in_host(other) => return None,
            other => bytes.push(other),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn in_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"!$&'()*+,;=:[]<>\"-_.~".contains(&byte)
}

/// A path as it is sent: as it was written, if that can be sent; else escaped anew.
pub(super) fn escaped(path: &str) -> Option<String> {
    let plain = decoded(path, Part::Path)?;
    let needless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte);
    if path.bytes().all(|byte| needless(byte) || b"!'()*[]%".contains(&byte)) {
        return Some(path.to_owned());
    }
    let mut out = String::with_capacity(path.len());
    for byte in plain.bytes() {
        if needless(byte) {
            out.push(byte.into());
        } else {
            // Writing to a text cannot fail.
            _ = write!(out, "%{byte:02X}");
        }
    }
    Some(out)
}
