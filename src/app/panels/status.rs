//! The line at the bottom: how the selected transfer is done, and what the window itself costs.

use eframe::egui::{Align, Layout, Ui};

use crate::app::action::{Action, FormAction};
use crate::app::model::format;
use crate::app::model::repaint::WindowCost;
use crate::app::model::row::Row;
use crate::app::model::settings::ThemeChoice;
use crate::app::model::view::View;
use crate::app::widgets::{caption, word_button};

/// What the line shows besides the selected row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// What the window cost when it was last measured.
    pub cost: Option<WindowCost>,
    /// Whether it repaints by itself now.
    pub is_running: bool,
    /// Light or dark.
    pub theme: ThemeChoice,
    /// Whether New transfer is hidden.
    pub form_hidden: bool,
    /// The page that is shown above it.
    pub view: View,
}

/// Draws the line.
pub(crate) fn ui(ui: &mut Ui, row: Option<&Row>, context: Context) -> Vec<Action> {
    let mut actions = Vec::new();
    ui.horizontal_centered(|ui| {
        if context.form_hidden
            && word_button(ui, "New transfer", "Show New transfer")
                .on_hover_text("Ctrl N")
                .clicked()
        {
            actions.push(Action::Form(FormAction::Toggle));
        }
        if context.form_hidden
            && context.view != View::Compare
            && word_button(ui, "Compare routes", "Compare routes")
                .on_hover_text("Ctrl R")
                .clicked()
        {
            actions.push(Action::Show(View::Compare));
        }
        caption(
            ui,
            &row.filter(|_| context.view != View::Compare)
                .map_or_else(String::new, how),
        );
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let theme = context.theme.name();
            let button = word_button(ui, &format!("{theme} theme"), &format!("Theme: {theme}"));
            let next = context.theme.next();
            if button.on_hover_text(next.switch_to()).clicked() {
                actions.push(Action::SetTheme(next));
            }
            ui.add_space(8.0);
            caption(ui, &itself(context.cost, context.is_running));
        });
    });
    actions
}

/// What the window costs, as measured.
#[must_use]
pub(crate) fn itself(cost: Option<WindowCost>, is_running: bool) -> String {
    match (cost, is_running) {
        (Some(cost), true) => {
            format!(
                "Arraylift itself: {:.1} % CPU, {:.0} frames/s",
                cost.cpu * 100.0,
                cost.frames_per_s
            )
        }
        (None, true) => String::new(),
        (_, false) => "Arraylift itself: at rest".to_owned(),
    }
}

/// Wire, routes, congestion control and chunk: `native · sendfile → recv · loopback cubic · 1 MiB chunks`.
#[must_use]
pub(crate) fn how(row: &Row) -> String {
    let Some(started) = row.started() else {
        return String::new();
    };
    let mut words = vec![started.wire.to_string()];
    let routes: Vec<&str> = [
        row.end(crate::transfer::Side::Sender)
            .started
            .as_ref()
            .and_then(|started| started.send_route.as_deref())
            .or(started.send_route.as_deref()),
        row.end(crate::transfer::Side::Receiver)
            .started
            .as_ref()
            .and_then(|started| started.receive_route.as_deref())
            .or(started.receive_route.as_deref()),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !routes.is_empty() {
        words.push(routes.join(" → "));
    }
    let network = if row.is_loopback() { "loopback " } else { "" };
    if let Some(congestion) = &started.congestion_control {
        words.push(format!("{network}{congestion}"));
    }
    let chunk_bytes = row
        .recipe()
        .map_or(started.chunk_bytes, |recipe| recipe.options.chunk_bytes);
    words.push(format!("{} chunks", format::exact_bytes(chunk_bytes as u64)));
    words.join(" · ")
}
