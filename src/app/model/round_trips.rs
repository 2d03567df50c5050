//! The round trips page as data: where to, what was measured so far, and which size is looked at.

use crate::ping::{PingEvent, RoundTrips};

/// The page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where the echo service listens, as it is typed.
    pub endpoint: String,
    /// What was measured, a size each.
    pub measured: Vec<RoundTrips>,
    /// The size whose histogram is shown; `None` is the first one.
    pub picked_bytes: Option<u64>,
    /// The service that answers.
    pub peer: Option<String>,
    /// Whether it is being measured.
    pub is_running: bool,
    /// Why it could not be measured.
    pub trouble: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            endpoint: "127.0.0.1:25000".to_owned(),
            measured: Vec::new(),
            picked_bytes: None,
            peer: None,
            is_running: false,
            trouble: None,
        }
    }
}

impl Page {
    /// It has begun: what was measured before is gone.
    pub fn begin(&mut self) {
        self.measured.clear();
        (self.peer, self.trouble, self.is_running) = (None, None, true);
    }

    /// Takes in what happened.
    pub(crate) fn fold(&mut self, event: PingEvent) {
        match event {
            PingEvent::Connected { peer } => self.peer = Some(peer),
            PingEvent::RoundTrips(measured) => self.measured.push(measured),
        }
    }

    /// It has ended, and what went wrong, if anything.
    pub fn end(&mut self, trouble: Option<String>) {
        (self.is_running, self.trouble) = (false, trouble);
    }

    /// The size that is looked at.
    #[must_use]
    pub(crate) fn picked(&self) -> Option<&RoundTrips> {
        let picked = self
            .measured
            .iter()
            .find(|one| Some(one.size_bytes) == self.picked_bytes);
        picked.or(self.measured.first())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(size_bytes: u64) -> RoundTrips {
        RoundTrips {
            size_bytes,
            count: 1,
            min_s: 1e-6,
            p50_s: 1e-6,
            p90_s: 1e-6,
            p99_s: 1e-6,
            p999_s: 1e-6,
            max_s: 1e-6,
            mean_s: 1e-6,
            echoed_bytes_per_s: 1.0,
            histogram: Vec::new(),
        }
    }

    #[test]
    fn sizes_come_one_by_one_and_the_picked_one_stays_picked() {
        let mut page = Page::default();
        page.begin();
        assert!(page.picked().is_none());
        page.fold(PingEvent::Connected {
            peer: "there".to_owned(),
        });
        page.fold(PingEvent::RoundTrips(measured(1)));
        assert_eq!(page.picked().map(|one| one.size_bytes), Some(1));
        page.picked_bytes = Some(64);
        page.fold(PingEvent::RoundTrips(measured(64)));
        assert_eq!(page.picked().map(|one| one.size_bytes), Some(64));
        page.end(Some("gone".to_owned()));
        assert!(!page.is_running && page.trouble.is_some() && page.measured.len() == 2);
        page.begin();
        assert!(page.measured.is_empty() && page.trouble.is_none());
    }
}
