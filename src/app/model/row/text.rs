//! A transfer in a line of text: its name, array, ends, rate, and a note.

use super::super::format;
use super::super::plan::in_words;
use super::{OtherProcess, Phase, Process, Row};
use crate::app::words::{say, translated};
use crate::transfer::{Job, Side, SinkSpec, State};

impl Phase {
    /// One word for it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => say!("phase-starting"),
            Self::Is(State::Queued) => say!("phase-queued"),
            Self::Is(State::Listening) => say!("phase-listening"),
            Self::Is(State::Connecting) => say!("phase-connecting"),
            Self::Is(State::Transferring) => say!("phase-transferring"),
            Self::Is(State::Paused) => say!("phase-paused"),
            Self::Is(State::Verifying) => say!("phase-verifying"),
            Self::Done { verified: Some(true) } => say!("phase-verified"),
            Self::Done { verified: Some(false) } => say!("phase-checksums-differ"),
            Self::Done { verified: None } => say!("phase-done"),
            Self::Failed { .. } => say!("phase-failed"),
            Self::Interrupted { .. } => say!("phase-interrupted"),
            Self::Cancelled => say!("phase-cancelled"),
        }
    }
}

impl Row {
    /// `148 rounds`.
    #[must_use]
    pub fn rounds_in_words(&self) -> String {
        say!("row-rounds", count = self.rounds)
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
            Some(SinkSpec::Memory) => say!("row-into-memory", array = array),
            Some(SinkSpec::Shm(name)) => format!("{array} · {name}"),
            Some(SinkSpec::Discard) => say!("row-discarded", array = array),
            Some(SinkSpec::File(path) | SinkSpec::Folder(path) | SinkSpec::Within { path, .. }) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                say!("row-into", array = array, name = name.display().to_string())
            }
            None => array,
        }
    }

    fn only_array_in_words(&self) -> String {
        if self.is_tree() {
            return say!("row-folder").to_owned();
        }
        match (self.started(), self.recipe().and_then(|recipe| recipe.meta.as_ref())) {
            (Some(started), _) => in_words(&started.dtype, &started.shape, started.total_bytes),
            (None, Some(meta)) => in_words(&meta.dtype().name(), meta.shape().dimensions(), Some(meta.byte_len())),
            (None, None) => say!("row-array-unknown").to_owned(),
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
            let pid = mate.pid.to_string();
            return match job {
                Job::Send { .. } => say!("row-to-process", pid = pid),
                _ => say!("row-from-process", pid = pid),
            };
        }
        match job {
            Job::Loopback { .. } => say!("row-this-machine").to_owned(),
            Job::Send { to, .. } => say!("row-to", endpoint = to.to_string()),
            Job::Fetch { url, .. } => say!("row-from", endpoint = url.server()),
            Job::Receive { from: endpoint, .. } => match (&self.receiver.started, &self.address) {
                (Some(started), _) => say!("row-from", endpoint = &started.peer),
                (None, Some(address)) => say!("row-at", endpoint = address),
                (None, None) => say!("row-at", endpoint = endpoint.to_string()),
            },
        }
    }

    /// `process 12`, or with both ends `process 12 → 13`.
    fn processes_in_words(&self, process: &OtherProcess) -> String {
        let both = |sender: u32, receiver: u32| {
            say!(
                "row-processes",
                sender = sender.to_string(),
                receiver = receiver.to_string()
            )
        };
        match (self.mate.filter(|mate| mate.pid != process.pid), process.side) {
            (None, _) => say!("process", pid = process.pid.to_string()),
            (Some(mate), Side::Sender) => both(process.pid, mate.pid),
            (Some(mate), Side::Receiver) => both(mate.pid, process.pid),
        }
    }

    /// What is known of a file that is done, beside its name.
    #[must_use]
    pub fn done_in_words(&self) -> Option<String> {
        let on_disk = self.durable.map(|durable| on_disk_in_words(durable, self.synced_s));
        let notes = self.note.iter().flat_map(|note| note.split("; ").map(translated));
        let notes = notes.chain(self.window_note.as_deref()).map(str::to_owned);
        let resumed = self.resumed_in_words();
        let words = self
            .items_in_words()
            .into_iter()
            .chain(resumed)
            .chain(on_disk)
            .chain(notes);
        let words: Vec<String> = words.collect();
        (!words.is_empty()).then(|| words.join(say!("semicolon")))
    }

    /// The rate column: a rate while there is one, else the state.
    #[must_use]
    pub fn rate_in_words(&self, now_s: f64) -> String {
        match self.phase {
            _ if self.has_rate() => {
                let numbers = self.numbers(now_s);
                numbers.unit.quantity(numbers.now).to_string()
            }
            _ if self.is_stopped() => say!("row-stopped").to_owned(),
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
                say!("row-round-moved", round = self.rounds + 1, moved = moved)
            }
            _ if self.is_stopped() => say!("row-after", count = self.rounds),
            Phase::Is(State::Transferring) if self.is_tree() => self.short_note(now_s),
            Phase::Is(State::Transferring) => self
                .numbers(now_s)
                .left_s
                .map_or(String::new(), |left_s| say!("row-left", time = format::left(left_s))),
            Phase::Done { .. } if self.is_tree() => self.items_in_words().unwrap_or_default(),
            Phase::Done { verified: Some(true) } => match self.durable {
                Some(true) => say!("row-verified-on-disk").to_owned(),
                _ => say!("row-verified").to_owned(),
            },
            Phase::Done { verified: Some(false) } => say!("row-checksums-differ").to_owned(),
            Phase::Done { verified: None } => say!("row-not-verified").to_owned(),
            Phase::Failed { message, .. } => message.clone(),
            Phase::Interrupted { message } => {
                let words = [self.interruption_in_words(now_s), message.clone()];
                words.join(say!("semicolon"))
            }
            Phase::Is(State::Listening) => match &self.stranger {
                Some(peer) => say!("row-stranger", peer = peer),
                None => say!("row-waits").to_owned(),
            },
            Phase::Cancelled => self.note.clone().unwrap_or_default(),
            _ => String::new(),
        }
    }
}

/// Whether an array is on disk, and how much of the time that took at last.
fn on_disk_in_words(durable: bool, synced_s: Option<f64>) -> String {
    match (durable, synced_s) {
        (true, Some(synced_s)) => say!("row-on-disk-after", time = format::duration(synced_s)),
        (true, None) => say!("row-on-disk").to_owned(),
        (false, _) => say!("row-not-synced").to_owned(),
    }
}
