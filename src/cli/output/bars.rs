//! The bars on standard error, where that is a terminal. Whoever moves them never draws: that may wait for the terminal.

use std::collections::HashMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::transfer::TransferId;

/// Which bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::cli) enum BarId {
    /// That of a transfer.
    Transfer(TransferId),
    /// That of the command itself.
    Command,
}

/// How a bar looks.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) enum Look {
    /// A name, how far it is, and numbers.
    Transfer,
    /// Words only.
    Words,
    /// How many of all, and words.
    Count,
}

/// What becomes of a bar.
#[derive(Debug)]
pub(in crate::cli) enum BarChange {
    /// It appears; where it is there, it has another length.
    Show {
        look: Look,
        length: Option<u64>,
        name: String,
    },
    /// It is there, and says this.
    Move { position: u64, text: String },
    /// It goes.
    Clear,
}

impl BarChange {
    /// Whether the next one tells as much.
    pub(super) fn is_sample(&self) -> bool {
        matches!(self, Self::Move { .. })
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Show { name: text, .. } | Self::Move { text, .. } => text.len(),
            Self::Clear => 0,
        }
    }
}

/// All bars of this process.
#[derive(Debug, Default)]
pub(super) struct Bars {
    all: MultiProgress,
    shown: HashMap<BarId, ProgressBar>,
}

impl Bars {
    pub(super) fn change(&mut self, bar: BarId, change: BarChange) {
        match change {
            BarChange::Show { look, length, name } => self.show(bar, look, length, name),
            BarChange::Move { position, text } => {
                if let Some(bar) = self.shown.get(&bar) {
                    bar.set_position(position);
                    bar.set_message(text);
                }
            }
            BarChange::Clear => {
                if let Some(bar) = self.shown.remove(&bar) {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
            }
        }
    }

    /// Does something to the screen with the bars out of its way.
    pub(super) fn suspend(&self, act: impl FnOnce()) {
        if self.shown.is_empty() {
            act();
        } else {
            self.all.suspend(act);
        }
    }

    /// Takes all of them away.
    pub(super) fn clear(&mut self) {
        for (_, bar) in self.shown.drain() {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    fn show(&mut self, id: BarId, look: Look, length: Option<u64>, name: String) {
        let bar = self.shown.entry(id).or_insert_with(|| {
            let bar = self.all.add(ProgressBar::no_length());
            // The template is a constant that the tests read; without it the bar would only be plainer.
            if let Ok(style) = ProgressStyle::with_template(look.template()) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar
        });
        if let Some(length) = length {
            bar.set_length(length);
        }
        bar.set_prefix(name);
    }
}

impl Look {
    fn template(self) -> &'static str {
        match self {
            Self::Transfer => "{prefix:.bold} {wide_bar} {msg}",
            Self::Words => "{msg}",
            Self::Count => "{wide_bar} {pos}/{len} {msg}",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bar_can_be_drawn() {
        for look in [Look::Transfer, Look::Words, Look::Count] {
            assert!(ProgressStyle::with_template(look.template()).is_ok(), "{look:?}");
        }
    }
}
