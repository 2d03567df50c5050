//! Tells the desktop what has ended while the window is not in front: by one notification, whose place the
//! next one takes.

use crate::app::words::say;
use std::collections::HashMap;

use eframe::egui::Context;
use zbus::blocking::Proxy;
use zbus::zvariant::Value;

use super::App;
use super::desktop_bus::DesktopBus;
use super::model::away::{Away, Words};
use super::model::row::RowKey;
use super::worker::Task;

/// What the desktop is told, and what it answered.
#[derive(Debug, Default)]
pub(super) struct Notifying {
    away: Away,
    is_in_front: bool,
    /// Something has ended that it was not told yet.
    has_news: bool,
    asked: Asked,
    /// Its number for what it shows; 0 for nothing.
    shown: u32,
    /// Why it shows nothing.
    trouble: Option<String>,
}

/// Whether the desktop was asked to show something.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// It has answered, or was not asked.
    #[default]
    No,
    /// It has not answered yet.
    Yes,
    /// The same, and somebody has looked at the window since: what it shows is seen.
    Seen,
}

impl App {
    /// Tells the desktop things over the bus with this address.
    pub fn tell_desktop_at(&mut self, address: String) {
        self.bus = DesktopBus::At(address);
    }

    /// Takes in whether the window is in front. What was told before is seen then.
    pub(super) fn note_front(&mut self, ctx: &Context) {
        let notifying = &mut self.notifying;
        notifying.is_in_front = ctx.input(|input| input.focused);
        if notifying.is_in_front {
            notifying.away.clear();
            (notifying.has_news, notifying.shown) = (false, 0);
            if notifying.asked == Asked::Yes {
                notifying.asked = Asked::Seen;
            }
        }
    }

    /// A transfer of this window has ended.
    pub(super) fn note_end_of(&mut self, key: RowKey) {
        if self.is_told_to_desktop()
            && let Some(row) = self.transfers.row(key)
        {
            self.notifying.away.note(row);
            self.notifying.has_news = true;
        }
    }

    /// Something has ended that is no transfer of this window; `note` notes it.
    pub(super) fn note_other_end(&mut self, note: impl FnOnce(&mut Away)) {
        if self.is_told_to_desktop() {
            note(&mut self.notifying.away);
            self.notifying.has_news = true;
        }
    }

    /// Whether the desktop is told what ends now.
    fn is_told_to_desktop(&self) -> bool {
        self.settings.notifies && !self.notifying.is_in_front && !matches!(self.bus, DesktopBus::Nowhere)
    }

    /// Tells the desktop what it does not know, once it has answered.
    pub(super) fn notify(&mut self) {
        let notifying = &self.notifying;
        if !notifying.has_news || notifying.asked != Asked::No {
            return;
        }
        let Some(words) = notifying.away.words() else { return };
        let (bus, replaces) = (self.bus.clone(), notifying.shown);
        if self.ask_worker(Task::Notify { bus, words, replaces }) {
            (self.notifying.asked, self.notifying.has_news) = (Asked::Yes, false);
        }
    }

    /// Takes in the number of what is shown, or why nothing is.
    pub(super) fn take_notified(&mut self, notified: Result<u32, String>) {
        let asked = std::mem::take(&mut self.notifying.asked);
        match notified {
            Ok(shown) => {
                // The next one takes no place of what was seen.
                self.notifying.shown = if asked == Asked::Yes { shown } else { 0 };
                self.notifying.trouble = None;
            }
            Err(why) => self.notifying.trouble = Some(why),
        }
    }

    /// Why the desktop shows no notification, where it was asked to.
    pub(super) fn notifying_trouble(&self) -> Option<&str> {
        self.notifying.trouble.as_deref()
    }
}

/// Shows a notification in the place of another one; returns its number.
///
/// # Errors
/// No bus, or no desktop on it that shows notifications: why.
pub(super) fn show(bus: &DesktopBus, words: &Words, replaces: u32) -> Result<u32, String> {
    shown(bus, words, replaces).map_err(|error| say!("error-no-notifications", error = error.to_string()))
}

/// As in the Desktop Notifications Specification, 1.2.
fn shown(bus: &DesktopBus, words: &Words, replaces: u32) -> zbus::Result<u32> {
    let connection = bus.connect()?;
    let name = "org.freedesktop.Notifications";
    let proxy = Proxy::new(&connection, name, "/org/freedesktop/Notifications", name)?;
    let abilities: Vec<String> = proxy.call("GetCapabilities", &())?;
    let has_markup = abilities.iter().any(|ability| ability == "body-markup");
    let body = if has_markup {
        without_markup(&words.body)
    } else {
        words.body.clone()
    };
    let actions: [&str; 0] = [];
    // It stays in the list of the desktop though this connection ends.
    let hints = HashMap::from([("desktop-entry", Value::from("arraylift"))]);
    let as_long_as_it_likes = -1_i32;
    let what = (words.summary.as_str(), body.as_str());
    let all = (
        "Arraylift",
        replaces,
        "arraylift",
        what.0,
        what.1,
        &actions[..],
        hints,
        as_long_as_it_likes,
    );
    proxy.call("Notify", &all)
}

/// A text of which nothing is taken for markup: a file's name may be anything.
fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
