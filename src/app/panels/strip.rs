//! In a window that is not wide: the list as a strip of chips above the page. A chip with a count opens the list.

use eframe::egui::{
    Align2, Id, Popup, PopupAnchor, Pos2, Rect, Response, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use super::transfers::Column;
use super::{list_head, list_row, row_menu};
use crate::app::action::{Action, FormAction, TransferAction};
use crate::app::model::format::RateUnit;
use crate::app::model::list::{Group, List};
use crate::app::model::row::{Row, RowKey, Sign, Told};
use crate::app::model::totals::Totals;
use crate::app::theme::{self, ROW_RADIUS};
use crate::app::widgets::{
    Icon, focus_ring, name_line, paint_icon, paint_sparkline, say_selected, sign_colour, text_line, text_width,
};
use crate::app::words::say;

/// Height of the strip.
pub(crate) const HEIGHT: f32 = 44.0;
const CHIP_HEIGHT: f32 = 32.0;
const NAME_MAX: f32 = 120.0;
const SPARKLINE_WIDTH: f32 = 40.0;
/// A rate takes so much room at least, so that nothing moves with its digits.
const RATE_WIDTH: f32 = 40.0;
/// The place of the rate of all.
const TOTAL_WIDTH: f32 = 92.0;
/// The list that a chip opens.
const LIST_WIDTH: f32 = 300.0;
const LIST_HEIGHT_MAX: f32 = 380.0;

/// Draws the strip into all of `ui`.
pub(crate) fn ui(ui: &mut Ui, column: Column<'_>) -> Vec<Action> {
    let palette = theme::palette(ui);
    let area = ui.max_rect();
    ui.painter()
        .hline(area.x_range(), area.bottom() - 0.5, (1.0, palette.hairline));
    let mut actions = Vec::new();
    let plus = Rect::from_center_size(pos2(area.right() - 30.0, area.center().y), vec2(28.0, 28.0));
    let transfers = column.list.transfers;
    let totals = Totals::of(transfers, column.now_s);
    // Written once, beside the total.
    let unit = totals.common_unit(column.list.unit());
    let total_end = pos2(plus.left() - 12.0, area.center().y);
    let end = total_end.x - TOTAL_WIDTH - 12.0;
    // The filter is of the list that a chip opens.
    let all = List {
        filter: "",
        ..column.list
    };
    let mut counts = counts(all);
    // With room for the count of those that have no chip.
    let counts_width = 96.0 + counts.iter().map(|(_, text)| count_width(ui, text)).sum::<f32>();
    let mut without_chip = 0_usize;
    let mut x = area.left() + 8.0;
    let place = |x: f32, width: f32| Rect::from_min_size(pos2(x, area.top() + 6.0), vec2(width, CHIP_HEIGHT));
    let mut selected_at = place(x, 0.0);
    for row in alive(all) {
        let chip = Chip::of(ui, column, unit, row);
        let width = chip.width(ui);
        if without_chip > 0 || x + width + counts_width > end {
            without_chip += 1;
            continue;
        }
        if chip.is_selected {
            selected_at = place(x, width);
        }
        actions.extend(chip.ui(ui, place(x, width)));
        x += width + 4.0;
    }
    if without_chip > 0 {
        counts.insert(0, (Sign::Both, say!("strip-more", count = without_chip)));
    }
    let mut openers = Vec::new();
    for (sign, text) in counts {
        let width = count_width(ui, &text);
        openers.push(count_ui(ui, sign, &text, place(x, width)));
        x += width;
    }
    // In the order in which they are read.
    openers.push(total_ui(ui, column, &totals, unit, total_end));
    if plus_ui(ui, plus) {
        actions.push(Action::Form(FormAction::Focus));
    }
    for opener in openers.iter().filter(|opener| opener.clicked()) {
        let at = opener.rect.left() - area.left();
        actions.push(Action::ShowList(column.list_at.is_none().then_some(at)));
    }
    if let Some(at) = column.list_at {
        // What opens it closes it, too.
        let is_opener = openers.iter().any(Response::contains_pointer);
        actions.extend(list_ui(ui, pos2(area.left() + at, area.bottom()), column, is_opener));
    } else if let Some(row) = transfers.selected() {
        let corner = selected_at.left_top() + vec2(30.0, 26.0);
        actions.extend(row_menu::at(ui, row, transfers.is_next(row.key), corner));
    }
    actions
}

/// Those that run, and above all the selected one.
fn alive(list: List<'_>) -> Vec<&Row> {
    let selected = list.transfers.selected();
    let selected = selected.filter(|row| row.group() != Group::Running);
    selected.into_iter().chain(list.group(Group::Running)).collect()
}

/// A transfer that is alive.
struct Chip<'a> {
    row: &'a Row,
    is_selected: bool,
    now_s: f64,
    /// In the unit of the strip; may be empty.
    rate: String,
    /// As wide as it is, or as most are.
    rate_width: f32,
}

