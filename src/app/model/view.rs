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
    /// What was transferred.
    History,
    /// What a person can choose about the window.
    Settings,
    /// Keys, terms, and what this program is.
    Help,
}

/// What a window of some width has room for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum WindowSize {
    /// The rail with its names, the list as a column, and a page.
    #[default]
    Wide,
    /// The rail without names, the list as a strip above the page, and New transfer beside the page.
    Medium,
    /// The same, but New transfer takes the place of the page.
    Narrow,
}

impl WindowSize {
    /// The size of a window that is `width` points wide.
    #[must_use]
    pub(crate) fn of(width: f32) -> Self {
        match width {
            w if w >= 1100.0 => Self::Wide,
            w if w >= 780.0 => Self::Medium,
            _ => Self::Narrow,
        }
    }

    /// How wide the rail is, in points.
    #[must_use]
    pub(crate) fn rail_width(self) -> f32 {
        if self == Self::Wide { 72.0 } else { 48.0 }
    }
}

/// How wide the column of the list is in a window that is `width` points wide.
#[must_use]
pub(crate) fn list_width(width: f32) -> f32 {
    match width {
        w if w >= 2200.0 => 384.0,
        w if w >= 1600.0 => 336.0,
        _ => 296.0,
    }
}
