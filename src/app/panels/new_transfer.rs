//! The form on the left: what, between which ends, into what, how, and Start.

use std::collections::BTreeMap;

use eframe::egui::{self, Button, Id, Label, Layout, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::app::action::Action;
use crate::app::model::form::{EndpointKind, Field, Form, SinkKind, SourceKind};
use crate::app::model::plan::Checked;
use crate::app::theme::{self, STEP};
use crate::app::widgets::{
    caption, dropdown, field, focus_ring, fold_triangle, main_button, mistake, pair, segments, text_edit, tick,
    word_button,
};

const DTYPES: [(&str, &str); 10] = [
    ("f64", "8 bytes"),
    ("f32", "4 bytes"),
    ("i64", "8 bytes"),
    ("i32", "4 bytes"),
    ("i16", "2 bytes"),
    ("i8", "1 byte"),
    ("u64", "8 bytes"),
    ("u32", "4 bytes"),
    ("u16", "2 bytes"),
    ("u8", "1 byte"),
];

/// What the form needs to know besides its own fields.
#[derive(Debug)]
pub struct Context<'a> {
    /// What the fields come to.
    pub checked: &'a Checked,
    /// Why there is no file dialog, where there is none.
    pub dialog_trouble: Option<&'a str>,
    /// Whether files can be dropped on the window.
    pub can_drop: bool,
    /// Whether the compare page is shown.
    pub compares: bool,
    /// Whether a comparison is running.
    pub is_comparing: bool,
}

/// The id of the field that Ctrl+N goes to.
#[must_use]
pub fn first_field() -> Id {
    Id::unique("new transfer, first field")
}

/// Draws the form. Its fields change in place: they hold nothing but what is typed.
pub fn ui(ui: &mut Ui, form: &mut Form, advanced_open: &mut bool, context: &Context<'_>, actions: &mut Vec<Action>) {
    ui.spacing_mut().item_spacing.y = 14.0;
    ui.horizontal(|ui| {
        ui.label(RichText::new("New transfer").font(theme::strong()));
        ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
            let fold = word_button(ui, "Hide", "Hide New transfer");
            if fold.on_hover_text("Hide this panel (Ctrl B)").clicked() {
                actions.push(Action::ToggleForm);
            }
        });
    });
    if form.sends() {
        source_ui(ui, form, context, actions);
    }
    endpoint_ui(ui, form, context.checked);
    if form.receives() {
        sink_ui(ui, form, context, actions);
    }
    advanced_ui(ui, form, advanced_open, context.checked);
    start_ui(ui, form, context, actions);
}

fn source_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>, actions: &mut Vec<Action>) {
    let wrong = &context.checked.mistakes;
    segments(
        ui,
        "Source",
        &mut form.source,
        &[(SourceKind::Range, "Float range"), (SourceKind::File, "File")],
    );
    match form.source {
        SourceKind::Range => {
            pair(
                ui,
                |ui| {
                    let response = field(ui, "From", &mut form.from, "0", wrong.get(&Field::From));
                    ui.data_mut(|data| data.insert_temp(first_field(), response.id));
                },
                |ui| {
                    field(
                        ui,
                        "To (not included)",
                        &mut form.to,
                        "50,000,000",
                        wrong.get(&Field::To),
                    );
                },
            );
            pair(
                ui,
                |ui| {
                    field(ui, "Step", &mut form.step, "1", wrong.get(&Field::Step));
                },
                |ui| dropdown(ui, "Type", &mut form.dtype, &DTYPES, wrong.get(&Field::Dtype)),
            );
        }
        SourceKind::File => {
            let response = path_ui(
                ui,
                "Path",
                &mut form.path,
                "/data/array.npy, shm:NAME or https://…",
                context,
                || {
                    actions.push(Action::BrowseSource);
                },
            );
            ui.data_mut(|data| data.insert_temp(first_field(), response));
            if form.path.trim().is_empty() {
                let drop = if context.can_drop {
                    ", or drop it anywhere here"
                } else {
                    ""
                };
                tight(ui, |ui| {
                    caption(ui, &format!("Choose a file, type its path{drop}."));
                });
            } else {
                mistake_below(ui, wrong.get(&Field::Path));
            }
        }
    }
    if let Some(summary) = &context.checked.summary {
        tight(ui, |ui| {
            caption(ui, summary);
        });
    }
}

