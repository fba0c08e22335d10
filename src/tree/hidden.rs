//! Characters that a review does not show.

/// The first hidden character of a text, and where it stands.
#[must_use]
pub fn hidden(text: &str) -> Option<(usize, char)> {
    if may_hide(text.as_bytes()) { text.char_indices().find(|(_, c)| is_hidden(*c)) } else { None }
}

/// Whether there is a hidden character, by the bytes that these have in UTF-8.
fn may_hide(text: &[u8]) -> bool {
    // Without a way out of the middle, the processor looks at many bytes at once.
    let is_control = |byte: u8| (byte < b' ') & !matches!(byte, b'\t' | b'\n' | b'\r') | (byte == 0x7F);
    let control = text.iter().fold(false, |any, byte| any | is_control(*byte));
    // U+0080 to U+009F; U+200B to U+200F and U+202A to U+202E; U+2060 to U+2069; U+FEFF.
    let is_hidden = |at: usize| {
        matches!(
            text.get(at..).unwrap_or_default(),
            [0xC2, 0x80..=0x9F, ..]
                | [0xE2, 0x80, 0x8B..=0x8F | 0xAA..=0xAE, ..]
                | [0xE2, 0x81, 0xA0..=0xA9, ..]
                | [0xEF, 0xBB, 0xBF, ..]
        )
    };
    control || memchr::memchr3_iter(0xC2, 0xE2, 0xEF, text).any(is_hidden)
}

/// Control and direction characters that make a text look like another one (CVE-2021-42574).
#[must_use]
pub fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
