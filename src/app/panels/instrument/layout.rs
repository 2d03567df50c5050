//! Where everything of the instrument is, by the size of the window. Nothing moves when a text comes or goes.

use eframe::egui::{Rangef, Rect, pos2, vec2};

/// From the edge of the instrument to what stands in it.
pub(super) const PADDING: f32 = 24.0;
/// The band of limits, and the gap between it and the plot.
const BAND_HEIGHT: f32 = 24.0;
const BAND_GAP: f32 = 4.0;
/// The times below the band, three lines of sentences, and the line below them.
const SENTENCES_HEIGHT: f32 = 104.0;
/// From the band to the sentences.
const SENTENCES_TOP: f32 = 30.0;
/// The same without the sentence of the whole.
const ONE_SENTENCE_HEIGHT: f32 = 64.0;
/// The row of the array.
const ARRAY_HEIGHT: f32 = 278.0;
/// That of a tree's items.
const ITEMS_HEIGHT: f32 = 200.0;
/// The same where there is little room.
const STRIP_HEIGHT: f32 = 76.0;
/// Below the last line.
const BOTTOM: f32 = 16.0;
/// The plot never gets lower.
const PLOT_MIN: f32 = 160.0;
/// From this height on a second plot stands below it.
const SECOND_FROM: f32 = 560.0;
/// From one plot to the other.
const PLOTS_GAP: f32 = 28.0;

/// How much room a window has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Normal,
    Large,
    Huge,
}

impl Size {
    /// That of a window so wide whose instrument is so high.
    pub(super) fn of(window_width: f32, height: f32) -> Self {
        match window_width {
            w if w < 1100.0 || height < 640.0 => Self::Small,
            w if w < 1600.0 => Self::Normal,
            w if w < 2300.0 => Self::Large,
            _ => Self::Huge,
        }
    }

    /// The height of the rate's figures.
    pub(super) fn hero(self) -> f32 {
        match self {
            Self::Small => 44.0,
            Self::Normal => 64.0,
            Self::Large => 80.0,
            Self::Huge => 96.0,
        }
    }

    /// The width of the column that the array is in beside the plot; none where it is below.
    fn column(self) -> f32 {
        match self {
            Self::Small | Self::Normal => 0.0,
            Self::Large => 400.0,
            Self::Huge => 640.0,
        }
    }
}

/// The rate and what belongs to it, which every transfer has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Head {
    pub size: Size,
    /// The name, the buttons.
    pub title: Rect,
    /// Where the rate stands.
    pub hero: Rangef,
    /// The line that the rate and the facts stand on.
    pub baseline: f32,
    /// The end of it.
    pub bottom: f32,
}

impl Head {
    pub(super) fn of(area: Rect, size: Size) -> Self {
        let inner = area.shrink2(vec2(PADDING, 0.0));
        let (title_height, baseline, bottom) = match size {
            Size::Small => (40.0, 80.0, 90.0),
            Size::Normal => (56.0, 104.0, 118.0),
            Size::Large => (56.0, 132.0, 152.0),
            Size::Huge => (56.0, 152.0, 172.0),
        };
        Self {
            size,
            title: Rect::from_min_size(inner.min, vec2(inner.width(), title_height)),
            hero: inner.x_range(),
            baseline: area.top() + baseline,
            bottom: area.top() + bottom,
        }
    }
}

/// How the array is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Array {
    /// A row below the plot.
    Row(Rect),
    /// A column beside it.
    Column(Rect),
    /// A line or two below the plot.
    Strip(Rect),
}

/// What a transfer has once it has begun.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Body {
    /// What the lines are, and how they are looked at.
    pub picks: Rect,
    /// The flags over the plot.
    pub lane: Rect,
    /// The plot, without the numbers of its axes.
    pub plot: Rect,
    /// The second plot.
    pub second: Option<Rect>,
    /// The limits over time.
    pub band: Rect,
    /// The middle of the line of times.
    pub times_y: f32,
    /// Both sentences, beside them the key to the band.
    pub sentences: Rect,
    /// Whether there is room for the sentence of the whole.
    pub has_whole: bool,
    /// The array, where there is room for it.
    pub array: Option<Array>,
}

/// What is asked for of a second plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Second {
    WhereRoom,
    Never,
    Always,
}

impl Body {
    /// The least height of an area, below the head, that it fits into.
    pub(super) const LEAST: f32 = 52.0 + PLOT_MIN + BAND_GAP + BAND_HEIGHT + ONE_SENTENCE_HEIGHT;

