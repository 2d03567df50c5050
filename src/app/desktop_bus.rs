//! The bus over which the window talks to the desktop.

use std::time::Duration;

use zbus::blocking::{Connection, connection};

/// The desktop has so long to answer a call.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Which bus that is.
#[derive(Debug, Clone, Default)]
pub(super) enum DesktopBus {
    /// None: a window of a test tells the desktop nothing.
    #[default]
    Nowhere,
    /// That of the session.
    Session,
    /// The one with this address.
    At(String),
}

impl DesktopBus {
    /// Connects to it, however long that takes: a bus may be mute.
    ///
    /// # Errors
    /// No bus answers there.
    pub(super) fn connect(&self) -> zbus::Result<Connection> {
        let bus = match self {
            Self::Nowhere => return Err(zbus::Error::InterfaceNotFound),
            Self::Session => connection::Builder::session()?,
            Self::At(address) => connection::Builder::address(address.as_str())?,
        };
        bus.method_timeout(TIMEOUT).build()
    }
}
