//! Which route a user asks for.

/// Which send route a user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SendRouteChoice {
    /// The fastest that the source allows.
    #[default]
    Auto,
    /// `sendfile(2)` from a file, or from memory that is one.
    Sendfile,
    /// `send(2)` from memory.
    Write,
    /// `send(2)`, then a copy of the rest: the baseline to compare with.
    Copying,
}

impl SendRouteChoice {
    /// Every choice, `auto` first.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Sendfile, Self::Write, Self::Copying];

    /// The name for commands and screens.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Sendfile => "sendfile",
            Self::Write => "write",
            Self::Copying => "copying",
        }
    }
}

/// Which receive route a user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReceiveRouteChoice {
    /// The fastest that the sink allows.
    #[default]
    Auto,
    /// `recv(2)` into the array's memory; for a file, into a buffer and from there by `pwrite(2)`.
    Recv,
    /// `splice(2)` from the socket to the file.
    Splice,
}

impl ReceiveRouteChoice {
    /// Every choice, `auto` first.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Recv, Self::Splice];

    /// The name for commands and screens.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Recv => "recv",
            Self::Splice => "splice",
        }
    }
}
