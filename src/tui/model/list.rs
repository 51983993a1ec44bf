//! The cursor and the scroll position of a list.

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The selected item.
    pub at: usize,
    /// The first visible item.
    pub top: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    By(isize),
    Top,
    Bottom,
}

/// The index that a motion leads to in a list of `count` items.
pub(super) fn clamped_index(at: usize, motion: Motion, count: usize) -> usize {
    let at = match motion {
        Motion::By(by) => at.saturating_add_signed(by),
        Motion::Top => 0,
        Motion::Bottom => usize::MAX,
    };
    at.min(count.saturating_sub(1))
}

impl Cursor {
    /// Moves the selection in a list of `count` items of which `page` are visible, and keeps it visible.
    pub fn navigate(&mut self, motion: Motion, count: usize, page: usize) {
        let page = page.max(1);
        self.at = clamped_index(self.at, motion, count);
        self.top = self.top.min(self.at).max((self.at + 1).saturating_sub(page));
        self.top = self.top.min(count.saturating_sub(page));
    }

    /// Scrolls a text of `count` lines of which `page` are visible.
    pub fn scroll(&mut self, motion: Motion, count: usize, page: usize) {
        self.top = clamped_index(self.top, motion, count.saturating_sub(page.max(1)) + 1);
        self.at = self.top;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_stays_inside_the_list_and_visible() {
        let mut cursor = Cursor::default();
        cursor.navigate(Motion::By(7), 20, 5);
        assert_eq!(cursor, Cursor { at: 7, top: 3 });
        cursor.navigate(Motion::By(-2), 20, 5);
        assert_eq!(cursor, Cursor { at: 5, top: 3 });
        cursor.navigate(Motion::Bottom, 20, 5);
        assert_eq!(cursor, Cursor { at: 19, top: 15 });
        cursor.navigate(Motion::By(0), 3, 5);
        assert_eq!(cursor, Cursor { at: 2, top: 0 });
        cursor.navigate(Motion::By(1), 0, 5);
        assert_eq!(cursor, Cursor::default());
    }

    #[test]
    fn scroll_stops_at_the_last_page() {
        let mut cursor = Cursor::default();
        cursor.scroll(Motion::Bottom, 20, 5);
        assert_eq!(cursor.top, 15);
        cursor.scroll(Motion::By(3), 20, 5);
        assert_eq!(cursor.top, 15);
        cursor.scroll(Motion::By(0), 4, 5);
        assert_eq!(cursor.top, 0);
    }
}
