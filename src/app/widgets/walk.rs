//! A group that is one stop of the Tab key: from there the arrows walk it.

use eframe::egui::{EventFilter, Id, Key, Modifiers, Response, Sense, Ui};

/// The members of a group while they are drawn, one below the other.
#[derive(Debug)]
pub(crate) struct Walk {
    ids: Vec<Id>,
    /// The one that the Tab key stops at.
    stop: usize,
    /// Where the focus goes.
    to: Option<usize>,
}

impl Walk {
    /// A group. The Tab key stops where the focus was last in it, else at `current`.
    pub(crate) fn new(ui: &Ui, ids: Vec<Id>, current: usize) -> Self {
        let focused = ids.iter().position(|id| ui.memory(|memory| memory.has_focus(*id)));
        Self {
            stop: focused.unwrap_or(current),
            ids,
            to: None,
        }
    }

    /// The id of a member.
    pub(crate) fn id(&self, at: usize) -> Id {
        self.ids.get(at).copied().unwrap_or(Id::NULL)
    }

    /// What a member senses: a click, and only one of them the Tab key.
    pub(crate) fn sense(&self, at: usize) -> Sense {
        if at == self.stop { Sense::click() } else { Sense::CLICK }
    }

    /// Takes the arrows, Home and End of the member that has the focus.
    pub(crate) fn take_keys(&mut self, ui: &Ui, at: usize, response: &Response) {
        if !response.has_focus() {
            return;
        }
        let upright = EventFilter {
            vertical_arrows: true,
            ..EventFilter::default()
        };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, upright));
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let last = self.ids.len().saturating_sub(1);
        let keys = [
            (Key::ArrowDown, (at + 1).min(last)),
            (Key::ArrowUp, at.saturating_sub(1)),
            (Key::Home, 0),
            (Key::End, last),
        ];
        let to = keys.into_iter().find(|(key, _)| pressed(*key));
        self.to = to.map(|(_, to)| to).or(self.to);
    }

    /// Moves the focus, once all are drawn: a member that is no stop yet would give it away.
    pub(crate) fn end(self, ui: &Ui) {
        if let Some(to) = self.to {
            let id = self.id(to);
            ui.memory_mut(|memory| memory.request_focus(id));
        }
    }
}