fn endpoint_ui(ui: &mut Ui, form: &mut Form, checked: &Checked) {
    titled(ui, "Between", |ui| {
        let choices = [
            (EndpointKind::ThisMachine, "This machine"),
            (EndpointKind::SendTo, "Send to"),
            (EndpointKind::ReceiveAt, "Receive at"),
        ];
        segments(ui, "Between", &mut form.endpoint, &choices);
    });
    let wrong = &checked.mistakes;
    match form.endpoint {
        EndpointKind::ThisMachine => {}
        EndpointKind::SendTo => {
            field(
                ui,
                "Receiver's address",
                &mut form.send_to,
                "HOST:PORT or unix:PATH",
                wrong.get(&Field::SendTo),
            );
        }
        EndpointKind::ReceiveAt => {
            let hint = "HOST:PORT or unix:PATH";
            field(
                ui,
                "Address to listen on",
                &mut form.receive_at,
                hint,
                wrong.get(&Field::ReceiveAt),
            );
            tight(ui, |ui| {
                caption(ui, "Port 0 takes a free one. What comes is up to the sender.");
            });
        }
    }
}

fn sink_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>, actions: &mut Vec<Action>) {
    titled(ui, "Into", |ui| {
        let choices = [
            (SinkKind::Memory, "Memory"),
            (SinkKind::File, "File"),
            (SinkKind::Discard, "Discard"),
        ];
        segments(ui, "Into", &mut form.sink, &choices);
    });
    mistake_below(ui, context.checked.mistakes.get(&Field::Sink));
    if form.sink == SinkKind::File {
        path_ui(
            ui,
            "Folder or new file",
            &mut form.sink_path,
            "/data/incoming or shm:NAME",
            context,
            || {
                actions.push(Action::BrowseSink);
            },
        );
        if form.sink_path.trim().is_empty() {
            tight(ui, |ui| {
                caption(ui, "Choose a folder, or type the path of a new file.");
            });
        } else {
            mistake_below(ui, context.checked.mistakes.get(&Field::SinkPath));
        }
    }
}

fn advanced_ui(ui: &mut Ui, form: &mut Form, is_open: &mut bool, checked: &Checked) {
    let wrong = &checked.mistakes;
    // A mistake is never hidden behind a closed fold.
    *is_open |= wrong.keys().any(|field| field.is_advanced()) || form.needs_expectation();
    fold_ui(ui, form, is_open);
    if !*is_open {
        return;
    }
    let wires = [
        ("auto", ""),
        ("native", "verified"),
        ("npy", "NumPy's file format"),
        ("raw", "bytes only"),
    ];
    let sends = form.sends();
    pair(
        ui,
        |ui| dropdown(ui, "Wire", &mut form.wire, &wires, wrong.get(&Field::Wire)),
        |ui| {
            field(ui, "Chunk", &mut form.chunk, "auto", wrong.get(&Field::Chunk));
        },
    );
    if form.needs_expectation() {
        pair(
            ui,
            |ui| {
                dropdown(
                    ui,
                    "Type that comes",
                    &mut form.expect_dtype,
                    &DTYPES,
                    wrong.get(&Field::ExpectDtype),
                );
            },
            |ui| {
                field(
                    ui,
                    "Count or shape",
                    &mut form.expect_shape,
                    "3,4",
                    wrong.get(&Field::ExpectShape),
                );
            },
        );
    }
    routes_ui(ui, form, wrong);
    let limit_read = form.limit_in_words();
    pair(
        ui,
        |ui| {
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 5.0;
                let wrong = wrong.get(&Field::Limit);
                field(ui, "Limit", &mut form.limit, "no limit", wrong);
                if let (None, Some(read)) = (wrong, &limit_read) {
                    caption(ui, read);
                }
            });
        },
        |ui| {
            field(ui, "Timeout", &mut form.timeout, "30 s", wrong.get(&Field::Timeout));
        },
    );
    pair(
        ui,
        |ui| {
            field(
                ui,
                "First values shown",
                &mut form.preview,
                "10",
                wrong.get(&Field::Preview),
            );
        },
        |ui| {
            if sends {
                field(ui, "Streams", &mut form.streams, "1", wrong.get(&Field::Streams))
                    .on_hover_text("Connections at once; their blocks land in one array");
            }
        },
    );
    tick(ui, &mut form.verify, "Verify");
}

/// How bytes leave and land, as far as that is decided here.
fn routes_ui(ui: &mut Ui, form: &mut Form, wrong: &BTreeMap<Field, String>) {
    let send_routes = [
        ("auto", ""),
        ("sendfile", ""),
        ("write", ""),
        ("handoff", "the memory itself, on one host"),
        ("zerocopy", "to compare with"),
        ("copying", "the slow baseline"),
    ];
    let receive_routes = [
        ("auto", ""),
        ("recv", ""),
        ("splice", "files"),
        ("map", "files, to compare with"),
    ];
    let (sends, receives) = (form.sends(), form.receives());
    let Form {
        send_route,
        receive_route,
        ..
    } = form;
    let mut send = |ui: &mut Ui| dropdown(ui, "Send route", send_route, &send_routes, wrong.get(&Field::SendRoute));
    let mut receive = |ui: &mut Ui| {
        dropdown(
            ui,
            "Receive route",
            receive_route,
            &receive_routes,
            wrong.get(&Field::ReceiveRoute),
        );
    };
    match (sends, receives) {
        (true, true) => pair(ui, send, receive),
        (true, false) => send(ui),
        _ => receive(ui),
    }
}