impl<'a> Chip<'a> {
    fn of(ui: &Ui, column: Column<'_>, unit: RateUnit, row: &'a Row) -> Self {
        let rate = match row.told_in_list(unit, column.now_s) {
            Told::Rate(rate) | Told::Mean(rate) => rate,
            Told::Word(_) => String::new(),
        };
        let rate_width = match rate.as_str() {
            "" => 0.0,
            rate => text_width(ui, rate, theme::strong()).max(RATE_WIDTH) + 8.0,
        };
        Self {
            row,
            is_selected: column.list.transfers.selected().map(|row| row.key) == Some(row.key),
            now_s: column.now_s,
            rate,
            rate_width,
        }
    }

    fn width(&self, ui: &Ui) -> f32 {
        let name = text_width(ui, self.row.name(), theme::body()).min(NAME_MAX);
        let curve = if self.has_curve() { SPARKLINE_WIDTH + 8.0 } else { 0.0 };
        28.0 + name + curve + self.rate_width + 8.0
    }

    fn has_curve(&self) -> bool {
        self.row.sign() != Sign::Waits
    }

    fn ui(&self, ui: &Ui, rect: Rect) -> Option<Action> {
        let (row, palette) = (self.row, theme::palette(ui));
        let response = ui.interact(rect, chip_id(row.key), Sense::click());
        say_selected(&response, Role::ListItem, self.is_selected, || {
            [row.name(), &row.rate_in_words(self.now_s)].join(say!("comma"))
        });
        if self.is_selected {
            ui.painter().rect_filled(rect, ROW_RADIUS, palette.selected_row);
        } else if response.hovered() {
            ui.painter().rect_filled(rect, ROW_RADIUS, palette.field);
        }
        focus_ring(ui, &response, rect);
        let (sign, at) = (row.sign(), rect.left_center() + vec2(14.0, 0.0));
        paint_icon(ui.painter(), Icon::Sign(sign), at, sign_colour(sign, palette));
        let inner = Rect::from_min_max(
            pos2(rect.left() + 28.0, rect.top()),
            pos2(rect.right() - 8.0, rect.bottom()),
        );
        text_line(
            ui,
            inner,
            Align2::RIGHT_CENTER,
            &self.rate,
            theme::strong(),
            palette.text,
        );
        let mut right = inner.right() - self.rate_width;
        if self.has_curve() {
            let corner = pos2(right - SPARKLINE_WIDTH, rect.center().y - 8.0);
            let curve = Rect::from_min_size(corner, vec2(SPARKLINE_WIDTH, 16.0));
            let colour = list_row::curve_colour(row, palette);
            paint_sparkline(ui.painter(), curve, &row.sparkline(), colour);
            right -= SPARKLINE_WIDTH + 8.0;
        }
        let name = inner.with_max_x(right);
        name_line(ui, name, Align2::LEFT_CENTER, row.name(), theme::body(), palette.text);
        if response.secondary_clicked() {
            row_menu::open(ui.ctx(), row.key);
        }
        let is_picked = response.clicked() || response.secondary_clicked();
        is_picked.then_some(Action::Transfer(row.key, TransferAction::Select))
    }
}

/// The id of the chip of a row.
fn chip_id(key: RowKey) -> Id {
    Id::unique(("chip", key))
}

/// How many there are of each group that has no chips.
fn counts(list: List<'_>) -> Vec<(Sign, String)> {
    let done = list.group(Group::Done).len() as u64 + list.transfers.forgotten_done();
    let others = list.group(Group::Others).len() + list.services.len();
    let (waiting, failed) = (list.group(Group::Waiting).len(), list.group(Group::Failed).len());
    let interrupted = list.group(Group::Interrupted).len();
    let mut counts = Vec::new();
    if waiting > 0 {
        counts.push((Sign::Waits, say!("strip-waiting", count = waiting)));
    }
    if interrupted > 0 {
        counts.push((Sign::Interrupted, say!("strip-interrupted", count = interrupted)));
    }
    if failed > 0 {
        counts.push((Sign::Failed, say!("strip-failed", count = failed)));
    }
    if done > 0 {
        counts.push((Sign::Verified, say!("strip-done", count = done)));
    }
    if others > 0 {
        counts.push((Sign::Done, say!("strip-elsewhere", count = others)));
    }
    counts
}

