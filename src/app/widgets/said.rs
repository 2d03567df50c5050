//! What a screen reader hears of headings, of dialogs, and of the members of a group, of which some are chosen.

use eframe::egui::{Id, Response, RichText, Role, Ui, UiKind, WidgetInfo, accesskit};

/// Says of a row, a tab or an option that it is chosen or not: "selected", where egui alone would say "checked", as of a
/// box to tick.
pub(crate) fn say_selected(response: &Response, role: Role, is_selected: bool, name: impl Fn() -> String) {
    response.widget_info(|| WidgetInfo::labeled(role, true, name()));
    response
        .ctx
        .accesskit_node_builder(response.id, |node| node.set_selected(is_selected));
}

/// Says that what is typed into the field acts on the option: it is read aloud when another one takes its place, while the
/// field keeps the focus.
pub(crate) fn say_active(ui: &Ui, field: Id, option: &Response) {
    let option = option.id.accesskit_id();
    ui.accesskit_node_builder(field, |node| node.set_active_descendant(option));
}

/// A text that begins a page or a part of it: a screen reader goes from one to the next.
pub(crate) fn heading(ui: &mut Ui, text: RichText) {
    let name = text.text().to_owned();
    say_heading(&ui.label(text), &name);
}

/// The same of a text that is drawn already.
pub(crate) fn say_heading(response: &Response, name: &str) {
    response.widget_info(|| WidgetInfo::labeled(Role::Heading, true, name));
}

/// How a dialog is called.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Title<'a> {
    /// By a text that stands in it.
    Shown(&'a Response),
    /// By one that does not.
    Said(&'a str),
}

/// Names the dialog that the `ui` is in, and says that nothing else can be used while it is open.
pub(crate) fn say_dialog(ui: &Ui, title: Title<'_>) {
    let dialog = ui.stack().iter().find(|one| one.kind() == Some(UiKind::Modal));
    let Some(dialog) = dialog else { return };
    ui.accesskit_node_builder(dialog.unique_id, |node: &mut accesskit::Node| {
        node.set_modal();
        match title {
            Title::Shown(text) => node.push_labelled_by(text.id.accesskit_id()),
            Title::Said(name) => node.set_label(name),
        }
    });
}
