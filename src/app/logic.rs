//! Runs once a frame, also while the window is hidden: takes in what other threads sent, starts what may start, and
//! requests the next frame.

use std::sync::atomic::Ordering;
use std::time::Duration;

use eframe::egui::{Context, ViewportCommand};

use super::model::format::count_rates_in;
use super::model::repaint::LONGEST;
use super::model::row::Row;
use super::model::view::{View, WindowSize};
use super::{App, Clock, Question, words};

impl App {
    /// One step of the state machine.
    pub(super) fn step(&mut self, ctx: &Context) {
        words::speak(self.language());
        count_rates_in(self.settings.rates);
        // Before the events are taken, so that each later one requests another frame.
        self.repaints.is_requested.store(false, Ordering::Release);
        self.obey_signals(ctx);
        self.note_front(ctx);
        self.take_events();
        self.take_process_news();
        self.take_replies();
        self.look_at_last_done();
        self.take_pictures(ctx);
        self.take_comparisons();
        // Those that came just now, too.
        self.transfers.set_scale(self.settings.rates);
        self.take_pings(ctx);
        // One whose thread has not ended may yet be tried again.
        let (now_s, rounds) = (self.now_s(), &self.rounds);
        for key in self.transfers.note_ends(now_s, |key| rounds.contains_key(&key)) {
            self.note_end_of(key);
        }
        self.notify();
        if !self.is_closing {
            self.transfers.retry_due(self.now_s());
        }
        self.begin_waiting();
        self.show_badge(ctx);
        self.check_form();
        self.note_size(WindowSize::of(ctx.content_rect().width()));
        self.forget_question();
        self.guard_close(ctx);
        self.set_title(ctx);
        self.schedule_repaint(ctx);
    }

    /// The page before the first transfer shows what was done last.
    fn look_at_last_done(&mut self) {
        // Who keeps nothing is not shown what others keep, unless on the page of the history.
        let shows = self.shows_first_steps() && !self.history_page.is_switched_off;
        let page = shows.then_some(self.view);
        if page.is_some() && page != self.last_done_for {
            self.read_history();
        }
        self.last_done_for = page;
    }

    /// Cancels everything and closes the window; the threads are joined when the handles go.
    pub(super) fn close_anyway(&mut self, ctx: &Context) {
        self.is_closing = true;
        for rounds in self.rounds.values() {
            rounds.cancel();
        }
        ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    fn note_size(&mut self, size: WindowSize) {
        // What was unfolded where there was more room is not what was meant for less.
        if self.size != size {
            (self.size, self.form.unfolded, self.list_at) = (size, None, None);
            // The form would hide what runs.
            self.settings.form_open &= size != WindowSize::Narrow || self.transfers.rows().is_empty();
        }
    }

    /// A question about what has ended is closed.
    fn forget_question(&mut self) {
        let is_settled = match self.question {
            Some(Question::Cancel(key)) => self.transfers.row(key).is_none_or(Row::is_over),
            Some(Question::Stop(pid)) => !self.services.moves(pid),
            Some(Question::Close) | None => false,
        };
        if is_settled {
            self.question = None;
        }
    }

    fn guard_close(&mut self, ctx: &Context) {
        if !ctx.input(|input| input.viewport().close_requested()) {
            return;
        }
        if (self.transfers.running() > 0 || self.comparisons.is_comparing()) && !self.is_closing {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.question = Some(Question::Close);
        } else {
            self.is_closing = true;
        }
    }

    fn set_title(&mut self, ctx: &Context) {
        let title = match self.view {
            View::Compare => self.comparisons.page.title(),
            View::Transfers | View::RoundTrips | View::History | View::Settings | View::Help => self.transfers.title(),
        };
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// Measures what the window costs and asks for the next frame, as late as that allows.
    fn schedule_repaint(&mut self, ctx: &Context) {
        let now_s = self.now_s();
        if matches!(self.clock, Clock::Stopped(_)) {
            return;
        }
        if let Some(removed) = self.transfers.removed() {
            // Then the offer to undo it goes.
            ctx.request_repaint_after(Duration::from_secs_f64(removed.left_s(now_s).max(0.01)));
        }
        self.notice = self.notice.take().filter(|notice| notice.left_s(now_s) > 0.0);
        if let Some(notice) = &self.notice {
            ctx.request_repaint_after(Duration::from_secs_f64(notice.left_s(now_s).max(0.01)));
        }
        if let Some(changes_s) = self.transfers.retries_change_in_s(now_s) {
            // Every second says how many are left.
            ctx.request_repaint_after(Duration::from_secs_f64(changes_s + 0.01));
        }
        if self.transfers.running() == 0 && self.rounds.is_empty() {
            self.own_cost.meter.rest();
            self.own_cost.threads.refresh();
            return;
        }
        self.transfers
            .note_memory(crate::telemetry::process_usage().resident_bytes);
        if self.own_cost.meter.frame(now_s)
            && let Some(cpu_s) = self.own_cost.threads.cpu_s()
        {
            let idle_s = crate::telemetry::idle_cores_s();
            self.own_cost.meter.read(now_s, cpu_s, idle_s);
        }
        self.own_cost.meter.note_lack(self.transfers.lack_a_core());
        let steps = if self.settings.reduced_motion {
            LONGEST
        } else {
            Duration::ZERO
        };
        // One that has just ended is still to be settled.
        let moves = self.transfers.is_moving() || self.transfers.running() < self.rounds.len();
        let meter = &self.own_cost.meter;
        let interval = if moves {
            meter.interval()
        } else {
            meter.resting_interval()
        };
        let interval = interval.max(steps);
        self.repaints
            .interval_ms
            .store(u64::try_from(interval.as_millis()).unwrap_or(500), Ordering::Relaxed);
        // One that waits or is paused says so itself when that ends.
        if moves {
            self.repaints.is_requested.store(true, Ordering::Release);
            ctx.request_repaint_after(interval);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::AppOptions;
    use crate::app::model::form::Form;
    use crate::app::model::plan::{Paths, check};
    use crate::app::model::settings::Settings;
    use crate::transfer::{Event, EventKind, Side, State, TransferId};

    #[test]
    fn what_threads_tell_of_a_pause_asks_for_fewer_frames_than_what_they_tell_of_a_transfer() {
        let ctx = Context::default();
        let mut app = App::with_settings(&ctx, Settings::default(), AppOptions::default());
        let recipe = check(&Form::default(), &Paths::default()).recipe.unwrap();
        let (key, id) = (app.transfers.add(recipe, 0.0), TransferId(1));
        app.transfers.tie(key, id);
        let (moving, paused) = (State::Transferring, State::Paused);
        for (state, expected_ms) in [(moving, 50), (paused, 200), (moving, 50)] {
            for side in [Side::Sender, Side::Receiver] {
                let event = Event::new(id, side, 0.0, EventKind::State { state });
                app.transfers.fold(event, 0.0);
            }
            app.step(&ctx);
            let interval_ms = app.repaints.interval_ms.load(Ordering::Relaxed);
            assert_eq!(interval_ms, expected_ms, "{state:?}");
        }
    }
}
