//! What to transfer and how, fully decided: nothing in a plan is still text that could be wrong.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::array::{ArrayMeta, Dtype, Range};
use crate::error::Error;
use crate::route::{ReceiveRouteChoice, SendRouteChoice};
use crate::telemetry::core_cache_bytes;
use crate::units::{UnitError, exact_bytes};
use crate::wire::{ChecksumKind, WireChoice};

use super::net::connection::Connection;
use super::net::endpoint::Endpoint;
use super::net::listener::Listener;
use super::net::peer_user::PeerUser;
use super::net::url::Url;
use super::receive::Offered;
use super::shm::ShmName;
use super::source::tree::TreeSpec;
use super::tell::event::Side;
use super::trust::Trust;

/// What a transfer does. With an [`Endpoint`] in place of [`Incoming`] it is plain data: it can be kept, and started again.
///
/// ```
/// use arraylift::{Endpoint, Job, Origin, SourceSpec};
///
/// let file = Origin::File {
///     path: "data.npy".into(),
///     dtype: None,
/// };
/// let job: Job = Job::Send {
///     source: SourceSpec::new(file),
///     to: Endpoint::parse("somewhere:25000")?,
/// };
/// # Ok::<(), arraylift::Error>(())
/// ```
#[derive(Debug, Clone)]
pub enum Job<Peer = Incoming> {
    /// Both ends on this machine, over TCP loopback.
    Loopback {
        /// What is sent.
        source: SourceSpec,
        /// Where it lands.
        sink: SinkSpec,
    },
    /// Connects to a receiver and sends.
    Send {
        /// What is sent.
        source: SourceSpec,
        /// Where the receiver listens.
        to: Endpoint,
    },
    /// Takes one sender and receives.
    Receive {
        /// Where the sender comes from.
        from: Peer,
        /// Where the array lands.
        sink: SinkSpec,
        /// What comes; needed on the `raw` wire, which does not say it.
        expect: Option<ArrayMeta>,
    },
    /// Takes a file from a web server as it is: nothing in it is taken for an array's header.
    Fetch {
        /// Where the file is.
        url: Url,
        /// Who may be behind an `https` URL.
        trust: Trust,
        /// Where the file lands.
        sink: SinkSpec,
    },
}

impl<Peer> Job<Peer> {
    /// The ends that are on this machine.
    #[must_use]
    pub fn sides(&self) -> &'static [Side] {
        match self {
            Self::Loopback { .. } => &[Side::Sender, Side::Receiver],
            Self::Send { .. } => &[Side::Sender],
            Self::Receive { .. } | Self::Fetch { .. } => &[Side::Receiver],
        }
    }

    /// Where the array lands, where that is on this machine.
    #[must_use]
    pub fn sink(&self) -> Option<&SinkSpec> {
        match self {
            Self::Loopback { sink, .. } | Self::Receive { sink, .. } | Self::Fetch { sink, .. } => Some(sink),
            Self::Send { .. } => None,
        }
    }

    /// The same job with what `find` makes of where the sender comes from; any other job stays as it is.
    ///
    /// # Errors
    /// Those of `find`.
    pub fn try_map_peer<Other, E>(self, find: impl FnOnce(Peer) -> Result<Other, E>) -> Result<Job<Other>, E> {
        Ok(match self {
            Self::Loopback { source, sink } => Job::Loopback { source, sink },
            Self::Send { source, to } => Job::Send { source, to },
            Self::Receive { from, sink, expect } => Job::Receive {
                from: find(from)?,
                sink,
                expect,
            },
            Self::Fetch { url, trust, sink } => Job::Fetch { url, trust, sink },
        })
    }
}

/// How a receiver meets its sender.
#[derive(Debug)]
#[non_exhaustive]
pub enum Incoming {
    /// The first one that connects.
    Listener(Listener),
    /// One that has connected.
    Connection(Connection),
    /// One that has connected to a listener where someone else accepts all connections, and has said what it sends.
    Sender(OfferingSender),
}

/// A sender that has said what it sends, and waits for an answer.
pub struct OfferingSender {
    pub(crate) offered: Box<Offered>,
    /// Where further connections of its transfer come in, and others.
    pub(crate) listener: Listener,
}

impl fmt::Debug for OfferingSender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = self.offered.connection.peer();
        formatter
            .debug_struct("OfferingSender")
            .field("peer", &peer)
            .finish_non_exhaustive()
    }
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSpec {
    /// The whole of it.
    pub origin: Origin,
    /// The part of it that is sent, where it is not all.
    pub slice: Option<Slice>,
}

impl SourceSpec {
    /// All of a source.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self { origin, slice: None }
    }
}

