//! The window's own threads: what CPU time they take, for pacing and for the status line, and who goes first.
//!
//! The window's threads are those that are there while no transfer runs: the window's own, the ones that a software
//! renderer draws on, the clipboard's and the accessibility bus's. Threads that appear with a transfer are the
//! transfer's, so that what it costs is never taken for the window's, and no sample is needed to tell them apart. Those
//! that wait for further work may be a transfer's again.

use std::fs;

use rustix::process::{Pid, getpriority_process, setpriority_process};

use crate::thread::SPARE_NAME;

/// How much later than others a software renderer's threads get their turn: where both cores are taken, they draw in
/// the moments in which a data thread waits for the other, and in a tenth of a core at least.
const RENDERER_NICENESS: i32 = 10;

/// The window's threads.
#[derive(Debug, Default)]
pub(super) struct WindowThreads {
    ids: Vec<String>,
    /// Those of the software renderer, which run at a lower priority.
    renderers: Vec<String>,
}

impl WindowThreads {
    /// Counts every thread of this process as the window's: call this only while no transfer runs.
    pub(super) fn refresh(&mut self) {
        let Ok(entries) = fs::read_dir("/proc/self/task") else {
            return;
        };
        self.ids = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|id| name_of(id).is_none_or(|name| name.as_bytes() != SPARE_NAME.to_bytes()))
            .collect();
        for id in &self.ids {
            if !self.renderers.contains(id) && is_renderer(id) {
                // Any thread may be made nicer. Where it is refused all the same, frames are only dearer. One that is
                // nicer already stays so.
                if let Some(thread) = id.parse().ok().and_then(Pid::from_raw)
                    && getpriority_process(Some(thread)).is_ok_and(|niceness| niceness < RENDERER_NICENESS)
                {
                    let _ = setpriority_process(Some(thread), RENDERER_NICENESS);
                }
                self.renderers.push(id.clone());
            }
        }
    }

    /// CPU seconds of these threads so far; nothing where the kernel does not say.
    #[must_use]
    pub(super) fn cpu_s(&self) -> Option<f64> {
        let nanoseconds: Vec<u64> = self.ids.iter().filter_map(|id| thread_cpu_ns(id)).collect();
        (!nanoseconds.is_empty()).then(|| nanoseconds.iter().sum::<u64>() as f64 / 1e9)
    }
}

/// Mesa's software renderer calls its threads `llvmpipe-0` and so on. The window's own thread is never slowed: it
/// answers, and threads that it starts would be as nice as it is.
fn is_renderer(id: &str) -> bool {
    name_of(id).is_some_and(|name| name.starts_with("llvmpipe-"))
}

/// What the kernel calls a thread.
fn name_of(id: &str) -> Option<String> {
    let line = fs::read_to_string(format!("/proc/self/task/{id}/comm")).ok()?;
    Some(line.trim_end_matches('\n').into())
}

fn thread_cpu_ns(id: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/self/task/{id}/schedstat")).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_software_renderer_lets_others_go_first_and_nobody_else_does() {
        let (named, is_named) = crossbeam_channel::bounded(1);
        let (end, ended) = crossbeam_channel::bounded::<()>(0);
        let renderer = std::thread::Builder::new()
            .name("llvmpipe-7".to_owned())
            .spawn(move || {
                named.send(rustix::thread::gettid()).unwrap();
                let _ = ended.recv();
            });
        let renderer_id = is_named.recv().unwrap();
        let niceness = |id| rustix::process::getpriority_process(Some(id)).unwrap();
        let own_before = niceness(rustix::thread::gettid());
        WindowThreads::default().refresh();
        // This process may be nice itself; it is not made any nicer, and nobody is made less so.
        assert_eq!(niceness(renderer_id), RENDERER_NICENESS.max(own_before));
        assert_eq!(niceness(rustix::thread::gettid()), own_before);
        drop(end);
        renderer.unwrap().join().unwrap();
    }

    #[test]
    fn a_busy_thread_costs_time() {
        let mut own = WindowThreads::default();
        own.refresh();
        let Some(before) = own.cpu_s() else { return };
        // Beside others who are busy it may get a core late.
        let begin = std::time::Instant::now();
        while own.cpu_s().unwrap() <= before && begin.elapsed().as_secs() < 30 {
            std::hint::spin_loop();
        }
        assert!(own.cpu_s().unwrap() > before);
    }
}
