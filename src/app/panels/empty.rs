//! The page before the first transfer: three things to do, over a quiet picture of what will be seen; and what a drop
//! would do.

use eframe::egui::{
    Align2, Context, Id, LayerId, Order, Rect, RichText, Sense, StrokeKind, Theme, Ui, UiBuilder, WidgetInfo, pos2,
    vec2,
};

use super::{ghost, last_done, list_head};
use crate::app::action::{Action, Dialog, FormAction};
use crate::app::model::history;
use crate::app::model::plan::CheckedForm;
use crate::app::theme::{self, CARD_RADIUS, RADIUS};
use crate::app::widgets::{caption, focus_ring, text_line, text_width};
use crate::app::words::say;
use crate::compare::ceilings::Ceilings;

const MARGIN: f32 = 24.0;
/// The cards and the picture are not wider.
const WIDTH_MAX: f32 = 1064.0;
const CARD_HEIGHT: f32 = 144.0;
/// Where the page is narrower, each card is a line.
const CARDS_SIDE_BY_SIDE: f32 = 680.0;
const LINE_HEIGHT: f32 = 56.0;
/// The picture is not lower.
const PICTURE_MIN: f32 = 120.0;
/// From the cards to what was done last.
const GAP_ABOVE_LAST: f32 = 12.0;

/// What the page needs to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    /// What Start on the first card would do, or why it cannot.
    pub first: &'a CheckedForm,
    /// What the form says, where it is open beside this page: then the form has the buttons.
    pub form: Option<&'a CheckedForm>,
    /// The highest rates that this machine reaches, where they were measured.
    pub ceilings: Option<&'a Ceilings>,
    /// What was done before.
    pub history: &'a history::Page,
    /// Whether New has no place elsewhere.
    pub has_new: bool,
    /// Whether files can be dropped on the window.
    pub can_drop: bool,
    /// What the window itself costs.
    pub cost: &'a str,
}

/// A card: what it is about, what it does, its button.
struct Card<'a> {
    title: &'static str,
    text: &'a str,
    word: &'static str,
    keys: &'static str,
    /// Why it cannot be pressed.
    why_not: Option<&'a str>,
    is_primary: bool,
    actions: Vec<Action>,
}

