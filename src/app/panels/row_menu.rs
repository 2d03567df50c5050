//! What can be asked of a row: as buttons while it is pointed at, and all of it in the menu that a right click, Shift
//! F10 or the Menu key opens.

use eframe::egui::{Context, Id, Pos2, Response, Ui, vec2};

use crate::app::action::{Action, QueueAction, TransferAction};
use crate::app::export::{Format, markdown};
use crate::app::model::row::{Phase, Row, RowKey};
use crate::app::widgets::{Icon, MenuItem, open_menu, open_menu_ui};
use crate::app::words::say;
use crate::transfer::{Side, State};

/// A button in a row.
pub(super) struct RowButton {
    pub icon: Icon,
    /// The action in a word.
    pub word: &'static str,
    /// What it does, and its key.
    pub hover: &'static str,
    pub action: TransferAction,
    /// Its key alone.
    keys: &'static str,
}

/// The buttons of a row, from left to right.
pub(super) fn buttons(row: &Row, is_next: bool) -> Vec<RowButton> {
    let button = |icon, word, hover, keys, action| RowButton {
        icon,
        word,
        hover,
        action,
        keys,
    };
    let mut buttons = Vec::new();
    if row.is_interrupted() {
        let [go_on, give_up] = after_a_break(row);
        let icons = [(Icon::Play, go_on), (Icon::Cross, give_up)];
        let button = |(icon, (word, hover, action))| button(icon, word, hover, "", action);
        return icons.into_iter().map(button).collect();
    }
    if row.is_over() {
        if row.is_own() {
            let has_failed = matches!(row.phase, Phase::Failed { .. });
            let word = if has_failed {
                say!("menu-retry")
            } else {
                say!("menu-again")
            };
            let hover = say!("menu-again-hover");
            buttons.push(button(Icon::Again, word, hover, "", TransferAction::Again));
        }
        let (word, hover) = (say!("menu-remove"), say!("menu-remove-hover"));
        buttons.push(button(Icon::Cross, word, hover, "Del", TransferAction::Remove));
        return buttons;
    }
    if row.is_waiting() && !is_next {
        let (word, hover) = (say!("menu-sooner"), say!("menu-sooner-hover"));
        buttons.push(button(Icon::Up, word, hover, "", TransferAction::MoveForward));
    } else if row.phase == Phase::Is(State::Paused) {
        let (word, hover) = (say!("menu-resume"), say!("menu-resume-hover"));
        buttons.push(button(Icon::Play, word, hover, "Space", TransferAction::Resume));
    } else if row.can_pause() {
        let (word, hover) = (say!("menu-pause"), say!("menu-pause-hover"));
        buttons.push(button(Icon::Pause, word, hover, "Space", TransferAction::Pause));
    }
    let (word, hover) = if row.repeats() {
        (say!("menu-stop"), say!("menu-stop-hover"))
    } else {
        (say!("menu-cancel"), say!("menu-cancel-hover"))
    };
    buttons.push(button(Icon::Cross, word, hover, "Del", TransferAction::AskToCancel));
    buttons
}

/// What can be done with one that was interrupted: to go on, and to give up. Each with its word and what it does.
pub(super) fn after_a_break(row: &Row) -> [(&'static str, &'static str, TransferAction); 2] {
    if row.waits_to_retry() {
        let now = (say!("menu-now"), say!("menu-now-hover"), TransferAction::GoOn);
        let (word, hover) = (say!("menu-stop-trying"), say!("menu-stop-trying-hover"));
        return [now, (word, hover, TransferAction::StopTrying)];
    }
    let hover = if row.sides() == [Side::Sender] {
        say!("menu-discard-there-hover")
    } else {
        say!("menu-discard-here-hover")
    };
    [
        (say!("menu-resume"), say!("menu-go-on-hover"), TransferAction::GoOn),
        (say!("menu-discard"), hover, TransferAction::Discard),
    ]
}

/// The id of the menu of a row.
#[must_use]
pub(crate) fn id(key: RowKey) -> Id {
    Id::unique(("transfer row, menu", key))
}

