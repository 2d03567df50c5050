//! The form on the left: what, between which ends, into what, how, and Start.

mod advanced;
mod remarks;
mod tree;

use eframe::egui::{Align, Button, Frame, Id, Label, Layout, Margin, RichText, ScrollArea, Ui, vec2};

use crate::app::action::{Action, Dialog, FormAction};
use crate::app::model::form::{EndpointKind, Field, Form, SinkKind, SourceKind};
use crate::app::model::plan::CheckedForm;
use crate::app::model::view::View;
use crate::app::theme::{self, STEP};
use crate::app::widgets::{
    caption, dropdown, field, field_with_id, heading, main_button, mistake, pair, scrolled, segments,
    text_edit_with_id, tick, word_button,
};
use crate::app::words::{Key, key, say};

const DTYPES: [(&str, Key); 10] = [
    ("f64", key!("form-8-bytes")),
    ("f32", key!("form-4-bytes")),
    ("i64", key!("form-8-bytes")),
    ("i32", key!("form-4-bytes")),
    ("i16", key!("form-2-bytes")),
    ("int8", key!("form-1-byte")),
    ("u64", key!("form-8-bytes")),
    ("u32", key!("form-4-bytes")),
    ("u16", key!("form-2-bytes")),
    ("u8", key!("form-1-byte")),
];

/// What Start and what stands below it take, with the space above.
const START_HEIGHT: f32 = 106.0;

/// What the form needs to know besides its own fields.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// What the fields come to.
    pub checked: &'a CheckedForm,
    /// Whether the advanced fields are unfolded.
    pub advanced_open: bool,
    /// Why there is no file dialog, where there is none.
    pub dialog_trouble: Option<&'a str>,
    /// Whether files can be dropped on the window.
    pub can_drop: bool,
    /// The page that is shown beside it.
    pub view: View,
    /// Whether a comparison is running.
    pub is_comparing: bool,
}

impl Context<'_> {
    fn wrong(&self, field: Field) -> Option<&String> {
        self.checked.mistakes.get(&field)
    }
}

/// The id of the field that Ctrl+N goes to.
#[must_use]
pub(crate) fn first_field() -> Id {
    Id::unique("new transfer, first field")
}

/// Draws the form. Someone types into a copy of it, which is returned where it differs.
pub(crate) fn ui(ui: &mut Ui, form: &Form, context: &Context<'_>) -> Vec<Action> {
    ui.spacing_mut().item_spacing.y = 14.0;
    let mut edited = form.clone();
    let mut actions = Vec::new();
    ui.add_space(16.0);
    let closes = inset(ui, head_ui);
    actions.extend(closes.then_some(Action::Form(FormAction::Toggle)));
    // Start stays in sight below the fields, however many of them are shown.
    let height = (ui.available_height() - START_HEIGHT).max(0.0);
    let fields = ScrollArea::vertical().id_salt("fields").auto_shrink([false, true]);
    scrolled(ui, fields.max_height(height), |ui| {
        inset(ui, |ui| fields_ui(ui, &mut edited, context, &mut actions));
    });
    actions.extend(inset(ui, |ui| start_ui(ui, &mut edited, context)));
    if edited != *form {
        // What is typed is taken before it is started.
        actions.insert(0, Action::Form(FormAction::Edit(Box::new(edited))));
    }
    actions
}

/// Between margins. They belong to what is shown and not to the panel, so that a scroll bar stands in them.
fn inset<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let frame = Frame::new().inner_margin(Margin::symmetric(16, 0));
    frame.show(ui, add).inner
}

/// The title; returns whether the form is to be closed.
fn head_ui(ui: &mut Ui) -> bool {
    let head = ui.horizontal(|ui| {
        let font = theme::strong_of(theme::TITLE);
        heading(ui, RichText::new(say!("list-new-transfer")).font(font));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let close = word_button(ui, say!("form-close"), say!("form-close-name"));
            close.on_hover_text(say!("form-close-hover")).clicked()
        })
        .inner
    });
    head.inner
}

/// Each part is a scope of its own: a note that comes or goes in one, such as what was found at a path, changes no id in
/// the others, and so takes no focus from the field in which someone types.
fn fields_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>, actions: &mut Vec<Action>) {
    if form.sends() {
        actions.extend(ui.scope(|ui| source_ui(ui, form, context)).inner);
    }
    ui.scope(|ui| endpoint_ui(ui, form, context));
    if form.receives() {
        actions.extend(ui.scope(|ui| sink_ui(ui, form, context)).inner);
    }
    actions.extend(ui.scope(|ui| advanced::ui(ui, form, context)).inner);
}

fn source_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>) -> Option<Action> {
    let kinds = [
        (SourceKind::Range, say!("form-range")),
        (SourceKind::File, say!("form-file")),
    ];
    segments(ui, say!("form-source"), &mut form.source, &kinds);
    let browse = match form.source {
        SourceKind::Range => {
            range_ui(ui, form, context);
            None
        }
        SourceKind::File => {
            let path = PathField {
                id: Some(first_field()),
                label: say!("form-path"),
                hint: say!("form-path-hint"),
                dialog: Dialog::Source,
            };
            let browse = path.ui(ui, &mut form.path, context);
            if form.path.trim().is_empty() {
                let note = if context.can_drop {
                    say!("form-choose-or-drop")
                } else {
                    say!("form-choose")
                };
                note_below(ui, note);
            } else {
                mistake_below(ui, context.wrong(Field::Path));
            }
            browse
        }
    };
    if let Some(summary) = &context.checked.summary {
        note_below(ui, summary);
    }
    if let Some(sources) = &context.checked.sources {
        remarks::ui(ui, sources);
    }
    if form.source == SourceKind::File && context.checked.is_tree() {
        tree::choices_ui(ui, form);
    }
    browse
}

