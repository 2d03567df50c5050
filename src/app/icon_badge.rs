//! Shows on the icon of the window, in the desktop's taskbar or dock, how many transfers run and how far they are: by
//! the signal that Unity began with, which KDE Plasma, Dash to Dock and others draw.
//!
//! <https://wiki.ubuntu.com/Unity/LauncherAPI>. They take the badge away when whoever sent it leaves the bus: so one
//! connection lasts as long as something runs, and a window that ends at once leaves no badge behind.

use std::collections::HashMap;
use std::thread::Builder;

use crossbeam_channel::{Receiver, Sender, bounded};
use eframe::egui::Context;
use zbus::zvariant::Value;

use super::App;
use super::desktop_bus::DesktopBus;
use super::model::badge::{Badge, Badges, Step};

/// Which icon: that of the desktop file of this name.
const ICON: &str = "application://arraylift.desktop";
const PATH: &str = "/com/canonical/unity/launcherentry/arraylift";
const INTERFACE: &str = "com.canonical.Unity.LauncherEntry";
/// Badges that may wait for a bus that is slow. One that finds no room is dropped: another one follows.
const WAITING_MAX: usize = 8;

/// What is shown, and how it gets there.
#[derive(Debug, Default)]
pub(super) struct IconBadge {
    badges: Badges,
    /// To the thread that tells the desktop; there is one while there is a badge. It takes the badge away when this is
    /// dropped.
    teller: Option<Sender<Badge>>,
}

impl App {
    /// Brings the badge to what is true now.
    pub(super) fn show_badge(&mut self, ctx: &Context) {
        if matches!(self.bus, DesktopBus::Nowhere) {
            return;
        }
        let (now_s, transfers) = (self.now_s(), &self.transfers);
        let compared = self.comparisons.page.progress.as_ref();
        let is_busy = compared.is_some() || transfers.any_runs();
        let badge = |since_s| {
            compared.map_or_else(
                || transfers.badge(since_s),
                |progress| Badge::new(0, progress.share(), 1.0),
            )
        };
        match self.icon_badge.badges.step(is_busy, now_s, badge) {
            Step::Rest => {}
            Step::Wait(time) => ctx.request_repaint_after(time),
            Step::Tell(badge) => {
                if self.icon_badge.teller.is_none() {
                    self.icon_badge.teller = start_telling(self.bus.clone());
                }
                if let Some(teller) = &self.icon_badge.teller {
                    // Where the desktop has no bus it shows no badge.
                    let _ = teller.try_send(badge);
                }
            }
            Step::Clear => self.icon_badge.teller = None,
        }
    }
}

/// Starts the thread that tells the desktop. It ends when no more badges can come; where the bus is mute, it ends with
/// the process, and holds up nothing.
fn start_telling(bus: DesktopBus) -> Option<Sender<Badge>> {
    let (teller, badges) = bounded(WAITING_MAX);
    // A desktop that cannot be told shows no badge, and there is nobody to be told why.
    let body = move || drop(tell(&bus, &badges));
    Builder::new().name("icon badge".to_owned()).spawn(body).ok()?;
    Some(teller)
}

fn tell(bus: &DesktopBus, badges: &Receiver<Badge>) -> zbus::Result<()> {
    let connection = bus.connect()?;
    let update = |badge| connection.emit_signal(None::<&str>, PATH, INTERFACE, "Update", &(ICON, properties(badge)));
    for badge in badges {
        update(Some(badge))?;
    }
    update(None)
}

/// What the signal says of a badge, or that there is none.
fn properties(badge: Option<Badge>) -> HashMap<&'static str, Value<'static>> {
    let running = badge.map_or(0, |badge| badge.running);
    let share = badge.and_then(|badge| badge.share);
    HashMap::from([
        ("count", Value::from(i64::from(running))),
        ("count-visible", Value::from(running > 0)),
        ("progress", Value::from(share.unwrap_or(0.0))),
        ("progress-visible", Value::from(share.is_some())),
    ])
}