fn count_width(ui: &Ui, text: &str) -> f32 {
    text_width(ui, text, theme::body()) + 40.0
}

fn count_ui(ui: &Ui, sign: Sign, text: &str, rect: Rect) -> Response {
    let palette = theme::palette(ui);
    let response = ui.interact(rect, Id::unique(("count chip", sign as u8)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, say!("strip-list", counted = text)));
    if response.hovered() {
        ui.painter().rect_filled(rect, ROW_RADIUS, palette.field);
    }
    focus_ring(ui, &response, rect);
    paint_icon(
        ui.painter(),
        Icon::Sign(sign),
        rect.left_center() + vec2(14.0, 0.0),
        sign_colour(sign, palette),
    );
    let inner = Rect::from_min_max(pos2(rect.left() + 28.0, rect.top()), rect.max);
    text_line(ui, inner, Align2::LEFT_CENTER, text, theme::body(), palette.weak);
    response
}

/// The whole list, which hangs from a corner below the strip. It is no popup of those of which one alone can be open: a
/// row of it has a menu.
fn list_ui(ui: &Ui, corner: Pos2, column: Column<'_>, is_opener: bool) -> Vec<Action> {
    // A click that closes a menu closes nothing else.
    let has_menu = Popup::is_any_open(ui.ctx());
    let anchor = PopupAnchor::Position(corner);
    let popup = Popup::new(
        Id::unique("list below the strip"),
        ui.ctx().clone(),
        anchor,
        ui.layer_id(),
    );
    let shown = popup.show(|ui| {
        let height = column.list_height().min(LIST_HEIGHT_MAX);
        let (rect, _) = ui.allocate_exact_size(vec2(LIST_WIDTH, height + 44.0), Sense::hover());
        let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
        child.spacing_mut().item_spacing = vec2(0.0, 0.0);
        // A popup is first measured unseen, which takes the focus from what is in it.
        let loses_focus = ui.is_sizing_pass() && ui.memory(|memory| memory.has_focus(list_head::filter_id()));
        let mut actions = Vec::from_iter(loses_focus.then_some(Action::FocusFilter));
        actions.extend(list_head::filter_ui(&mut child, column.list.filter));
        let rest = child.available_rect_before_wrap();
        let mut list = child.new_child(UiBuilder::new().max_rect(rest));
        column.list_ui(&mut list, &mut actions);
        actions
    });
    let Some(shown) = shown else { return Vec::new() };
    let mut actions = shown.inner;
    if shown.response.clicked_elsewhere() && !has_menu && !is_opener {
        actions.push(Action::ShowList(None));
    }
    actions
}

fn plus_ui(ui: &Ui, rect: Rect) -> bool {
    let response = ui.interact(rect, Id::unique("new transfer"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, say!("list-new-transfer")));
    list_head::button_back(ui, rect, response.hovered());
    focus_ring(ui, &response, rect);
    paint_icon(ui.painter(), Icon::Plus, rect.center(), theme::palette(ui).text);
    response.on_hover_text(say!("list-new-hover")).clicked()
}

/// The rate of all, which ends at a point; a click on it opens the list.
fn total_ui(ui: &Ui, column: Column<'_>, totals: &Totals, unit: RateUnit, end: Pos2) -> Response {
    let palette = theme::palette(ui);
    let rate = totals.rate(unit);
    let place = Rect::from_min_max(end - vec2(TOTAL_WIDTH, 12.0), end + vec2(0.0, 12.0));
    let unit = text_line(ui, place, Align2::RIGHT_CENTER, rate.unit, theme::small(), palette.weak);
    let number = place.with_max_x(unit.left() - 4.0);
    text_line(
        ui,
        number,
        Align2::RIGHT_CENTER,
        &rate.number,
        theme::strong(),
        palette.text,
    );
    let response = ui.interact(place, Id::unique("totals"), Sense::click());
    let words = say!("totals-all", rate = rate.to_string(), rest = totals.all_in_words());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    focus_ring(ui, &response, place.expand2(vec2(4.0, 2.0)));
    let cost = super::status::itself(column.cost, column.is_moving);
    response.on_hover_text(format!("{words}\n{cost}"))
}
