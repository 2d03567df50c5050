//! What the keyboard, a drop and the window's focus ask for.

use eframe::egui::{Context, Event, Id, Key, Memory, Modifiers, Popup};

use super::App;
use super::action::{Action, CompareAction, Dialog, FormAction, QueueAction, RoundTripsAction, TransferAction};
use super::model::axes::TimeAxis;
use super::model::palette::Palette;
use super::model::row::{Phase, Row};
use super::model::view::View;
use super::panels::list_row::row_id;
use super::panels::rail;
use crate::transfer::State;

impl App {
    /// The actions that no panel returns.
    pub(super) fn input_actions(&self, ctx: &Context) -> Vec<Action> {
        let mut actions = dropped_files(ctx);
        if self.question.is_none() && self.palette.is_none() {
            actions.extend(self.everywhere(ctx));
            // Every other key belongs to the widget that has the focus, and Escape to the popup that it closes, or to
            // the field that it leaves. A row of the list has no keys of its own.
            let row = self.transfers.selected().map(|row| row_id(row.key));
            let is_free = |focus: Option<Id>| focus.is_none() || focus == row;
            let focus = ctx.memory(Memory::focused);
            if is_free(focus) && is_free(self.focus_before) && !Popup::is_any_open(ctx) {
                actions.extend(self.on_the_page(ctx));
            }
        }
        actions
    }

    fn everywhere(&self, ctx: &Context) -> Vec<Action> {
        let compares = self.view == View::Compare;
        let start = if compares {
            Action::Compare(CompareAction::Start)
        } else {
            Action::Form(FormAction::Start)
        };
        let other_page = Action::Show(if compares { View::Transfers } else { View::Compare });
        let mut keys = vec![
            (Key::Enter, start),
            (Key::R, other_page),
            (Key::N, Action::Form(FormAction::Focus)),
            (Key::B, Action::Form(FormAction::Toggle)),
            (Key::O, Action::Browse(Dialog::Source)),
            (Key::L, Action::Form(FormAction::PrepareToReceive)),
            (Key::F, Action::FocusFilter),
            (Key::K, Action::Palette(Some(Palette::default()))),
            (Key::Comma, Action::Show(View::Settings)),
        ];
        let digits = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5];
        let pages = rail::pages().map(|(view, _)| Action::Show(view));
        keys.extend(digits.into_iter().zip(pages));
        let mut actions: Vec<Action> = keys
            .into_iter()
            .filter(|(key, _)| is_pressed(ctx, Modifiers::CTRL, *key))
            .map(|(_, action)| action)
            .collect();
        if is_pressed(ctx, Modifiers::NONE, Key::F1) {
            actions.push(Action::Show(View::Help));
        }
        actions
    }

    fn on_the_page(&self, ctx: &Context) -> Vec<Action> {
        if self.view != View::Transfers {
            let escape = is_pressed(ctx, Modifiers::NONE, Key::Escape);
            return Vec::from_iter(escape.then(|| self.leave_page()));
        }
        let mut actions = Vec::new();
        if self.list_at.is_some() && is_pressed(ctx, Modifiers::NONE, Key::Escape) {
            actions.push(Action::ShowList(None));
        }
        if self.settings.form_open && is_pressed(ctx, Modifiers::NONE, Key::Escape) {
            actions.push(Action::Form(FormAction::Toggle));
        }
        let tries = self.shows_first_steps() && !self.settings.form_open;
        if tries && is_pressed(ctx, Modifiers::NONE, Key::Enter) {
            actions.push(Action::TryThisMachine);
        }
        if is_pressed(ctx, Modifiers::CTRL, Key::Z) {
            actions.push(Action::Queue(QueueAction::UndoRemoval));
        }
        if is_pressed(ctx, Modifiers::NONE, Key::ArrowUp) {
            actions.push(Action::SelectAbove);
        }
        if is_pressed(ctx, Modifiers::NONE, Key::ArrowDown) {
            actions.push(Action::SelectBelow);
        }
        if let Some(row) = self.transfers.selected() {
            if is_pressed(ctx, Modifiers::SHIFT, Key::F10) || is_pressed(ctx, Modifiers::NONE, Key::Menu) {
                actions.push(Action::OpenMenu(row.key));
            }
            let of_row = steering(ctx, row).into_iter();
            actions.extend(of_row.map(|action| Action::Transfer(row.key, action)));
            actions.extend(self.zooming(ctx, row));
        }
        actions
    }

    /// What Escape does on a page: it stops what the page does, or else leaves it.
    fn leave_page(&self) -> Action {
        if self.view == View::Compare && self.comparisons.page.progress.is_some() {
            Action::Compare(CompareAction::Cancel)
        } else if self.view == View::RoundTrips && self.pings.page.is_running {
            Action::RoundTrips(RoundTripsAction::Cancel)
        } else {
            Action::Show(View::Transfers)
        }
    }

    /// Plus, minus, left, right and 0 on the time axis of a transfer.
    fn zooming(&self, ctx: &Context, row: &Row) -> Vec<Action> {
        let view = self.settings.plot;
        let time = TimeAxis::of(row, view.period, self.now_s());
        let length_s = time.length_s();
        let centre_s = time.from_s + length_s / 2.0;
        let keys = [
            (Key::Plus, 0.5, 0.0),
            (Key::Equals, 0.5, 0.0),
            (Key::Minus, 2.0, 0.0),
            (Key::ArrowLeft, 1.0, -0.2),
            (Key::ArrowRight, 1.0, 0.2),
            (Key::Num0, f64::INFINITY, 0.0),
        ];
        let pressed = keys
            .into_iter()
            .filter(|(key, ..)| is_pressed(ctx, Modifiers::NONE, *key));
        pressed
            .flat_map(|(_, factor, shift)| Action::zoomed(row.key, view, time, factor, (centre_s, shift * length_s)))
            .collect()
    }
}

fn is_pressed(ctx: &Context, modifiers: Modifiers, key: Key) -> bool {
    ctx.input_mut(|input| input.consume_key(modifiers, key))
}

/// What is dropped anywhere is the source; what is at a path may have changed while the window was not looked at.
fn dropped_files(ctx: &Context) -> Vec<Action> {
    ctx.input(|input| {
        let dropped: Vec<_> = input
            .raw
            .dropped_files
            .iter()
            .map(|file| file.path().to_owned())
            .collect();
        let drop = (!dropped.is_empty()).then_some(FormAction::Drop(dropped));
        let is_back = input
            .events
            .iter()
            .any(|event| matches!(event, Event::WindowFocused(true)));
        let look_again = is_back.then_some(FormAction::LookAgain);
        drop.into_iter().chain(look_again).map(Action::Form).collect()
    })
}

/// Space, Delete and Escape on the selected transfer.
fn steering(ctx: &Context, row: &Row) -> Vec<TransferAction> {
    let mut actions = Vec::new();
    if is_pressed(ctx, Modifiers::NONE, Key::Space) {
        if row.phase == Phase::Is(State::Paused) {
            actions.push(TransferAction::Resume);
        } else if row.can_pause() {
            actions.push(TransferAction::Pause);
        }
    }
    let delete = is_pressed(ctx, Modifiers::NONE, Key::Delete);
    let escape = is_pressed(ctx, Modifiers::NONE, Key::Escape);
    match (delete, escape, row.is_over()) {
        (true, _, true) => actions.push(TransferAction::Remove),
        (true, _, false) | (_, true, false) => actions.push(TransferAction::AskToCancel),
        _ => {}
    }
    actions
}
