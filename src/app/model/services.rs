//! Services of other processes, as the window knows them: what they do in one line.

use std::collections::BTreeMap;

use super::format::RateScale;
use crate::app::words::say;
use crate::service::Status;

/// A service of another process.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// As it was typed.
    pub command: String,
    /// What it has done and does.
    pub status: Status,
    /// Whether it takes nobody any more, or this window told it to.
    pub is_draining: bool,
}

/// Those that run, by process id.
#[derive(Debug, Default)]
pub struct Services {
    commands: BTreeMap<u32, String>,
    services: BTreeMap<u32, Service>,
}

impl Services {
    /// Those that run, whether or not they have counted something.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Service)> {
        self.services.iter().map(|(pid, service)| (*pid, service))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// A process does this. A service that waits for its first connection has counted nothing, and is one all the same.
    pub fn note_command(&mut self, pid: u32, command: String) {
        if serves(&command) {
            let idle = Service {
                command: command.clone(),
                status: Status::default(),
                is_draining: false,
            };
            self.services.entry(pid).or_insert(idle);
        }
        self.commands.insert(pid, command);
    }

    /// A process is a service, and counts.
    pub fn note_status(&mut self, pid: u32, status: Status) {
        let new = || Service {
            command: self.commands.get(&pid).cloned().unwrap_or_default(),
            status,
            is_draining: false,
        };
        let service = self.services.entry(pid).or_insert_with(new);
        service.status = status;
        service.is_draining |= status.draining;
    }

    /// It was told to drain.
    pub fn note_drain(&mut self, pid: u32) {
        if let Some(service) = self.services.get_mut(&pid) {
            service.is_draining = true;
        }
    }

    /// Whether transfers of it run.
    #[must_use]
    pub fn moves(&self, pid: u32) -> bool {
        self.receiving(pid) > 0
    }

    /// How many transfers of it run.
    #[must_use]
    pub fn receiving(&self, pid: u32) -> usize {
        self.services.get(&pid).map_or(0, |service| service.status.receiving)
    }

    /// A process has ended. Returns its command, where it was a `serve` that nobody had told to end.
    pub fn end(&mut self, pid: u32) -> Option<String> {
        self.commands.remove(&pid);
        let service = self.services.remove(&pid)?;
        // A `receive` of several ends by itself.
        (serves(&service.command) && !service.is_draining).then_some(service.command)
    }
}

fn serves(command: &str) -> bool {
    command.starts_with("serve ")
}

impl Service {
    /// `1,001 connections, 1,001 receiving at 1.21 GB/s; 0 done, 0 failed · 200 of them are listed`.
    #[must_use]
    pub fn in_words(&self, listed: usize) -> String {
        let status = &self.status;
        let connections = say!("services-connections", count = status.connections);
        let now = [connections, self.now_in_words(RateScale::Bytes)].join(say!("comma"));
        let mut words = vec![now, self.done_in_words()];
        if status.draining {
            words.push(say!("services-draining").to_owned());
        }
        let counts = words.join(say!("semicolon"));
        if status.receiving > listed {
            say!("services-listed", counts = counts, count = listed)
        } else {
            counts
        }
    }

    /// What it does now: `1,001 receiving at 1.21 GB/s, 3 waiting`.
    #[must_use]
    pub(crate) fn now_in_words(&self, scale: RateScale) -> String {
        let rate = scale.rate(self.status.rate_bytes_per_s);
        let mut words = match self.status.receiving {
            0 => rate.to_string(),
            receiving => say!("services-receiving", count = receiving, rate = rate),
        };
        if self.status.waiting > 0 {
            words = [words, say!("strip-waiting", count = self.status.waiting)].join(say!("comma"));
        }
        words
    }

    /// What it has done: `120 done, 4 failed`.
    #[must_use]
    pub(crate) fn done_in_words(&self) -> String {
        say!("services-done", done = self.status.done, failed = self.status.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_from_its_first_counts_to_its_end() {
        let mut services = Services::default();
        services.note_command(5, "send to 127.0.0.1:25000".to_owned());
        assert!(services.is_empty(), "no service");
        services.note_command(7, "serve 127.0.0.1:25000".to_owned());
        let words: Vec<String> = services.iter().map(|(_, service)| service.in_words(0)).collect();
        assert_eq!(words, ["0 connections, 0 MB/s; 0 done, 0 failed"], "it waits");
        let status = Status {
            connections: 1001,
            receiving: 1001,
            rate_bytes_per_s: 1.21e9,
            ..Status::default()
        };
        services.note_status(7, status);
        services.note_drain(7);
        services.note_status(7, status);
        let (pid, service) = services.iter().next().expect("one");
        assert_eq!(
            (pid, service.command.as_str(), service.is_draining),
            (7, "serve 127.0.0.1:25000", true)
        );
        assert_eq!(
            service.in_words(200),
            "1,001 connections, 1,001 receiving at 1.21 GB/s; 0 done, 0 failed · 200 of them are listed"
        );
        assert!(!service.in_words(1001).contains("listed"));
        assert_eq!(service.now_in_words(RateScale::Bytes), "1,001 receiving at 1.21 GB/s");
        assert_eq!(service.done_in_words(), "0 done, 0 failed");
        assert_eq!(services.end(7), None, "as it was told to");
        assert!(services.is_empty());
        services.note_command(8, "serve 127.0.0.1:25001".to_owned());
        assert_eq!(services.end(8).as_deref(), Some("serve 127.0.0.1:25001"));
        assert_eq!(services.end(8), None);
    }
}