impl Page<'_> {
    /// Draws the page into all of `ui`.
    pub(crate) fn ui(self, ui: &mut Ui) -> Vec<Action> {
        let area = ui.max_rect();
        let mut actions = Vec::new();
        let top = area.top() + if self.has_new { 56.0 } else { 24.0 };
        if self.has_new {
            actions.extend(head_ui(ui, area));
        }
        let bottom = area.bottom() - 40.0;
        let width = (area.width() - 3.0 * MARGIN).clamp(120.0, WIDTH_MAX);
        let column = Rect::from_x_y_ranges(
            area.center().x - width / 2.0..=area.center().x + width / 2.0,
            top..=bottom,
        );
        let is_row = width >= CARDS_SIDE_BY_SIDE;
        let cards_height = match self.form {
            Some(_) => 24.0,
            None if is_row => CARD_HEIGHT,
            None => 3.0 * LINE_HEIGHT + 16.0,
        };
        // The picture takes what the headline, the cards and what was done last leave; where that is little, nothing. What
        // was done last has its place only beside it.
        let without_last = column.height() - cards_height - 110.0;
        let wanted = GAP_ABOVE_LAST + last_done::height(self.history);
        let has_last = wanted > GAP_ABOVE_LAST && self.form.is_none() && without_last - wanted >= PICTURE_MIN;
        let last_height = if has_last { wanted } else { 0.0 };
        let room = without_last - last_height;
        let picture_height = if room >= PICTURE_MIN { room.min(300.0) } else { 0.0 };
        let spare = (room - picture_height).max(0.0);
        let picture = Rect::from_min_size(column.min + vec2(0.0, spare * 0.45), vec2(width, picture_height));
        if picture_height > 0.0 {
            ghost::paint(ui, picture, self.ceilings);
        }
        let y = picture.bottom() + 46.0;
        let headline = Rect::from_center_size(pos2(column.center().x, y), vec2(width, 30.0));
        headline_ui(ui, headline);
        let cards = Rect::from_min_size(pos2(column.left(), y + 34.0), vec2(width, cards_height));
        match self.form {
            Some(form) => ready_ui(ui, cards, form),
            None => actions.extend(self.cards_ui(ui, cards, is_row)),
        }
        if has_last {
            let top = cards.bottom() + GAP_ABOVE_LAST;
            let place = Rect::from_min_max(pos2(column.left(), top), pos2(column.right(), top + last_height));
            actions.extend(last_done::ui(ui, place, self.history));
        }
        self.foot_ui(ui, area);
        actions
    }

    fn cards_ui(self, ui: &mut Ui, rect: Rect, is_row: bool) -> Vec<Action> {
        let cards = self.cards();
        let gap = if is_row { 16.0 } else { 8.0 };
        let count = cards.len() as f32;
        let width = (rect.width() - gap * (count - 1.0)) / count;
        let mut actions = Vec::new();
        for (at, card) in (0_u8..).zip(cards) {
            let at = f32::from(at);
            let place = if is_row {
                let left = rect.left() + at * (width + gap);
                Rect::from_min_size(pos2(left, rect.top()), vec2(width, CARD_HEIGHT))
            } else {
                let top = rect.top() + at * (LINE_HEIGHT + gap);
                Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), LINE_HEIGHT))
            };
            if card.ui(ui, place, is_row) {
                actions.extend(card.actions);
            }
        }
        actions
    }

    fn cards(&self) -> [Card<'_>; 3] {
        let can_try = self.first.recipe.is_some();
        let mistake = self.first.mistakes.values().next().map_or("", String::as_str);
        [
            Card {
                title: say!("empty-try"),
                text: say!("empty-try-text"),
                word: say!("empty-start"),
                keys: "Enter",
                why_not: (!can_try).then_some(mistake),
                is_primary: true,
                actions: vec![Action::TryThisMachine],
            },
            Card {
                title: say!("empty-send"),
                text: say!("empty-send-text"),
                word: say!("empty-choose"),
                keys: "Ctrl O",
                why_not: None,
                is_primary: false,
                actions: vec![Action::Form(FormAction::PrepareToSend), Action::Browse(Dialog::Source)],
            },
            Card {
                title: say!("palette-receive"),
                text: say!("empty-receive-text"),
                word: say!("empty-receive"),
                keys: "Ctrl L",
                why_not: None,
                is_primary: false,
                actions: vec![Action::Form(FormAction::PrepareToReceive)],
            },
        ]
    }

    fn foot_ui(self, ui: &Ui, area: Rect) {
        let palette = theme::palette(ui);
        let line = Rect::from_min_max(
            pos2(area.left() + MARGIN, area.bottom() - 40.0),
            pos2(area.right() - MARGIN, area.bottom() - 8.0),
        );
        let drop = say!("empty-drop");
        if self.can_drop {
            text_line(ui, line, Align2::LEFT_CENTER, drop, theme::small(), palette.faint);
        }
        let cost = line.with_min_x(line.left() + 280.0);
        text_line(ui, cost, Align2::RIGHT_CENTER, self.cost, theme::small(), palette.faint);
    }
}

fn head_ui(ui: &mut Ui, area: Rect) -> Option<Action> {
    let palette = theme::palette(ui);
    let line = Rect::from_min_size(area.min + vec2(MARGIN, 16.0), vec2(area.width() - 2.0 * MARGIN, 24.0));
    let font = theme::strong_of(theme::TITLE);
    text_line(
        ui,
        line,
        Align2::LEFT_CENTER,
        say!("rail-transfers"),
        font,
        palette.text,
    );
    let place = Rect::from_min_size(pos2(line.right() - 92.0, area.top() + 14.0), vec2(92.0, 28.0));
    list_head::new_button(ui, place).then_some(Action::Form(FormAction::Focus))
}

fn headline_ui(ui: &mut Ui, rect: Rect) {
    let palette = theme::palette(ui);
    let text = say!("empty-headline");
    let response = ui.interact(rect, Id::unique("headline"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(eframe::egui::Role::Heading, true, text));
    let font = theme::strong_of(theme::HEADLINE);
    text_line(ui, rect, Align2::CENTER_CENTER, text, font, palette.text);
}

/// What the form beside it would do.
fn ready_ui(ui: &mut Ui, rect: Rect, form: &CheckedForm) {
    let ready = match (&form.recipe, &form.summary) {
        (Some(_), Some(summary)) => say!("empty-ready", summary = summary),
        (Some(_), None) => say!("empty-ready-to-receive").to_owned(),
        (None, _) if !form.mistakes.is_empty() => say!("empty-needs").to_owned(),
        (None, _) => say!("empty-choose-what").to_owned(),
    };
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect));
    child.vertical_centered(|ui| {
        let weak = theme::palette(ui).weak;
        ui.label(RichText::new(ready).color(weak));
    });
}

