//! What is typed and chosen under New transfer. [`super::plan`] turns it into something that can run.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::place::{Chosen, Place};
use super::{by_name, format};
use crate::Error;
use crate::app::words::say;
use crate::route::{ReceiveRouteChoice, SendRouteChoice};
use crate::transfer::{Replace, Url};
use crate::units::parse_limit;
use crate::wire::WireChoice;

/// What is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourceKind {
    /// A float range, made here.
    #[default]
    Range,
    /// A file.
    File,
}

/// Between which ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EndpointKind {
    /// Both ends here.
    #[default]
    ThisMachine,
    /// To a receiver elsewhere.
    SendTo,
    /// From a sender elsewhere.
    ReceiveAt,
}

/// Into what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SinkKind {
    /// Fresh memory.
    #[default]
    Memory,
    /// A file or a folder.
    File,
    /// Nowhere.
    Discard,
}

/// Everything under New transfer, as text wherever it is text on the screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "switches on the screen")]
pub struct Form {
    /// What is sent.
    pub source: SourceKind,
    /// First number of the range.
    pub from: String,
    /// The number that the range ends before.
    pub to: String,
    /// From one number to the next.
    pub step: String,
    /// The range's element type.
    pub dtype: String,
    /// The file to send.
    pub path: String,
    /// What was chosen as the source, where `path` does not say it.
    pub chosen_source: Option<Chosen>,
    /// Between which ends.
    pub endpoint: EndpointKind,
    /// Where to send to.
    pub send_to: String,
    /// Where to receive.
    pub receive_at: String,
    /// Into what.
    pub sink: SinkKind,
    /// The file or folder to receive into.
    pub sink_path: String,
    /// What was chosen to receive into, where `sink_path` does not say it.
    pub chosen_sink: Option<Chosen>,
    /// What the ends say to each other.
    #[serde(with = "by_name")]
    pub wire: WireChoice,
    /// How bytes leave.
    #[serde(with = "by_name")]
    pub send_route: SendRouteChoice,
    /// How bytes land.
    #[serde(with = "by_name")]
    pub receive_route: ReceiveRouteChoice,
    /// Bytes for one system call.
    pub chunk: String,
    /// Over how many connections.
    pub streams: String,
    /// A rate, or nothing.
    pub limit: String,
    /// How many first elements are shown.
    pub preview: String,
    /// How long a peer may be silent.
    pub timeout: String,
    /// What a raw sender sends: its element type.
    pub expect_dtype: String,
    /// What a raw sender sends: its shape.
    pub expect_shape: String,
    /// Whether checksums are compared.
    pub verify: bool,
    /// Whether a file is put on disk before it is called done.
    pub sync: bool,
    /// Whether it begins again whenever it is done.
    pub repeat: bool,
    /// Globs of what stays here of a folder, with commas between.
    pub exclude: String,
    /// Globs of which a file of a folder must match one, with commas between.
    pub include: String,
    /// What becomes of files that are there and differ from those of a folder.
    #[serde(with = "by_name")]
    pub replace: Replace,
    /// Whether a sender of a folder may have files replaced that are there and differ.
    pub allow_replace: bool,
}

impl Default for Form {
    fn default() -> Self {
        Self {
            source: SourceKind::Range,
            from: "0".to_owned(),
            to: "50,000,000".to_owned(),
            step: "1".to_owned(),
            dtype: "f64".to_owned(),
            path: String::new(),
            chosen_source: None,
            endpoint: EndpointKind::ThisMachine,
            send_to: "127.0.0.1:25000".to_owned(),
            receive_at: "0.0.0.0:25000".to_owned(),
            sink: SinkKind::Memory,
            sink_path: String::new(),
            chosen_sink: None,
            wire: WireChoice::Auto,
            send_route: SendRouteChoice::Auto,
            receive_route: ReceiveRouteChoice::Auto,
            chunk: "auto".to_owned(),
            streams: "1".to_owned(),
            limit: String::new(),
            preview: "10".to_owned(),
            timeout: "30 s".to_owned(),
            expect_dtype: "f64".to_owned(),
            expect_shape: "50,000,000".to_owned(),
            verify: true,
            sync: true,
            repeat: false,
            exclude: String::new(),
            include: String::new(),
            replace: Replace::Never,
            allow_replace: false,
        }
    }
}

/// A field that can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    From,
    To,
    Step,
    Dtype,
    Path,
    SendTo,
    ReceiveAt,
    Sink,
    SinkPath,
    SendRoute,
    ReceiveRoute,
    Chunk,
    Streams,
    Limit,
    Preview,
    Timeout,
    ExpectDtype,
    ExpectShape,
}