/// Where the bytes of a source come from.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Origin {
    /// Generated, exactly as `numpy.arange` would.
    Range(Range),
    /// A file. Without a dtype a `.npy` file is the array in it and any other file an array of u8;
    /// with a dtype the file's bytes, all of them, are viewed as that.
    File {
        /// Its path.
        path: PathBuf,
        /// How to view its bytes.
        dtype: Option<Dtype>,
    },
    /// Files and folders with all that is in them, as they are: they go over one connection of the native wire, and into a
    /// folder.
    Tree(TreeSpec),
    /// POSIX shared memory, which has no header: an array of u8, or of what is said here.
    Shm {
        /// Its name.
        name: ShmName,
        /// How to view its bytes.
        dtype: Option<Dtype>,
    },
}

impl Origin {
    /// What it is called for people before it is looked at.
    pub(crate) fn title(&self) -> Option<String> {
        match self {
            Self::Tree(tree) => Some(tree.title()),
            Self::File { path, .. } => Some(path.display().to_string()),
            Self::Range(_) | Self::Shm { .. } => None,
        }
    }

    /// The path of a file, or `None`.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::File { path, .. } => Some(path),
            Self::Range(_) | Self::Tree(_) | Self::Shm { .. } => None,
        }
    }
}

/// A part of a source, in bytes of its array (a `.npy` file's header does not count).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// The first byte.
    pub offset_bytes: u64,
    /// How many; all that follow where it is not given.
    pub length_bytes: Option<u64>,
}

/// Where the array lands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SinkSpec {
    /// Fresh memory, given back when the transfer has ended.
    Memory,
    /// Nowhere: measure only.
    Discard,
    /// A new file. One that ends in `.npy` gets a header, any other the raw bytes.
    File(PathBuf),
    /// A new file in this folder, under the sender's name made safe.
    Folder(PathBuf),
    /// New POSIX shared memory of exactly the array's bytes, without a header. It stays until someone unlinks it.
    Shm(ShmName),
    /// A part of an existing file: of a `.npy` file's array, or of any other file's bytes.
    Within {
        /// The existing file.
        path: PathBuf,
        /// Its first byte to be overwritten.
        at_bytes: u64,
    },
}

/// How a transfer is done. `Options::default()` is right for nearly everyone. More fields will come: end a literal with
/// `..Options::default()`.
///
/// ```
/// use std::time::Duration;
///
/// use arraylift::Options;
///
/// let options = Options {
///     limit_bytes_per_s: Some(50_000_000),
///     streams: 4,
///     timeout: Duration::from_secs(10),
///     ..Options::default()
/// };
/// assert!(options.check().is_ok());
/// assert!(Options { streams: 17, ..options }.check().is_err());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches that have nothing to do with each other"
)]
pub struct Options {
    /// What peers say to each other.
    pub wire: WireChoice,
    /// How bytes leave.
    pub send_route: SendRouteChoice,
    /// How bytes land.
    pub receive_route: ReceiveRouteChoice,
    /// Bytes handed to one system call, at most; within [`Options::CHUNK_BYTES`].
    pub chunk_bytes: usize,
    /// At most so many bytes a second, and not 0; changes while the transfer runs by `Transfer::set_limit`.
    pub limit_bytes_per_s: Option<u64>,
    /// As if the program that the array comes from yielded at most so many bytes a second; see `Transfer::set_pace`.
    pub writer_pace_bytes_per_s: Option<u64>,
    /// As if the program that the array is for took at most so many bytes a second; see `Transfer::set_pace`.
    pub reader_pace_bytes_per_s: Option<u64>,
    /// The size of the socket's buffers, each, as asked of the kernel, within [`Options::SOCKET_BUFFER_BYTES`]; `None`
    /// leaves it to what suits the peer.
    pub socket_buffer_bytes: Option<usize>,
    /// How many first elements are shown, at most [`Options::PREVIEW_ELEMENTS_MAX`].
    pub preview_elements: usize,
    /// Whether the values that pass by are looked at, and when it is told what they are.
    pub stats: StatsChoice,
    /// Which checksum a native sender offers; `None` means unverified.
    pub checksum: ChecksumKind,
    /// Over how many connections a native sender would move the array: from 1 to [`Options::STREAMS_MAX`].
    pub streams: u16,
    /// Keeps what is received into [`SinkSpec::Memory`] beyond the end, for [`super::Transfer::join_received`]. It then
    /// comes in bytes of its own: no handoff is asked for.
    pub keep_received: bool,
    /// Calls a file that is fetched into a folder what its server calls it (`Content-Disposition`), made safe, where the
    /// server does; otherwise after the last part of its URL.
    pub name_from_server: bool,
    /// Puts what is received into a file on disk (`fsync` of the file and of its folder) before it is called done, so that
    /// it outlasts a loss of power. Memory, shared memory and what is discarded have no disk.
    pub sync: bool,
    /// Whether the sender of a tree may have files replaced that are there and differ. Without this nothing is ever
    /// replaced, whatever the sender asks for.
    pub allow_replace: bool,
    /// How long a peer may be silent, and how long connecting may take: more than 0, at most [`Options::TIMEOUT_MAX`].
    pub timeout: Duration,
    /// Whose process may be at the other end of a Unix socket.
    pub peer_user: PeerUser,
}

