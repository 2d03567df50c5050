//! The routes that a user can ask for.

/// A send route, as a user asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SendRouteChoice {
    /// The fastest that the source allows.
    #[default]
    Auto,
    /// `sendfile(2)` from a file, or from memory that is one.
    Sendfile,
    /// `send(2)` from memory.
    Write,
    /// `send(2)`, and a copy of the rest after each call: the baseline to compare with.
    Copying,
    /// `send(2)` with `MSG_ZEROCOPY`, from private memory: to compare with.
    Zerocopy,
    /// Sends no bytes: it passes the memory or the file itself to a process on this host.
    Handoff,
}

impl SendRouteChoice {
    /// Every choice, `auto` first.
    pub const ALL: [Self; 6] = [
        Self::Auto,
        Self::Sendfile,
        Self::Write,
        Self::Copying,
        Self::Zerocopy,
        Self::Handoff,
    ];

    /// The name for commands and screens.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Sendfile => "sendfile",
            Self::Write => "write",
            Self::Copying => "copying",
            Self::Zerocopy => "zerocopy",
            Self::Handoff => "handoff",
        }
    }
}

/// A receive route, as a user asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReceiveRouteChoice {
    /// The fastest that the sink allows.
    #[default]
    Auto,
    /// `recv(2)` into the array's memory; for a file, into a buffer and from there by `pwrite(2)`.
    Recv,
    /// `splice(2)` from the socket to the file.
    Splice,
    /// `recv(2)` into a mapping of the file: to compare with.
    Map,
}

impl ReceiveRouteChoice {
    /// Whether it needs a file to receive into.
    #[must_use]
    pub fn needs_file(self) -> bool {
        matches!(self, Self::Splice | Self::Map)
    }

    /// Every choice, `auto` first.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Recv, Self::Splice, Self::Map];

    /// The name for commands and screens.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Recv => "recv",
            Self::Splice => "splice",
            Self::Map => "map",
        }
    }
}
