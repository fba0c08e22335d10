//! A text that grows by whole blocks, up to a limit.

/// What has been written, and what did not fit.
pub(super) struct Page {
    pub(super) text: String,
    left: usize,
    pub(super) dropped: usize,
}

impl Page {
    /// An empty page that takes this many UTF-16 units, which is what GitHub counts; they are no more than the bytes.
    pub(super) fn new(left: usize) -> Self {
        Self { text: String::new(), left, dropped: 0 }
    }

    /// Adds a block if it fits.
    pub(super) fn add(&mut self, block: &str) {
        match self.left.checked_sub(block.encode_utf16().count()) {
            Some(left) => {
                self.left = left;
                self.text += block;
            }
            None => self.dropped += 1,
        }
    }

    /// How many of these lines fit into a quarter of what is left.
    pub(super) fn fitting(&self, rows: &[String]) -> usize {
        let fits = rows.iter().scan(self.left / 4, |left, row| {
            *left = left.checked_sub(row.encode_utf16().count() + 1)?;
            Some(())
        });
        fits.count()
    }
}
