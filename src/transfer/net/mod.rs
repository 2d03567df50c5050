//! Where peers are and the connections to them.

mod attempts;
pub(crate) mod connection;
pub(crate) mod dial;
pub(crate) mod endpoint;
pub(crate) mod expected;
pub(crate) mod joins;
pub(crate) mod linger;
pub(crate) mod listener;
pub(crate) mod peer_user;
pub(crate) mod socket;
pub(crate) mod socket_file;
pub(crate) mod url;
pub(crate) mod zone;