impl Card<'_> {
    /// Draws it, as a card or as a line; true where its button was pressed.
    fn ui(&self, ui: &mut Ui, rect: Rect, is_card: bool) -> bool {
        let palette = theme::palette(ui);
        ui.painter().rect_filled(rect, CARD_RADIUS, palette.field);
        let line = if self.is_primary { palette.ghost } else { palette.edge };
        ui.painter()
            .rect_stroke(rect, CARD_RADIUS, (1.0, line), StrokeKind::Inside);
        let inner = rect.shrink(20.0);
        let button = if is_card {
            Rect::from_min_size(
                pos2(inner.left(), inner.bottom() - 28.0),
                vec2(self.button_width(ui), 28.0),
            )
        } else {
            let width = self.button_width(ui);
            Rect::from_min_size(pos2(inner.right() - width, rect.center().y - 14.0), vec2(width, 28.0))
        };
        let title = if is_card {
            Rect::from_min_size(inner.min - vec2(0.0, 3.0), vec2(inner.width(), 20.0))
        } else {
            Rect::from_min_max(
                pos2(inner.left(), rect.top()),
                pos2(button.left() - 12.0, rect.bottom()),
            )
        };
        let font = theme::strong_of(theme::TITLE);
        text_line(ui, title, Align2::LEFT_CENTER, self.title, font, palette.text);
        if is_card {
            let place = Rect::from_min_max(
                pos2(inner.left(), inner.top() + 22.0),
                pos2(inner.right(), button.top() - 8.0),
            );
            let mut child = ui.new_child(UiBuilder::new().max_rect(place));
            caption(&mut child, self.text);
        }
        self.button_ui(ui, button)
    }

    fn button_width(&self, ui: &Ui) -> f32 {
        let keys = text_width(ui, self.keys, theme::small());
        text_width(ui, self.word, theme::strong()) + keys + 48.0
    }

    fn button_ui(&self, ui: &Ui, rect: Rect) -> bool {
        let palette = theme::palette(ui);
        let is_enabled = self.why_not.is_none();
        let sense = if is_enabled { Sense::click() } else { Sense::hover() };
        let response = ui.interact(rect, Id::unique(("card", self.word)), sense);
        let name = say!("empty-card", word = self.word, title = self.title);
        response.widget_info(|| WidgetInfo::labeled(eframe::egui::Role::Button, is_enabled, &name));
        let (word, keys) = if self.is_primary && is_enabled {
            let fill = if response.hovered() {
                palette.primary_hover
            } else {
                palette.primary
            };
            ui.painter().rect_filled(rect, RADIUS, fill);
            (palette.on_primary, palette.on_primary.gamma_multiply(0.65))
        } else {
            list_head::button_back(ui, rect, response.hovered() && is_enabled);
            (if is_enabled { palette.text } else { palette.weak }, palette.faint)
        };
        focus_ring(ui, &response, rect.expand(2.0));
        let inner = rect.shrink2(vec2(20.0, 0.0));
        text_line(ui, inner, Align2::LEFT_CENTER, self.word, theme::strong(), word);
        text_line(
            ui,
            inner.expand2(vec2(1.0, 0.0)),
            Align2::RIGHT_CENTER,
            self.keys,
            theme::small(),
            keys,
        );
        let is_pressed = response.clicked();
        if let Some(why_not) = self.why_not {
            response.on_hover_text(why_not);
        }
        is_pressed
    }
}

/// Says what a drop would do, while files hang over the window.
pub(crate) fn drop_hint_ui(ctx: &Context) {
    let count = ctx.input(|input| input.raw.hovered_files.len());
    if count == 0 {
        return;
    }
    let screen = ctx.content_rect();
    let painter = ctx.layer_painter(LayerId::new(Order::Foreground, Id::unique("drop hint")));
    let palette = if ctx.theme() == Theme::Dark {
        &theme::DARK
    } else {
        &theme::LIGHT
    };
    painter.rect_filled(screen, 0.0, palette.background.gamma_multiply(0.85));
    let text = if count == 1 {
        say!("empty-drop-this")
    } else {
        say!("empty-drop-these")
    };
    painter.text(
        screen.center(),
        Align2::CENTER_CENTER,
        text,
        theme::strong(),
        palette.text,
    );
}