/// The line that opens and closes Advanced.
fn fold_ui(ui: &mut Ui, form: &Form, is_open: &mut bool) {
    let palette = theme::palette(ui);
    let words = form.advanced_in_words();
    let text = if *is_open {
        "Advanced".to_owned()
    } else {
        format!("Advanced   {words}")
    };
    let width = ui.available_width();
    let galley = ui.painter().layout(text, theme::small(), palette.weak, width - 14.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, galley.size().y + 4.0), Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(
            Role::DisclosureTriangle,
            ui.is_enabled(),
            *is_open,
            format!("Advanced: {words}"),
        )
    });
    if response.clicked() {
        *is_open = !*is_open;
    }
    focus_ring(ui, &response, rect.expand2(vec2(3.0, 0.0)));
    let colour = if response.hovered() { palette.text } else { palette.weak };
    fold_triangle(ui, pos2(rect.left() + 4.0, rect.top() + 10.0), *is_open, colour);
    ui.painter()
        .galley_with_override_text_color(rect.min + vec2(14.0, 2.0), galley, colour);
}

fn start_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>, actions: &mut Vec<Action>) {
    let checked = context.checked;
    let is_ready = (checked.recipe.is_some() || checked.pending) && !context.is_comparing;
    let word = if form.endpoint == EndpointKind::ReceiveAt {
        "Listen"
    } else {
        "Start"
    };
    // On the compare page the keys compare.
    let keys = if context.compares { "" } else { "Ctrl Enter" };
    let button = main_button(ui, word, keys, is_ready);
    let why = if context.is_comparing {
        "A comparison is running: it would measure this transfer, too"
    } else {
        checked.mistakes.values().next().map_or("", String::as_str)
    };
    if is_ready && button.clicked() {
        actions.push(Action::Start);
    } else if !is_ready {
        button.on_hover_text(why);
    }
    ui.horizontal(|ui| {
        tick(ui, &mut form.repeat, "Repeat until stopped");
        ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
            let (word, hover) = if context.compares {
                ("Transfers", "Back to the transfers (Ctrl R)")
            } else {
                ("Compare routes", "The same array by every route, side by side (Ctrl R)")
            };
            ui.add_space(-5.0);
            if word_button(ui, word, word).on_hover_text(hover).clicked() {
                actions.push(Action::ShowCompare(!context.compares));
            }
        });
    });
    ui.add_space(-10.0);
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
            let hover = "How long bytes take to an echo service and back";
            let button = word_button(ui, "Round trips", "Round trips");
            if button.on_hover_text(hover).clicked() {
                actions.push(Action::ShowRoundTrips(true));
            }
        });
    });
}

/// A path with its Browse button; returns the id of the text field.
fn path_ui(
    ui: &mut Ui,
    label: &str,
    path: &mut String,
    hint: &str,
    context: &Context<'_>,
    browse: impl FnOnce(),
) -> Id {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 5.0;
        let label_id = caption(ui, label).id;
        let id = ui
            .horizontal(|ui| {
                let room = ui.available_width() - 78.0;
                let field = ui.allocate_ui(vec2(room, theme::FIELD_HEIGHT), |ui| {
                    ui.set_width(room);
                    text_edit(ui, path, hint, false).labelled_by(label_id)
                });
                let button = Button::new("Browse").min_size(vec2(70.0, theme::FIELD_HEIGHT));
                if ui.add(button).accessible_name(format!("Browse: {label}")).clicked() {
                    browse();
                }
                field.inner.id
            })
            .inner;
        if let Some(trouble) = context.dialog_trouble {
            caption(ui, trouble);
        }
        id
    })
    .inner
}

fn titled(ui: &mut Ui, title: &str, content: impl FnOnce(&mut Ui)) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 5.0;
        ui.add(Label::new(
            RichText::new(title).font(theme::small()).color(theme::palette(ui).weak),
        ));
        content(ui);
    });
}

fn mistake_below(ui: &mut Ui, text: Option<&String>) {
    if text.is_some() {
        tight(ui, |ui| mistake(ui, text));
    }
}

/// Something that belongs to what stands above it.
fn tight(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    ui.add_space(STEP / 2.0 - 12.0);
    content(ui);
}
