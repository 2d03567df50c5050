//! What to transfer and how, fully decided: nothing in a plan is still text that could be wrong.

use std::path::PathBuf;
use std::time::Duration;

use crate::array::{ArrayMeta, Dtype, Range};
use crate::error::Error;
use crate::route::{ReceiveRouteChoice, SendRouteChoice};
use crate::telemetry::core_cache_bytes;
use crate::wire::{ChecksumKind, WireChoice};

use super::net::connection::Connection;
use super::net::endpoint::Endpoint;
use super::net::listener::Listener;
use super::net::url::Url;
use super::shm::ShmName;
use super::tell::event::Side;
use super::trust::Trust;

/// What a transfer does. With an [`Endpoint`] in place of [`Incoming`] it is plain data: it can be kept, and started again.
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
pub enum Incoming {
    /// The first one that connects.
    Listener(Listener),
    /// One that has connected.
    Connection(Connection),
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSpec {
    /// The whole of it.
    pub origin: Origin,
    /// The part of it that is sent, where it is not all.
    pub slice: Option<Slice>,
}

/// Where the bytes of a source come from.
#[derive(Debug, Clone, PartialEq)]
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
    /// POSIX shared memory, which has no header: an array of u8, or of what is said here.
    Shm {
        /// Its name.
        name: ShmName,
        /// How to view its bytes.
        dtype: Option<Dtype>,
    },
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

/// How a transfer is done. `Options::default()` is right for nearly everyone.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// What peers say to each other.
    pub wire: WireChoice,
    /// How bytes leave.
    pub send_route: SendRouteChoice,
    /// How bytes land.
    pub receive_route: ReceiveRouteChoice,
    /// Bytes handed to one system call, at most.
    pub chunk_bytes: usize,
    /// At most so many bytes a second; changes while the transfer runs by `Transfer::set_limit`.
    pub limit_bytes_per_s: Option<u64>,
    /// As if the program that the array comes from yielded at most so many bytes a second; see `Transfer::set_pace`.
    pub writer_pace_bytes_per_s: Option<u64>,
    /// As if the program that the array is for took at most so many bytes a second; see `Transfer::set_pace`.
    pub reader_pace_bytes_per_s: Option<u64>,
    /// The size of the socket's buffers, each, as asked of the kernel; `None` leaves it to what suits the peer.
    pub socket_buffer_bytes: Option<usize>,
    /// How many first elements are shown.
    pub preview_elements: usize,
    /// Which checksum a native sender offers; `None` means unverified.
    pub checksum: ChecksumKind,
    /// Over how many connections a native sender would move the array: from 1 to [`Options::STREAMS_MAX`].
    pub streams: u16,
    /// How long a peer may be silent, and how long connecting may take.
    pub timeout: Duration,
}

impl Options {
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

    /// Finds options that contradict each other.
    pub fn check(&self) -> Result<(), Error> {
        if self.streams <= 1 {
            return Ok(());
        }
        let wrong = |text: &str| Err(Error::Usage(text.into()));
        match (self.wire, self.send_route) {
            (WireChoice::Npy | WireChoice::Raw, _) => {
                wrong("several connections need the native wire: npy and raw have no blocks that could be told apart")
            }
            (_, SendRouteChoice::Copying) => {
                wrong("the copying route sends in order, over one connection: take another route, or one stream")
            }
            (_, SendRouteChoice::Zerocopy) => {
                wrong("the zerocopy route sends over one connection: take another route, or one stream")
            }
            (_, SendRouteChoice::Handoff) => {
                wrong("memory is handed over as a whole, over one connection: take another route, or one stream")
            }
            _ => Ok(()),
        }
    }
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
            checksum: ChecksumKind::default(),
            streams: 1,
            timeout: Duration::from_secs(30),
        }
    }
}