    /// In `area`, which begins below the head. The numbers of the rate axis have a width of `axis_width`. Of a tree the
    /// items come before the sentence of the whole: nowhere else it is said which of them failed.
    pub(super) fn of(area: Rect, size: Size, axis_width: f32, second: Second, is_tree: bool) -> Self {
        let mut inner = area.shrink2(vec2(PADDING, 0.0));
        let mut array = None;
        let column = size.column();
        if column > 0.0 && inner.width() - column > 480.0 {
            let left = inner.right() - column;
            array = Some(Array::Column(Rect::from_min_max(
                pos2(left, inner.top() + 12.0),
                inner.max,
            )));
            inner.set_right(left - 32.0);
        }
        let (picks_height, lane_gap) = if size == Size::Small { (24.0, 6.0) } else { (28.0, 10.0) };
        let picks = Rect::from_min_size(inner.min + vec2(0.0, 2.0), vec2(inner.width(), picks_height));
        let left = inner.left() + axis_width;
        let lane = Rect::from_min_max(
            pos2(left, picks.bottom() + lane_gap),
            pos2(inner.right(), picks.bottom() + lane_gap + 16.0),
        );
        let top = lane.bottom() + 6.0;
        let room = inner.bottom() - top - BAND_GAP - BAND_HEIGHT;
        let fits = |height: f32| room - height >= PLOT_MIN;
        let row_height = if is_tree { ITEMS_HEIGHT } else { ARRAY_HEIGHT };
        let (below, has_whole) = match array {
            Some(_) => (SENTENCES_HEIGHT, true),
            None if size != Size::Small && fits(SENTENCES_HEIGHT + row_height) => (SENTENCES_HEIGHT + row_height, true),
            None if fits(SENTENCES_HEIGHT + STRIP_HEIGHT) => (SENTENCES_HEIGHT + STRIP_HEIGHT, true),
            None if is_tree && fits(ONE_SENTENCE_HEIGHT + STRIP_HEIGHT) => (ONE_SENTENCE_HEIGHT + STRIP_HEIGHT, false),
            None if fits(SENTENCES_HEIGHT + BOTTOM) => (SENTENCES_HEIGHT + BOTTOM, true),
            None => (ONE_SENTENCE_HEIGHT, false),
        };
        let bottom = top + (room - below).max(PLOT_MIN);
        let band = Rect::from_min_max(
            pos2(left, bottom + BAND_GAP),
            pos2(inner.right(), bottom + BAND_GAP + BAND_HEIGHT),
        );
        let whole = Rect::from_min_max(pos2(left, top), pos2(inner.right(), bottom));
        let (plot, second) = divided(whole, second);
        let sentences_height = if has_whole {
            SENTENCES_HEIGHT
        } else {
            ONE_SENTENCE_HEIGHT
        };
        let sentences = Rect::from_min_max(
            pos2(inner.left(), band.bottom() + SENTENCES_TOP),
            pos2(inner.right(), band.bottom() + sentences_height),
        );
        let rest = Rect::from_min_max(pos2(inner.left(), sentences.bottom()), inner.max);
        let array = array.or(match below - sentences_height {
            height if height >= row_height => Some(Array::Row(rest)),
            height if height >= STRIP_HEIGHT => Some(Array::Strip(rest)),
            _ => None,
        });
        Self {
            picks,
            lane,
            plot,
            second,
            band,
            times_y: band.bottom() + 14.0,
            sentences,
            has_whole,
            array,
        }
    }

    /// Everything that stands over the time axis.
    pub(super) fn over_time(&self) -> Rect {
        Rect::from_min_max(self.plot.min, self.band.max)
    }
}

/// The plot alone, or with a second one in the lower third.
fn divided(whole: Rect, second: Second) -> (Rect, Option<Rect>) {
    let has_second = match second {
        Second::Never => false,
        Second::WhereRoom => whole.height() >= SECOND_FROM,
        Second::Always => true,
    };
    if !has_second {
        return (whole, None);
    }
    let second_height = ((whole.height() - PLOTS_GAP) / 3.0).round();
    let mut plot = whole;
    plot.set_bottom(whole.bottom() - second_height - PLOTS_GAP);
    let mut second = whole;
    second.set_top(whole.bottom() - second_height);
    (plot, Some(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(width: f32, height: f32, window_width: f32, second: Second) -> Body {
        let area = Rect::from_min_size(pos2(0.0, 0.0), vec2(width, height));
        let size = Size::of(window_width, height);
        let head = Head::of(area, size);
        let below = Rect::from_min_max(pos2(0.0, head.bottom), area.max);
        Body::of(below, size, 24.0, second, false)
    }

    #[test]
    fn the_usual_window_has_the_array_in_a_row_below_the_plot() {
        let body = body(912.0, 800.0, 1280.0, Second::WhereRoom);
        assert!(matches!(body.array, Some(Array::Row(_))) && body.second.is_none());
        assert!((200.0..260.0).contains(&body.plot.height()), "{:?}", body.plot);
    }

    #[test]
    fn a_wide_window_has_it_in_a_column_and_a_second_plot() {
        let body = body(1512.0, 1080.0, 1920.0, Second::WhereRoom);
        assert!(matches!(body.array, Some(Array::Column(rect)) if rect.width() > 399.0));
        let second = body.second.expect("a second plot");
        assert!(second.top() > body.plot.bottom() && second.bottom() < body.band.top());
    }

    #[test]
    fn the_plot_keeps_its_height_and_what_is_below_folds_away() {
        for height in [420, 480, 520, 556, 600, 700, 760] {
            let body = body(852.0, height as f32, 900.0, Second::Never);
            assert!(body.plot.height() >= PLOT_MIN, "{height}");
        }
        let small = body(852.0, 556.0, 900.0, Second::Never);
        assert!(matches!(small.array, Some(Array::Strip(_))) && small.has_whole);
        assert!(!body(852.0, 420.0, 900.0, Second::Never).has_whole);
    }
}
