//! The CPU time of the window's own threads, for pacing and for the status line.
//!
//! The window's threads are those that are there while no transfer runs: the window's own, the ones that a software
//! renderer draws on, the clipboard's and the accessibility bus's. Threads that appear with a transfer are the
//! transfer's, so that what it costs is never taken for the window's, and no sample is needed to tell them apart.

use std::fs;

/// The window's threads.
#[derive(Debug, Default)]
pub struct OwnThreads {
    ids: Vec<String>,
}

impl OwnThreads {
    /// Counts every thread of this process as the window's: call this only while no transfer runs.
    pub fn refresh(&mut self) {
        let Ok(entries) = fs::read_dir("/proc/self/task") else {
            return;
        };
        self.ids = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
    }

    /// CPU seconds of these threads so far; nothing where the kernel does not say.
    #[must_use]
    pub fn cpu_s(&self) -> Option<f64> {
        let nanoseconds: Vec<u64> = self.ids.iter().filter_map(|id| thread_cpu_ns(id)).collect();
        (!nanoseconds.is_empty()).then(|| nanoseconds.iter().sum::<u64>() as f64 / 1e9)
    }
}

fn thread_cpu_ns(id: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/self/task/{id}/schedstat")).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_thread_costs_time() {
        let mut own = OwnThreads::default();
        own.refresh();
        let Some(before) = own.cpu_s() else { return };
        let begin = std::time::Instant::now();
        while begin.elapsed().as_millis() < 20 {
            std::hint::spin_loop();
        }
        assert!(own.cpu_s().unwrap() > before);
    }
}
