//! The column of the list: what all transfers come to, a filter, the groups with their rows, a place to drop files, and
//! what the window itself costs.

use eframe::egui::style::ScrollAnimation;
use eframe::egui::{Id, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2};

use super::list_row::{self, RowLine};
use super::{list_head, list_heading, services};
use crate::app::action::Action;
use crate::app::model::format::RateUnit;
use crate::app::model::list::{Line, List};
use crate::app::model::repaint::WindowCost;
use crate::app::model::row::RowKey;
use crate::app::theme;
use crate::app::widgets::caption;
use crate::app::words::say;

/// What the column shows besides the list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column<'a> {
    /// The list.
    pub list: List<'a>,
    /// The window's clock.
    pub now_s: f64,
    /// What the window cost when it was last measured.
    pub cost: Option<WindowCost>,
    /// Whether it repaints by itself now.
    pub is_moving: bool,
    /// Whether files can be dropped on the window.
    pub can_drop: bool,
    /// Whether the window is high enough for a place to drop files.
    pub is_high: bool,
    /// Where the list hangs below the strip, where it is open.
    pub list_at: Option<f32>,
}

/// Height of the line about the window itself.
const COST_HEIGHT: f32 = 40.0;
/// Height of a line that only counts.
const MORE_HEIGHT: f32 = 24.0;
/// The margin at either side.
pub(super) const MARGIN: f32 = 16.0;

impl<'a> Column<'a> {
    /// Draws the column into all of `ui`.
    pub(crate) fn ui(self, ui: &mut Ui) -> Vec<Action> {
        ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
        let area = ui.max_rect();
        let edge = area.right() - 0.5;
        ui.painter()
            .vline(edge, area.y_range(), (1.0, theme::palette(ui).hairline));
        let mut actions = list_head::ui(ui, self.list, self.now_s);
        actions.extend(list_head::filter_ui(ui, self.list.filter));
        let rest = ui.available_rect_before_wrap();
        let below = area.bottom() - COST_HEIGHT;
        let place = Rect::from_min_max(rest.min, pos2(area.right(), below));
        let mut child = ui.new_child(UiBuilder::new().max_rect(place));
        let height = self.list_ui(&mut child, &mut actions);
        let left = Rect::from_min_max(pos2(place.left(), place.top() + height), place.max);
        if self.is_high && self.can_drop {
            actions.extend(list_head::drop_ui(ui, left));
        }
        self.cost_ui(ui, Rect::from_min_max(pos2(area.left(), below), area.max));
        actions
    }

