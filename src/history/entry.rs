//! One transfer as the history keeps it.

use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::telemetry::Cause;
use crate::transfer::Items;

use super::again::{Again, public, public_sentence};

/// The most characters of a name, an address or a checksum that are kept.
const NAME_CHARS_MAX: usize = 512;

/// The most characters of a message that are kept.
const MESSAGE_CHARS_MAX: usize = 1024;

/// Numpy has no more axes.
const AXES_MAX: usize = 64;

/// A transfer that has ended, or several of one peer that ended at nearly the same time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    /// Its number in the history, from 1; 0 until it has one.
    pub id: u64,
    /// When its clock began, in milliseconds since 1970 in UTC.
    pub began_unix_ms: i64,
    /// The command that did it, or `window`.
    pub command: String,
    /// Which ends were in this process.
    pub way: Way,
    /// The source in words, where this side knows it; of several transfers that of the first one.
    pub source: Option<String>,
    /// The sink in words, where this side knows it.
    pub sink: Option<String>,
    /// The file that was published.
    pub path: Option<String>,
    /// The other end's address.
    pub peer: Option<String>,
    /// The element type for people, such as `f64`.
    pub dtype: Option<String>,
    /// The shape, one length an axis.
    pub shape: Vec<u64>,
    /// What became of the items of a folder, and of what went with it; `None` where it was an array or a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Items>,
    /// Bytes that had moved at the end; of several transfers the sum.
    pub bytes: u64,
    /// Bytes that were at the receiver already, from a transfer that broke, and did not move again.
    pub resumed_bytes: u64,
    /// Bytes of the whole; `None` where nobody knew.
    pub total_bytes: Option<u64>,
    /// For how many transfers this stands.
    pub transfers: u64,
    /// How it ended.
    pub outcome: Ending,
    /// Why it failed, or what one should know.
    pub message: Option<String>,
    /// Whose fault a failure was.
    pub fault: Option<Fault>,
    /// True where checksums were compared and agreed.
    pub verified: Option<bool>,
    /// True where the array is on disk.
    pub durable: Option<bool>,
    /// The checksum of the whole array with its kind.
    pub checksum: Option<String>,
    /// The mean, in bytes a second.
    pub rate_bytes_per_s: f64,
    /// Seconds from the beginning of its clock to its end.
    pub seconds: f64,
    /// Seconds from the last byte until all was on disk.
    pub sync_s: Option<f64>,
    /// The sentence that names the limit, with its evidence.
    pub sentence: Option<String>,
    /// The parts of the time in which each cause was the limit, the largest first.
    pub shares: Vec<(Cause, f64)>,
    /// Over how many connections at most.
    pub streams: u16,
    /// The wire that the ends spoke.
    pub wire: Option<String>,
    /// How bytes left, where this side knows it.
    pub send_route: Option<String>,
    /// How bytes landed, where this side knows it.
    pub receive_route: Option<String>,
    /// CPU time of the sender's data threads, in seconds, where they were in this process.
    pub sender_cpu_s: Option<f64>,
    /// CPU time of the receiver's data threads, in seconds, where they were in this process.
    pub receiver_cpu_s: Option<f64>,
    /// What to do the same again takes.
    pub again: Option<Again>,
    /// The version of the program that did it.
    pub program_version: String,
}

/// Which ends of a transfer were in the process that kept it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// Both.
    #[default]
    Loopback,
    /// The sender.
    Send,
    /// The receiver.
    Receive,
    /// The receiver, from a web server.
    Fetch,
}

/// How a transfer ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ending {
    /// All of it moved.
    #[default]
    Done,
    /// Something went wrong.
    Failed,
    /// Someone gave it up.
    Cancelled,
    /// What was kept of it cannot be read.
    Damaged,
}

impl Ending {
    /// Its name for people and in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Damaged => "damaged",
        }
    }
}

impl Entry {
    /// Bytes that were at the receiver when it ended: those that were there before, and those that moved.
    pub(crate) fn there_bytes(&self) -> u64 {
        self.resumed_bytes.saturating_add(self.bytes)
    }

    /// The same without what is nobody's business, and with nothing in it that has no bound: names and messages of peers
    /// can be anything.
    pub(super) fn fit_to_keep(mut self) -> Self {
        if let Some(message) = &mut self.message {
            *message = public_sentence(message, self.source.as_deref());
        }
        // What a file is called here is no URL, and tells nobody's secret that the file does not tell.
        bound(&mut self.path, NAME_CHARS_MAX);
        for name in [
            &mut self.source,
            &mut self.sink,
            &mut self.peer,
            &mut self.dtype,
            &mut self.checksum,
            &mut self.wire,
            &mut self.send_route,
            &mut self.receive_route,
        ] {
            if let Some(text) = name.as_mut().filter(|text| text.contains("://")) {
                *text = public(text);
            }
            bound(name, NAME_CHARS_MAX);
        }
        // Which ones failed the window told: there may be very many.
        self.items = self.items.map(|items| Items {
            moving: None,
            ..items.counts()
        });
        bound(&mut self.message, MESSAGE_CHARS_MAX);
        bound(&mut self.sentence, MESSAGE_CHARS_MAX);
        self.shape.truncate(AXES_MAX);
        // JSON has no other numbers: the whole entry could not be read back.
        for number in [&mut self.rate_bytes_per_s, &mut self.seconds] {
            if !number.is_finite() {
                *number = 0.0;
            }
        }
        for number in [&mut self.sync_s, &mut self.sender_cpu_s, &mut self.receiver_cpu_s] {
            *number = number.filter(|number| number.is_finite());
        }
        self.shares.retain(|(_, share)| share.is_finite());
        self
    }

    /// What a search looks through, the command first, one text a line.
    pub(super) fn words(&self) -> String {
        let texts = [
            &self.source,
            &self.sink,
            &self.path,
            &self.peer,
            &self.message,
            &self.checksum,
        ];
        let mut words = self.command.clone();
        for text in texts.into_iter().flatten() {
            words.push('\n');
            words += text;
        }
        // A search ends at a NUL.
        words.replace('\0', " ")
    }
}

fn bound(text: &mut Option<String>, chars: usize) {
    if let Some(text) = text
        && let Some((end, _)) = text.char_indices().nth(chars)
    {
        text.truncate(end);
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_back_whatever_its_numbers_and_names_are() {
        let entry = Entry {
            source: Some("a\0b".into()),
            peer: Some("10.0.0.7:1".into()),
            rate_bytes_per_s: f64::INFINITY,
            seconds: f64::NAN,
            sync_s: Some(f64::NAN),
            shares: vec![(Cause::Sender, f64::NAN)],
            ..Entry::default()
        };
        let kept = entry.fit_to_keep();
        let json = serde_json::to_string(&kept).expect("JSON");
        assert_eq!(serde_json::from_str::<Entry>(&json).expect("an entry"), kept);
        assert!(kept.words().contains("a b\n10.0.0.7:1"), "{:?}", kept.words());
    }

    #[test]
    fn nothing_of_an_entry_grows_with_what_a_peer_says() {
        let long = Some("ä".repeat(1 << 20));
        let entry = Entry {
            source: long.clone(),
            message: long.clone(),
            shape: vec![1; 1 << 20],
            ..Entry::default()
        };
        let bounded = entry.fit_to_keep();
        assert_eq!(
            bounded.source.as_ref().map(|text| text.chars().count()),
            Some(NAME_CHARS_MAX + 1)
        );
        assert!(bounded.words().len() < 8 * 1024, "{}", bounded.words().len());
        assert_eq!(bounded.shape.len(), AXES_MAX);
    }
}
