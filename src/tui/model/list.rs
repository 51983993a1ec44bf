//! A list's cursor and how far it is scrolled: plain numbers, moved by `update` and only read by views.

/// Where one is in a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The selected item.
    pub at: usize,
    /// The first one that is shown.
    pub top: usize,
}

/// A way to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// By so many items.
    By(isize),
    /// To the first one.
    Top,
    /// To the last one.
    Bottom,
}

impl Cursor {
    /// Moves in a list of `count` items of which `page` are shown.
    pub fn go(&mut self, to: Move, count: usize, page: usize) {
        self.at = match to {
            Move::By(by) => self.at.saturating_add_signed(by),
            Move::Top => 0,
            Move::Bottom => usize::MAX,
        };
        self.settle(count, page);
    }

    /// Keeps the selected item inside the list, and in sight.
    pub fn settle(&mut self, count: usize, page: usize) {
        let page = page.max(1);
        self.at = self.at.min(count.saturating_sub(1));
        self.top = self.top.min(self.at).max((self.at + 1).saturating_sub(page));
        self.top = self.top.min(count.saturating_sub(page));
    }

    /// Scrolls a text of `count` lines, in which nothing is selected.
    pub fn scroll(&mut self, to: Move, count: usize, page: usize) {
        let last = count.saturating_sub(page.max(1));
        self.top = match to {
            Move::By(by) => self.top.saturating_add_signed(by).min(last),
            Move::Top => 0,
            Move::Bottom => last,
        };
        self.at = self.top;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_item_stays_in_sight() {
        let mut cursor = Cursor::default();
        cursor.go(Move::By(7), 20, 5);
        assert_eq!(cursor, Cursor { at: 7, top: 3 });
        cursor.go(Move::By(-2), 20, 5);
        assert_eq!(cursor, Cursor { at: 5, top: 3 });
        cursor.go(Move::Bottom, 20, 5);
        assert_eq!(cursor, Cursor { at: 19, top: 15 });
        cursor.settle(3, 5);
        assert_eq!(cursor, Cursor { at: 2, top: 0 });
        cursor.go(Move::By(1), 0, 5);
        assert_eq!(cursor, Cursor::default());
        cursor.scroll(Move::Bottom, 20, 5);
        assert_eq!(cursor.top, 15);
    }
}