    /// Draws the lines and returns how high they are; where there is not room for all of them, they scroll.
    pub(super) fn list_ui(self, ui: &mut Ui, actions: &mut Vec<Action>) -> f32 {
        let lines = self.list.lines();
        let unit = self.list.unit();
        if lines.is_empty() {
            return Self::nothing_ui(ui);
        }
        let mut tops = Vec::with_capacity(lines.len());
        let mut height = 0.0;
        for line in &lines {
            tops.push(height);
            height += line_height(*line);
        }
        ui.spacing_mut().item_spacing.y = 0.0;
        let room = ui.available_height();
        let list = ScrollArea::vertical()
            .id_salt("transfers")
            .max_height(room)
            .min_scrolled_height(0.0)
            .auto_shrink([false, true]);
        list.show_viewport(ui, |ui, visible| {
            ui.set_height(height);
            let area = ui.max_rect();
            let place = |at: usize, line: &Line<'_>| {
                let corner = pos2(area.left(), area.top() + tops[at]);
                Rect::from_min_size(corner, vec2(area.width(), line_height(*line)))
            };
            self.scroll_to_selected(ui, &lines, place);
            let first = tops.partition_point(|top| *top <= visible.top()).saturating_sub(1);
            let end = tops.partition_point(|top| *top < visible.bottom());
            for (at, line) in lines.iter().enumerate() {
                // The selected one is there wherever it is: what is not drawn loses the focus.
                if !(first..end).contains(&at) && !self.is_selected(line) {
                    continue;
                }
                let mut child = ui.new_child(UiBuilder::new().id_salt(line_id(*line)).max_rect(place(at, line)));
                actions.extend(self.line_ui(&mut child, *line, unit));
            }
        });
        height.min(room)
    }

    /// How high all lines are together.
    #[must_use]
    pub(super) fn list_height(self) -> f32 {
        self.list.lines().into_iter().map(line_height).sum()
    }

    /// Where the filter leaves nothing.
    fn nothing_ui(ui: &mut Ui) -> f32 {
        ui.add_space(16.0);
        ui.horizontal(|ui| {
            ui.add_space(MARGIN);
            caption(ui, say!("list-nothing-found"));
        });
        48.0
    }

    fn line_ui(self, ui: &mut Ui, line: Line<'a>, unit: RateUnit) -> Vec<Action> {
        let transfers = self.list.transfers;
        let row = match line {
            Line::Row(row) => row,
            Line::Heading(group) => return list_heading::ui(ui, group, self.list, unit),
            Line::More(count) => {
                list_heading::more_ui(ui, count);
                return Vec::new();
            }
            Line::Service(pid, service) => {
                let listed = transfers.listed_of(pid);
                return services::line_ui(ui, pid, service, listed, unit.scale)
                    .into_iter()
                    .collect();
            }
        };
        let line = RowLine {
            row,
            turn: transfers.turn(row.key),
            is_next: transfers.is_next(row.key),
            is_selected: transfers.selected().map(|row| row.key) == Some(row.key),
            unit,
            now_s: self.now_s,
        };
        line.ui(ui)
    }

    /// Scrolls to the selected row, once, when another one is selected.
    fn scroll_to_selected(self, ui: &Ui, lines: &[Line<'_>], place: impl Fn(usize, &Line<'_>) -> Rect) {
        let selected = self.list.transfers.selected().map(|row| row.key);
        let id = Id::unique("the row that was scrolled to");
        if ui.data(|data| data.get_temp::<Option<RowKey>>(id)) == Some(selected) {
            return;
        }
        ui.data_mut(|data| data.insert_temp(id, selected));
        let Some((at, line)) = lines.iter().enumerate().find(|(_, line)| self.is_selected(line)) else {
            return;
        };
        let row = place(at, line);
        // The heading belongs to the first row below it.
        let above = at.checked_sub(1).and_then(|at| Some((at, lines.get(at)?)));
        let heading = above.filter(|(_, line)| matches!(line, Line::Heading(_)));
        let shown = heading.map_or(row, |(at, line)| row.union(place(at, line)));
        ui.scroll_to_rect_animation(shown, None, ScrollAnimation::none());
    }

    fn is_selected(self, line: &Line<'_>) -> bool {
        let selected = self.list.transfers.selected().map(|row| row.key);
        matches!(line, Line::Row(row) if Some(row.key) == selected)
    }

    fn cost_ui(self, ui: &mut Ui, rect: Rect) {
        let palette = theme::palette(ui);
        ui.painter()
            .hline(rect.x_range(), rect.top() + 0.5, (1.0, palette.hairline));
        let mut child = ui.new_child(UiBuilder::new().max_rect(rect.shrink2(vec2(MARGIN, 0.0))));
        child.horizontal_centered(|ui| {
            let words = super::status::itself(self.cost, self.is_moving);
            caption(ui, &words).on_hover_text(say!("status-hover"));
        });
    }
}

fn line_height(line: Line<'_>) -> f32 {
    match line {
        Line::Heading(_) => list_heading::HEIGHT,
        Line::Row(row) => list_row::height(row),
        Line::Service(..) => services::LINE_HEIGHT,
        Line::More(_) => MORE_HEIGHT,
    }
}

/// What tells a line from the others, wherever it stands.
fn line_id(line: Line<'_>) -> (u8, u64) {
    match line {
        Line::Row(row) => (0, row.key),
        Line::Heading(group) => (1, group as u64),
        Line::Service(pid, _) => (2, u64::from(pid)),
        Line::More(_) => (3, 0),
    }
}
