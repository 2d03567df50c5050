//! The advanced fields: wire, routes, chunk, streams, limit and what else few people change.

use eframe::egui::{Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Context, dtype_ui};
use crate::app::action::{Action, FormAction};
use crate::app::model::form::{Field, Form, SinkKind};
use crate::app::theme;
use crate::app::widgets::{caption, dropdown, field, focus_ring, fold_triangle, pair, tick};
use crate::app::words::{Key, key, say};
use crate::route::{ReceiveRouteChoice, SendRouteChoice};
use crate::wire::WireChoice;

/// Wires, each with what is to be known of it.
const WIRES: [(WireChoice, Option<Key>); 4] = [
    (WireChoice::Auto, None),
    (WireChoice::Native, Some(key!("form-wire-native"))),
    (WireChoice::Npy, Some(key!("form-wire-npy"))),
    (WireChoice::Raw, Some(key!("form-wire-raw"))),
];
const SEND_ROUTES: [(SendRouteChoice, Option<Key>); 6] = [
    (SendRouteChoice::Auto, None),
    (SendRouteChoice::Sendfile, None),
    (SendRouteChoice::Write, None),
    (SendRouteChoice::Handoff, Some(key!("form-route-handoff"))),
    (SendRouteChoice::Zerocopy, Some(key!("form-route-zerocopy"))),
    (SendRouteChoice::Copying, Some(key!("form-route-copying"))),
];
const RECEIVE_ROUTES: [(ReceiveRouteChoice, Option<Key>); 4] = [
    (ReceiveRouteChoice::Auto, None),
    (ReceiveRouteChoice::Recv, None),
    (ReceiveRouteChoice::Splice, Some(key!("form-route-splice"))),
    (ReceiveRouteChoice::Map, Some(key!("form-route-map"))),
];

/// The choices, each with its note in words.
fn noted<T, const N: usize>(choices: [(T, Option<Key>); N]) -> [(T, &'static str); N] {
    choices.map(|(choice, note)| (choice, note.map_or("", Key::say)))
}

/// Draws the fold and, where it is open, its fields.
pub(super) fn ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>) -> Option<Action> {
    // A mistake is never hidden behind a closed fold.
    let must_open = context.checked.mistakes.keys().any(|field| field.is_advanced()) || form.needs_expectation();
    let is_tree = form.sends() && context.checked.is_tree();
    let words = if is_tree {
        form.advanced_of_tree_in_words()
    } else {
        form.advanced_in_words()
    };
    let is_open = fold_ui(ui, &words, context.advanced_open || must_open);
    if is_open {
        if is_tree {
            limit_ui(ui, form, context);
        } else {
            wire_ui(ui, form, context);
            routes_ui(ui, form, context);
            limit_ui(ui, form, context);
            array_ui(ui, form, context);
        }
        tick(ui, &mut form.verify, say!("form-verify"));
        if form.receives() && form.sink == SinkKind::File {
            tick(ui, &mut form.sync, say!("form-sync")).on_hover_text(say!("form-sync-hover"));
        }
    }
    (is_open != context.advanced_open).then_some(Action::Form(FormAction::SetAdvancedOpen(is_open)))
}

fn wire_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>) {
    let needs_expectation = form.needs_expectation();
    let Form { wire, chunk, .. } = form;
    pair(
        ui,
        |ui| dropdown(ui, say!("form-wire"), wire, WireChoice::name, &noted(WIRES), None),
        |ui| {
            let wrong = context.wrong(Field::Chunk);
            field(ui, say!("form-chunk"), chunk, "auto", wrong);
        },
    );
    if needs_expectation {
        let (dtype, shape) = (&mut form.expect_dtype, &mut form.expect_shape);
        pair(
            ui,
            |ui| dtype_ui(ui, say!("form-expect-type"), dtype, context.wrong(Field::ExpectDtype)),
            |ui| {
                let wrong = context.wrong(Field::ExpectShape);
                field(ui, say!("form-expect-shape"), shape, "3,4", wrong);
            },
        );
    }
}

/// How bytes leave and land, as far as that is decided here.
fn routes_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>) {
    let (sends, receives) = (form.sends(), form.receives());
    let Form {
        send_route,
        receive_route,
        ..
    } = form;
    let mut send = |ui: &mut Ui| {
        let (name, wrong) = (SendRouteChoice::name, context.wrong(Field::SendRoute));
        dropdown(
            ui,
            say!("form-send-route"),
            send_route,
            name,
            &noted(SEND_ROUTES),
            wrong,
        );
    };
    let mut receive = |ui: &mut Ui| {
        let (name, wrong) = (ReceiveRouteChoice::name, context.wrong(Field::ReceiveRoute));
        let (label, routes) = (say!("form-receive-route"), noted(RECEIVE_ROUTES));
        dropdown(ui, label, receive_route, name, &routes, wrong);
    };
    match (sends, receives) {
        (true, true) => pair(ui, send, receive),
        (true, false) => send(ui),
        _ => receive(ui),
    }
}

/// How fast it goes at most, and how long a peer may be silent.
fn limit_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>) {
    let limit_in_words = form.limit_in_words();
    let Form { limit, timeout, .. } = form;
    pair(
        ui,
        |ui| {
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 5.0;
                let wrong = context.wrong(Field::Limit);
                field(ui, say!("form-limit"), limit, say!("form-no-limit"), wrong);
                if let (None, Some(words)) = (wrong, &limit_in_words) {
                    caption(ui, words);
                }
            });
        },
        |ui| {
            let wrong = context.wrong(Field::Timeout);
            field(ui, say!("form-timeout"), timeout, "30 s", wrong);
        },
    );
}

/// How much is shown of an array, and over how many connections it goes.
fn array_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>) {
    let sends = form.sends();
    let Form { preview, streams, .. } = form;
    pair(
        ui,
        |ui| {
            let wrong = context.wrong(Field::Preview);
            field(ui, say!("form-preview"), preview, "10", wrong);
        },
        |ui| {
            if sends {
                field(ui, say!("form-streams"), streams, "1", context.wrong(Field::Streams))
                    .on_hover_text(say!("form-streams-hover"));
            }
        },
    );
}

/// The line that opens and closes Advanced; returns whether it is open now.
fn fold_ui(ui: &mut Ui, words: &str, is_open: bool) -> bool {
    let palette = theme::palette(ui);
    let text = if is_open {
        say!("form-advanced").to_owned()
    } else {
        format!("{}   {words}", say!("form-advanced"))
    };
    let width = ui.available_width();
    let galley = ui.painter().layout(text, theme::small(), palette.weak, width - 14.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, galley.size().y + 4.0), Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(
            Role::DisclosureTriangle,
            ui.is_enabled(),
            is_open,
            say!("form-advanced-said", words = words),
        )
    });
    let is_open = is_open != response.clicked();
    focus_ring(ui, &response, rect.expand2(vec2(3.0, 0.0)));
    let colour = if response.hovered() { palette.text } else { palette.weak };
    fold_triangle(ui, pos2(rect.left() + 4.0, rect.top() + 10.0), is_open, colour);
    ui.painter()
        .galley_with_override_text_color(rect.min + vec2(14.0, 2.0), galley, colour);
    is_open
}