fn range_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>) {
    let Form {
        from, to, step, dtype, ..
    } = form;
    let first = Some(first_field());
    pair(
        ui,
        |ui| {
            let wrong = context.wrong(Field::From);
            field_with_id(ui, first, say!("form-from"), from, "0", wrong);
        },
        |ui| {
            let wrong = context.wrong(Field::To);
            field(ui, say!("form-to"), to, "50,000,000", wrong);
        },
    );
    pair(
        ui,
        |ui| drop(field(ui, say!("form-step"), step, "1", context.wrong(Field::Step))),
        |ui| dtype_ui(ui, say!("form-type"), dtype, context.wrong(Field::Dtype)),
    );
}

fn dtype_ui(ui: &mut Ui, label: &str, dtype: &mut String, wrong: Option<&String>) {
    let mut chosen = dtype.as_str();
    let dtypes = DTYPES.map(|(name, bytes)| (name, bytes.say()));
    dropdown(ui, label, &mut chosen, |name| name, &dtypes, wrong);
    *dtype = chosen.to_owned();
}

fn endpoint_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>) {
    titled(ui, say!("form-between"), |ui| {
        let choices = [
            (EndpointKind::ThisMachine, say!("form-this-machine")),
            (EndpointKind::SendTo, say!("form-send-to")),
            (EndpointKind::ReceiveAt, say!("form-receive-at")),
        ];
        segments(ui, say!("form-between"), &mut form.endpoint, &choices);
    });
    let hint = say!("form-endpoint-hint");
    match form.endpoint {
        EndpointKind::ThisMachine => {}
        EndpointKind::SendTo => {
            let wrong = context.wrong(Field::SendTo);
            field(ui, say!("form-receiver"), &mut form.send_to, hint, wrong);
        }
        EndpointKind::ReceiveAt => {
            let wrong = context.wrong(Field::ReceiveAt);
            field(ui, say!("form-listen-on"), &mut form.receive_at, hint, wrong);
            note_below(ui, say!("form-listen-note"));
        }
    }
}

fn sink_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>) -> Option<Action> {
    titled(ui, say!("form-into"), |ui| {
        let choices = [
            (SinkKind::Memory, say!("form-memory")),
            (SinkKind::File, say!("form-file")),
            (SinkKind::Discard, say!("form-discard")),
        ];
        segments(ui, say!("form-into"), &mut form.sink, &choices);
    });
    mistake_below(ui, context.wrong(Field::Sink));
    if form.sink != SinkKind::File {
        return None;
    }
    let path = PathField {
        id: None,
        label: say!("form-sink-path"),
        hint: say!("form-sink-hint"),
        dialog: Dialog::Sink,
    };
    let browse = path.ui(ui, &mut form.sink_path, context);
    if form.sink_path.trim().is_empty() {
        note_below(ui, say!("form-choose-sink"));
    } else {
        mistake_below(ui, context.wrong(Field::SinkPath));
    }
    if form.may_allow_replace() {
        tree::allow_replace_ui(ui, form);
    }
    browse
}

/// Start and Repeat.
fn start_ui(ui: &mut Ui, form: &mut Form, context: &Context<'_>) -> Option<Action> {
    let start = start_button(ui, form.endpoint, context);
    tick(ui, &mut form.repeat, say!("form-repeat"));
    start
}

fn start_button(ui: &mut Ui, endpoint: EndpointKind, context: &Context<'_>) -> Option<Action> {
    let checked = context.checked;
    let is_ready = (checked.recipe.is_some() || checked.pending) && !context.is_comparing;
    let word = if endpoint == EndpointKind::ReceiveAt {
        say!("form-listen")
    } else {
        say!("form-start")
    };
    // On the compare page the keys compare.
    let keys = if context.view == View::Compare {
        ""
    } else {
        "Ctrl Enter"
    };
    let button = main_button(ui, word, keys, is_ready);
    if is_ready {
        return button.clicked().then_some(Action::Form(FormAction::Start));
    }
    let why_not = if context.is_comparing {
        say!("form-comparing")
    } else {
        checked.mistakes.values().next().map_or("", String::as_str)
    };
    button.on_hover_text(why_not);
    None
}

/// A path with its Browse button.
struct PathField {
    id: Option<Id>,
    label: &'static str,
    hint: &'static str,
    dialog: Dialog,
}

impl PathField {
    fn ui(self, ui: &mut Ui, path: &mut String, context: &Context<'_>) -> Option<Action> {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 5.0;
            let label_id = caption(ui, self.label).id;
            let browse = ui.horizontal(|ui| {
                let room = ui.available_width() - 78.0;
                ui.allocate_ui(vec2(room, theme::FIELD_HEIGHT), |ui| {
                    ui.set_width(room);
                    text_edit_with_id(ui, self.id, path, self.hint, false).labelled_by(label_id);
                });
                let button = Button::new(say!("form-browse")).min_size(vec2(70.0, theme::FIELD_HEIGHT));
                let name = say!("form-browse-for", what = self.label);
                ui.add(button).accessible_name(name).clicked()
            });
            if let Some(trouble) = context.dialog_trouble {
                caption(ui, trouble);
            }
            browse.inner.then_some(Action::Browse(self.dialog))
        })
        .inner
    }
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

fn note_below(ui: &mut Ui, text: &str) {
    tight(ui, |ui| {
        caption(ui, text);
    });
}

/// Something that belongs to what stands above it.
fn tight(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    ui.add_space(STEP / 2.0 - 12.0);
    content(ui);
}