impl Options {
    /// What [`Options::chunk_bytes`] may be.
    pub const CHUNK_BYTES: RangeInclusive<usize> = 4 << 10..=64 << 20;
    /// What [`Options::socket_buffer_bytes`] may be.
    pub const SOCKET_BUFFER_BYTES: RangeInclusive<usize> = 4 << 10..=1 << 30;
    /// No more first elements are shown than this.
    pub const PREVIEW_ELEMENTS_MAX: usize = 10_000;
    /// No peer may be silent for longer than a year.
    pub const TIMEOUT_MAX: Duration = Duration::from_hours(365 * 24);
    /// No transfer takes more connections than this.
    pub const STREAMS_MAX: u16 = 16;

    /// The [`Options::chunk_bytes`] that moves bytes fastest here, as it was measured: a core with a large cache of its
    /// own wants to stay within it. With a small one bytes come from the shared cache anyway, and the fewer system
    /// calls the better; summing still wants them to be there.
    #[must_use]
    pub fn chunk_bytes_for(checksum: ChecksumKind) -> usize {
        match checksum {
            _ if core_cache_bytes().is_some_and(|bytes| bytes >= 2 << 20) => 1 << 20,
            ChecksumKind::None => 4 << 20,
            _ => 2 << 20,
        }
    }

    /// Finds the first option that is out of its bounds, and options that contradict each other.
    ///
    /// # Errors
    /// [`Error::Usage`], which says what is right.
    pub fn check(&self) -> Result<(), Error> {
        let first = self.mistakes().into_iter().next();
        first.map_or(Ok(()), |(_, text)| Err(Error::Usage(text)))
    }

    /// Everything that [`Options::check`] finds, each beside the option that is to be changed.
    #[must_use]
    pub fn mistakes(&self) -> Vec<(OptionName, String)> {
        let mut mistakes = Vec::new();
        let mut unless = |is_right: bool, name: OptionName, right: String| {
            if !is_right {
                mistakes.push((name, right));
            }
        };
        let right = format!("a chunk has {}", from_to(&Self::CHUNK_BYTES));
        unless(Self::CHUNK_BYTES.contains(&self.chunk_bytes), OptionName::Chunk, right);
        let buffer = self.socket_buffer_bytes.unwrap_or(*Self::SOCKET_BUFFER_BYTES.end());
        let right = format!("a socket buffer has {}", from_to(&Self::SOCKET_BUFFER_BYTES));
        let is_right = Self::SOCKET_BUFFER_BYTES.contains(&buffer);
        unless(is_right, OptionName::SocketBuffer, right);
        for (rate, name) in [
            (self.limit_bytes_per_s, OptionName::Limit),
            (self.writer_pace_bytes_per_s, OptionName::WriterPace),
            (self.reader_pace_bytes_per_s, OptionName::ReaderPace),
        ] {
            unless(rate != Some(0), name, UnitError::NoRate.to_string());
        }
        let right = format!("from 0 to {} elements are shown", Self::PREVIEW_ELEMENTS_MAX);
        let is_right = self.preview_elements <= Self::PREVIEW_ELEMENTS_MAX;
        unless(is_right, OptionName::Preview, right);
        let is_right = !self.timeout.is_zero() && self.timeout <= Self::TIMEOUT_MAX;
        unless(
            is_right,
            OptionName::Timeout,
            "a timeout is more than 0 and at most a year".into(),
        );
        let right = format!("from 1 to {} connections move an array", Self::STREAMS_MAX);
        let is_right = (1..=Self::STREAMS_MAX).contains(&self.streams);
        unless(is_right, OptionName::Streams, right);
        let contradiction = self.contradiction();
        unless(
            contradiction.is_none(),
            OptionName::Streams,
            contradiction.unwrap_or_default().into(),
        );
        mistakes
    }

