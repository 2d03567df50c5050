//! What the window shows: which page, and how much there is room for.

/// The page in the middle of the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum View {
    /// The list of transfers and the selected one.
    #[default]
    Transfers,
    /// The comparison of routes.
    Compare,
    /// Round trips to an echo service.
    RoundTrips,
}

/// What a window of some width has room for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum WindowSize {
    /// New transfer and a page.
    #[default]
    Wide,
    /// Both, but squeezed: New transfer folds away by itself once the page has something to show.
    Medium,
    /// One of them: New transfer takes all of the window or is folded away.
    Narrow,
}

impl WindowSize {
    /// The size of a window that is `width` points wide.
    #[must_use]
    pub(crate) fn of(width: f32) -> Self {
        match width {
            w if w >= 1000.0 => Self::Wide,
            w if w >= 780.0 => Self::Medium,
            _ => Self::Narrow,
        }
    }
}
