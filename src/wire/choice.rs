//! Which wire a user asks for.

/// A wire by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WireChoice {
    /// A sender speaks `native`; a receiver tells `native` and `npy` apart by their first bytes.
    #[default]
    Auto,
    /// Offer, accept, blocks with checksums, result.
    Native,
    /// A `.npy` header, then the bytes.
    Npy,
    /// The bytes and nothing else.
    Raw,
}

impl WireChoice {
    /// Every choice, `auto` first.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Native, Self::Npy, Self::Raw];

    /// The name for commands and screens.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::Npy => "npy",
            Self::Raw => "raw",
        }
    }
}