/// Draws the menu of a row of the list where it is open, and opens it by a right click.
pub(super) fn ui(ui: &Ui, row: &Row, is_next: bool, response: &Response) -> Vec<Action> {
    if response.secondary_clicked() {
        open(ui.ctx(), row.key);
    }
    // By a key it hangs below the name.
    at(ui, row, is_next, response.rect.left_top() + vec2(30.0, 26.0))
}

/// Opens the menu of a row where the pointer is.
pub(super) fn open(ctx: &Context, key: RowKey) {
    open_menu(ctx, id(key));
}

/// Draws the menu of a row where it is open: where it was asked for by the pointer, or else at `corner`.
pub(crate) fn at(ui: &Ui, row: &Row, is_next: bool, corner: Pos2) -> Vec<Action> {
    let picked = open_menu_ui(ui, id(row.key), corner, || items(row, is_next));
    picked.into_iter().collect()
}

/// All that can be asked of a row.
#[must_use]
pub(crate) fn items(row: &Row, is_next: bool) -> Vec<MenuItem<Action>> {
    let mut items: Vec<MenuItem<Action>> = buttons(row, is_next)
        .into_iter()
        .map(|button| MenuItem::new(button.word, button.keys, Action::Transfer(row.key, button.action)))
        .collect();
    if row.is_waiting() {
        let later = Action::Transfer(row.key, TransferAction::MoveBack);
        items.push(MenuItem::new(say!("menu-later"), "", later));
    }
    let mut copies = copies(row);
    if let Some(first) = copies.first_mut() {
        first.begins_part = true;
    }
    items.extend(copies);
    if let (Some(path), Phase::Done { .. }) = (&row.path, &row.phase) {
        let mut open = MenuItem::new(say!("menu-open"), "", Action::OpenFile(path.clone()));
        open.begins_part = true;
        items.push(open);
    }
    let folder = row.path.as_ref().and_then(|path| path.parent());
    if let Some(folder) = folder {
        items.push(MenuItem::new(
            say!("menu-show-in-folder"),
            "",
            Action::ShowFolder(folder.to_owned()),
        ));
    }
    items.extend(saves(row));
    if row.is_interrupted() && !row.waits_to_retry() {
        let remove = Action::Transfer(row.key, TransferAction::Remove);
        let mut remove = MenuItem::new(say!("menu-remove"), "Del", remove);
        remove.begins_part = true;
        items.push(remove);
    }
    if row.is_over() && row.is_own() {
        let mut finished = MenuItem::new(
            say!("menu-remove-finished"),
            "",
            Action::Queue(QueueAction::RemoveFinished),
        );
        finished.begins_part = true;
        items.push(finished);
    }
    items
}

/// What can be saved of a row, once there is something to see.
fn saves(row: &Row) -> Vec<MenuItem<Action>> {
    let formats = Format::ALL.iter().filter(|_| row.started().is_some());
    let mut saves: Vec<MenuItem<Action>> = formats
        .map(|format| {
            let action = Action::Transfer(row.key, TransferAction::Export(*format));
            MenuItem::new(format.command(), "", action)
        })
        .collect();
    if let Some(first) = saves.first_mut() {
        first.begins_part = true;
    }
    saves
}

/// What can be copied of a row.
fn copies(row: &Row) -> Vec<MenuItem<Action>> {
    let mut copies = vec![
        (say!("menu-copy-name"), row.name().to_owned()),
        (
            say!("menu-copy-endpoint"),
            row.address.clone().unwrap_or_else(|| row.endpoint_in_words()),
        ),
    ];
    if row.started().is_some() {
        copies.push((
            say!("menu-copy-summary"),
            markdown(row, row.began_s() + row.elapsed_end_s()),
        ));
    }
    copies.extend(row.checksum().map(|checksum| (say!("menu-copy-checksum"), checksum)));
    copies.extend(row.sentence().map(|sentence| (say!("menu-copy-sentence"), sentence)));
    if let Phase::Failed { message, .. } | Phase::Interrupted { message } = &row.phase {
        copies.push((say!("menu-copy-message"), message.clone()));
    }
    copies
        .into_iter()
        .map(|(text, copied)| MenuItem::new(text, "", Action::Copy(copied)))
        .collect()
}