    /// Why several connections cannot be.
    fn contradiction(&self) -> Option<&'static str> {
        if self.streams <= 1 {
            return None;
        }
        match (self.wire, self.send_route) {
            (WireChoice::Npy | WireChoice::Raw, _) => {
                Some("several connections need the native wire: npy and raw have no blocks that could be told apart")
            }
            (_, SendRouteChoice::Copying) => {
                Some("the copying route sends in order, over one connection: take another route, or one stream")
            }
            (_, SendRouteChoice::Zerocopy) => {
                Some("the zerocopy route sends over one connection: take another route, or one stream")
            }
            (_, SendRouteChoice::Handoff) => {
                Some("memory is handed over as a whole, over one connection: take another route, or one stream")
            }
            _ => None,
        }
    }
}

/// Whether the values of an array are looked at as they pass by. That costs a few percent of the rate: of a transfer
/// that has no time to spare, samples are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatsChoice {
    /// Not at all.
    #[default]
    Off,
    /// They are, and [`EventKind::Stats`](super::EventKind::Stats) tells what they were right before the end.
    AtEnd,
    /// The same, and four times a second meanwhile.
    Live,
}

/// An option that has bounds, for whoever says which one is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `Options`")]
#[non_exhaustive]
pub enum OptionName {
    Chunk,
    SocketBuffer,
    Limit,
    WriterPace,
    ReaderPace,
    Preview,
    Timeout,
    Streams,
}

/// `from 4KiB to 64MiB`, without spaces, as it can be typed at a prompt.
pub(crate) fn from_to(bytes: &RangeInclusive<usize>) -> String {
    let typed = |bytes: usize| exact_bytes(bytes as u64).replace(' ', "");
    format!("from {} to {}", typed(*bytes.start()), typed(*bytes.end()))
}

impl Default for Options {
    fn default() -> Self {
        Self {
            wire: WireChoice::Auto,
            send_route: SendRouteChoice::Auto,
            receive_route: ReceiveRouteChoice::Auto,
            chunk_bytes: Self::chunk_bytes_for(ChecksumKind::default()),
            limit_bytes_per_s: None,
            writer_pace_bytes_per_s: None,
            reader_pace_bytes_per_s: None,
            socket_buffer_bytes: None,
            preview_elements: 10,
            stats: StatsChoice::Off,
            checksum: ChecksumKind::default(),
            streams: 1,
            keep_received: false,
            name_from_server: false,
            sync: true,
            allow_replace: false,
            timeout: Duration::from_secs(30),
            peer_user: PeerUser::Own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_every_place_and_each_mistake_names_its_option() {
        type Change = fn(&mut Options);
        let right: [Change; 6] = [
            |options| options.chunk_bytes = 4096,
            |options| options.chunk_bytes = 64 << 20,
            |options| options.socket_buffer_bytes = Some(1 << 30),
            |options| options.preview_elements = 10_000,
            |options| options.timeout = Options::TIMEOUT_MAX,
            |options| options.limit_bytes_per_s = Some(1),
        ];
        for change in right {
            let mut options = Options::default();
            change(&mut options);
            assert_eq!(options.check(), Ok(()), "{options:?}");
        }
        let wrong: [(OptionName, Change); 13] = [
            (OptionName::Chunk, |options| options.chunk_bytes = 0),
            (OptionName::Chunk, |options| options.chunk_bytes = 4095),
            (OptionName::Chunk, |options| options.chunk_bytes = 65 << 20),
            (OptionName::SocketBuffer, |options| {
                options.socket_buffer_bytes = Some(100);
            }),
            (OptionName::SocketBuffer, |options| {
                options.socket_buffer_bytes = Some(2 << 30);
            }),
            (OptionName::Limit, |options| options.limit_bytes_per_s = Some(0)),
            (OptionName::WriterPace, |options| {
                options.writer_pace_bytes_per_s = Some(0);
            }),
            (OptionName::ReaderPace, |options| {
                options.reader_pace_bytes_per_s = Some(0);
            }),
            (OptionName::Preview, |options| options.preview_elements = 10_001),
            (OptionName::Timeout, |options| options.timeout = Duration::ZERO),
            (OptionName::Timeout, |options| {
                options.timeout = Duration::from_hours(9000);
            }),
            (OptionName::Streams, |options| options.streams = 0),
            (OptionName::Streams, |options| options.streams = 17),
        ];
        for (name, change) in wrong {
            let mut options = Options::default();
            change(&mut options);
            let mistakes = options.mistakes();
            assert_eq!(mistakes.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [name]);
            assert_eq!(options.check(), Err(Error::Usage(mistakes[0].1.clone())));
        }
        let chunk = Options {
            chunk_bytes: 1,
            ..Options::default()
        };
        assert_eq!(chunk.mistakes()[0].1, "a chunk has from 4KiB to 64MiB");
    }
}
