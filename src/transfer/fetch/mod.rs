//! Fetches a file from a web server: machines as the others are, with HTTP in the place of a wire. Where bytes follow
//! the answer's head as they are, they are taken from the socket as a receiver takes them, and need not even be seen.

mod answer;
mod buffers;
mod claimed;
mod client;
mod connection;
mod disposition;
mod file;
mod first;
mod further;
mod header;
mod heard;
mod part;
mod proxy;
mod ranges;
mod request;
mod setback;
mod tls;
mod tunnel;
mod version;

use std::ops::Range;
use std::sync::Arc;

use crate::transfer::net::url::Url;
use crate::transfer::plan::SinkSpec;
use crate::transfer::trust::Trust;

use file::FetchedFile;

pub(crate) use answer::{RangeRequest, read as read_answer};
pub(super) use first::FirstFetcher;
pub(super) use further::FurtherFetcher;
pub use heard::HeardFile;
pub(crate) use heard::{hear_proxy, hear_server};

/// What is fetched, and where to.
#[derive(Debug)]
pub(super) struct FetchPlan {
    pub(super) url: Url,
    pub(super) trust: Trust,
    pub(super) sink: SinkSpec,
}

/// A file's first connection can do with further ones, one for each of these parts.
pub(super) struct PartRequest {
    pub(super) file: Arc<FetchedFile>,
    /// The ranges of each.
    pub(super) parts: Vec<Vec<Range<u64>>>,
}
