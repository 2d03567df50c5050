//! A transfer in a line of text: its name, array, ends, rate, and a note.

use super::super::format;
use super::super::plan::in_words;
use super::{OtherProcess, Phase, Process, Row};
use crate::transfer::{Job, Side, SinkSpec, State};

impl Phase {
    /// One word for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "Starting",
            Self::Is(State::Queued) => "Queued",
            Self::Is(State::Listening) => "Listening",
            Self::Is(State::Connecting) => "Connecting",
            Self::Is(State::Transferring) => "Transferring",
            Self::Is(State::Paused) => "Paused",
            Self::Is(State::Verifying) => "Verifying",
            Self::Done { verified: Some(true) } => "Verified",
            Self::Done { verified: Some(false) } => "Done, checksums differ",
            Self::Done { verified: None } => "Done",
            Self::Failed { .. } => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl Row {
    /// `148 rounds`.
    #[must_use]
    pub fn rounds_in_words(&self) -> String {
        format!(
            "{} {}",
            format::count(u64::from(self.rounds)),
            if self.rounds == 1 { "round" } else { "rounds" }
        )
    }

    /// The array's name.
    #[must_use]
    pub fn name(&self) -> &str {
        let told = self.started().and_then(|started| started.source.as_deref());
        let (name, peer_knows) = match &self.process {
            Process::This(recipe) => (&recipe.name, matches!(recipe.job, Job::Receive { .. })),
            Process::Other(process) => (&process.name, self.mate.is_some() || process.side == Side::Receiver),
        };
        told.filter(|_| peer_knows).unwrap_or(name)
    }

    /// The array and where it lands in words: `f64 50,000,000 · 400 MB · into memory`.
    #[must_use]
    pub fn array_in_words(&self) -> String {
        let array = self.only_array_in_words();
        match self.recipe().and_then(|recipe| recipe.job.sink()) {
            Some(SinkSpec::Memory) => format!("{array} · into memory"),
            Some(SinkSpec::Shm(name)) => format!("{array} · {name}"),
            Some(SinkSpec::Discard) => format!("{array} · discarded"),
            Some(SinkSpec::File(path) | SinkSpec::Folder(path) | SinkSpec::Within { path, .. }) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                format!("{array} · into {}", name.display())
            }
            None => array,
        }
    }

    fn only_array_in_words(&self) -> String {
        match (self.started(), self.recipe().and_then(|recipe| recipe.meta.as_ref())) {
            (Some(started), _) => in_words(&started.dtype, &started.shape, started.total_bytes),
            (None, Some(meta)) => in_words(&meta.dtype().name(), meta.shape().dimensions(), Some(meta.byte_len())),
            (None, None) => "not known yet".to_owned(),
        }
    }

    /// Between which ends: `this machine`, `to gpu-3:25000`, `from 10.0.0.7`.
    #[must_use]
    pub fn endpoint_in_words(&self) -> String {
        let job = match &self.process {
            Process::This(recipe) => &recipe.job,
            Process::Other(process) => return self.processes_in_words(process),
        };
        if let (Some(mate), Job::Send { .. } | Job::Receive { .. }) = (self.mate, job) {
            let word = if matches!(job, Job::Send { .. }) { "to" } else { "from" };
            return format!("{word} process {}", mate.pid);
        }
        match job {
            Job::Loopback { .. } => "this machine".to_owned(),
            Job::Send { to, .. } => format!("to {to}"),
            Job::Fetch { url, .. } => format!("from {}", url.server()),
            Job::Receive { from: endpoint, .. } => match (&self.receiver.started, &self.address) {
                (Some(started), _) => format!("from {}", started.peer),
                (None, Some(address)) => format!("at {address}"),
                (None, None) => format!("at {endpoint}"),
            },
        }
    }

    /// `process 12`, or with both ends `process 12 → 13`.
    fn processes_in_words(&self, process: &OtherProcess) -> String {
        match (self.mate.filter(|mate| mate.pid != process.pid), process.side) {
            (None, _) => format!("process {}", process.pid),
            (Some(mate), Side::Sender) => format!("process {} → {}", process.pid, mate.pid),
            (Some(mate), Side::Receiver) => format!("process {} → {}", mate.pid, process.pid),
        }
    }

    /// What is known of a file that is done, beside its name.
    #[must_use]
    pub fn done_in_words(&self) -> Option<String> {
        let words = self.on_disk.iter().chain(&self.note).chain(&self.window_note);
        let words: Vec<&str> = words.map(String::as_str).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// The rate column: a rate while there is one, else the state.
    #[must_use]
    pub fn rate_in_words(&self, now_s: f64) -> String {
        match self.phase {
            _ if self.has_rate() => {
                let numbers = self.numbers(now_s);
                numbers.unit.quantity(numbers.now).to_string()
            }
            _ if self.is_stopped() => "stopped".to_owned(),
            Phase::Done { .. } => self.mean_in_words(),
            ref phase => phase.name().to_lowercase(),
        }
    }

    /// The mean rate, in the unit of all rates of this transfer.
    #[must_use]
    pub fn mean_in_words(&self) -> String {
        let numbers = self.numbers(0.0);
        numbers.unit.quantity(numbers.mean).to_string()
    }

    /// The column beside the rate: time left, verified, or why it failed.
    #[must_use]
    pub fn note_in_words(&self, now_s: f64) -> String {
        match &self.phase {
            _ if self.repeats() && self.has_rate() => {
                let moved = format::bytes(self.main_end().series.bytes());
                format!("round {} · {moved}", format::count(u64::from(self.rounds) + 1))
            }
            _ if self.is_stopped() => format!("after {}", self.rounds_in_words()),
            Phase::Is(State::Transferring) => self
                .numbers(now_s)
                .left_s
                .map_or(String::new(), |left_s| format!("{} left", format::left(left_s))),
            Phase::Done { verified: Some(true) } => match self.durable {
                Some(true) => "verified, on disk".to_owned(),
                _ => "verified".to_owned(),
            },
            Phase::Done { verified: Some(false) } => "checksums differ".to_owned(),
            Phase::Done { verified: None } => "not verified".to_owned(),
            Phase::Failed { message, .. } => message.clone(),
            Phase::Is(State::Listening) => match &self.stranger {
                Some(peer) => format!("waits for a sender; {peer} offered nothing"),
                None => "waits for a sender".to_owned(),
            },
            Phase::Cancelled => self.note.clone().unwrap_or_default(),
            _ => String::new(),
        }
    }
}