impl Field {
    /// Whether it is inside the Advanced fold.
    #[must_use]
    pub fn is_advanced(self) -> bool {
        matches!(
            self,
            Self::SendRoute
                | Self::ReceiveRoute
                | Self::Chunk
                | Self::Streams
                | Self::Limit
                | Self::Preview
                | Self::Timeout
                | Self::ExpectDtype
                | Self::ExpectShape
        )
    }
}

impl Form {
    /// Whether the array comes from here.
    #[must_use]
    pub fn sends(&self) -> bool {
        self.endpoint != EndpointKind::ReceiveAt
    }

    /// Where on the web the source is, where that is what is typed.
    #[must_use]
    pub fn url(&self) -> Option<Result<Url, Error>> {
        let is_path = self.sends() && self.source == SourceKind::File;
        match self.source_place().filter(|_| is_path)? {
            Place::Typed(text) => Url::parse(&text),
            Place::Chosen(_) => None,
        }
    }

    /// Where the source is; nothing where its field is empty.
    #[must_use]
    pub fn source_place(&self) -> Option<Place> {
        Place::of(&self.path, self.chosen_source.as_ref())
    }

    /// Where the array lands; nothing where its field is empty.
    #[must_use]
    pub fn sink_place(&self) -> Option<Place> {
        Place::of(&self.sink_path, self.chosen_sink.as_ref())
    }

    /// Makes these files and folders the source.
    pub(crate) fn choose_source(&mut self, paths: Vec<PathBuf>) {
        self.source = SourceKind::File;
        (self.path, self.chosen_source) = Chosen::of(paths);
    }

    /// Makes this what is received into.
    pub(crate) fn choose_sink(&mut self, path: PathBuf) {
        self.sink = SinkKind::File;
        (self.sink_path, self.chosen_sink) = Chosen::of(vec![path]);
    }

    /// What is typed as globs, one by one.
    pub(super) fn globs(typed: &str) -> Vec<String> {
        let globs = typed.split(',').map(str::trim);
        globs.filter(|glob| !glob.is_empty()).map(str::to_owned).collect()
    }

    /// Whether files of a folder may come from a sender elsewhere.
    #[must_use]
    pub fn may_allow_replace(&self) -> bool {
        self.endpoint == EndpointKind::ReceiveAt && self.sink == SinkKind::File
    }

    /// Whether the array lands here.
    #[must_use]
    pub fn receives(&self) -> bool {
        self.endpoint != EndpointKind::SendTo
    }

    /// Whether the sender does not say what comes, so that it must be said here.
    #[must_use]
    pub fn needs_expectation(&self) -> bool {
        self.endpoint == EndpointKind::ReceiveAt && self.wire == WireChoice::Raw
    }

    /// How the limit that is typed is read, where it has no mistake: `= 200 MB/s`.
    #[must_use]
    pub fn limit_in_words(&self) -> Option<String> {
        let limit = parse_limit(&self.limit).ok()??;
        Some(format!("= {}", format::rate(limit as f64)))
    }

    /// The line that stands for the Advanced fold while it is closed, and a folder is sent.
    #[must_use]
    pub(crate) fn advanced_of_tree_in_words(&self) -> String {
        let mut words = Vec::new();
        if !self.limit.trim().is_empty() {
            words.push(say!("form-at-most", rate = self.limit.trim()));
        }
        words.push(say!("form-timeout-named", time = self.timeout.trim()));
        words.push(self.verified_in_words().to_owned());
        words.join(say!("comma"))
    }

    fn verified_in_words(&self) -> &'static str {
        if self.verify {
            say!("form-verified")
        } else {
            say!("form-not-verified")
        }
    }

    /// The line that stands for the Advanced fold while it is closed.
    #[must_use]
    pub fn advanced_in_words(&self) -> String {
        let (send, receive) = (self.send_route.name(), self.receive_route.name());
        let routes = match self.endpoint {
            EndpointKind::ThisMachine if send != receive => format!("{send} → {receive}"),
            EndpointKind::ThisMachine | EndpointKind::SendTo => send.to_owned(),
            EndpointKind::ReceiveAt => receive.to_owned(),
        };
        let mut words = vec![
            say!("form-routes", routes = routes),
            say!("form-wire-named", wire = self.wire.name()),
        ];
        if !matches!(self.chunk.trim(), "" | "auto") {
            words.push(say!("form-chunks", size = self.chunk.trim()));
        }
        if self.sends() && self.streams.trim() != "1" {
            words.push(say!("form-stream-count", streams = self.streams.trim()));
        }
        if !self.limit.trim().is_empty() {
            words.push(say!("form-at-most", rate = self.limit.trim()));
        }
        words.push(self.verified_in_words().to_owned());
        words.join(say!("comma"))
    }
}
