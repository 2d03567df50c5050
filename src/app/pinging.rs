//! Starts, follows and ends the measurement of round trips.

use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError, bounded};
use eframe::egui::Context;

use super::App;
use super::model::error_text;
use super::model::round_trips::Page;
use crate::ping::{Ping, PingEvent, Plan, Rounds};
use crate::transfer::{Endpoint, PeerUser};

/// While it runs its events are looked for so often.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// The page, and what runs for it.
#[derive(Debug, Default)]
pub(super) struct Pings {
    pub(super) page: Page,
    running: Option<(Ping, Receiver<PingEvent>)>,
}

impl App {
    /// The round trips page, to show a recorded result.
    pub fn round_trips_page_mut(&mut self) -> &mut Page {
        &mut self.pings.page
    }

    /// Measures round trips to where the page says.
    pub(super) fn start_pinging(&mut self) {
        let page = &mut self.pings.page;
        if page.is_running {
            return;
        }
        let to = match Endpoint::parse(page.endpoint.trim()) {
            Ok(to) => to,
            Err(error) => {
                page.trouble = Some(error_text::of(&error));
                return;
            }
        };
        let plan = Plan {
            to,
            sizes_bytes: Plan::SIZES_BYTES.to_vec(),
            rounds: Rounds::DEFAULT,
            socket_buffer_bytes: None,
            timeout: Duration::from_secs(30),
            peer_user: PeerUser::Own,
        };
        // More than it ever tells.
        let (tell, received) = bounded(16);
        page.begin();
        match Ping::start(plan, tell) {
            Ok(ping) => self.pings.running = Some((ping, received)),
            Err(error) => page.end(Some(error_text::of(&error))),
        }
    }

    /// Gives it up; what was measured stays.
    pub(super) fn cancel_pinging(&mut self) {
        if let Some((ping, _)) = &self.pings.running {
            ping.cancel();
        }
    }

    /// Takes in what was measured since the last frame.
    pub(super) fn take_pings(&mut self, ctx: &Context) {
        let Some((_, received)) = &self.pings.running else {
            return;
        };
        let is_over = loop {
            match received.try_recv() {
                Ok(event) => self.pings.page.fold(event),
                Err(TryRecvError::Empty) => break false,
                Err(TryRecvError::Disconnected) => break true,
            }
        };
        if !is_over {
            ctx.request_repaint_after(LOOK_INTERVAL);
        } else if let Some((ping, _)) = self.pings.running.take() {
            // Its thread has nothing more to say: it ends at once.
            let outcome = ping.join();
            let trouble = outcome.as_ref().err().map(error_text::of);
            self.pings.page.end(trouble.clone());
            // What a person cancelled is no news to them.
            if !matches!(outcome, Ok(false)) {
                let measured = self.pings.page.measured.clone();
                self.note_other_end(|away| away.note_round_trips(&measured, trouble.as_deref()));
            }
        }
    }
}
