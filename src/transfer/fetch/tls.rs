//! TLS over a connection to a web server or a proxy, between the connection and the HTTP library.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use ureq::Error as HttpError;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, LazyBuffers, NextTimeout, Transport, TransportAdapter};

use crate::error::Error;
use crate::transfer::trust::Trust;

use super::buffers::{room, unswallowed};
use super::proxy::Origin;

/// Begins TLS with whoever is at the other end, who has to be `host`.
///
/// # Errors
/// Nobody who is trusted says so, or it is no TLS.
pub(super) fn secure<In: Transport>(
    transport: In,
    trust: &Trust,
    host: &str,
    details: &ConnectionDetails<'_>,
) -> Result<TlsTransport<In>, HttpError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| HttpError::HostNotFound)?;
    let config = trust.config().map_err(|error| HttpError::Other(error.into()))?;
    let mut connection = ClientConnection::new(config, name)
        .map_err(|error| HttpError::Io(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    let mut socket = TransportAdapter::new(transport, Arc::clone(&details.current_time));
    socket.set_timeout(details.timeout);
    connection.complete_io(&mut socket)?;
    let config = details.config;
    Ok(TlsTransport {
        buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
        stream: StreamOwned::new(connection, socket),
        origin: Origin::default(),
    })
}

/// What TLS found, where possible in words of people who make certificates.
pub(super) fn tls_error(said: &str) -> Error {
    if said.contains("InvalidContentType") {
        return Error::OtherProtocol("what answers there is not TLS: try http:// in place of https://".into());
    }
    if said.contains("HandshakeFailure") {
        let why =
            "TLS does not begin: both ends have no version, cipher or kind of key in common (P-521 keys are none)";
        return Error::OtherProtocol(why.into());
    }
    let Some(reason) = said.strip_prefix("invalid peer certificate: ") else {
        return Error::OtherProtocol(said.into());
    };
    let known = [
        (
            "not valid for any names",
            "it names no server: a common name (CN) alone counts for nothing, subjectAltName does",
        ),
        (
            "UnsupportedCertVersion",
            "its certificate is one of X.509 version 1 or 2, and cannot name a server: version 3 can",
        ),
        (
            "UnknownIssuer",
            "nobody who is trusted here has signed its certificate (--ca FILE trusts one more)",
        ),
        (
            "CaUsedAsEndEntity",
            "its certificate is one to sign others with (CA:TRUE), and none for a server: --ca FILE with it in FILE trusts it",
        ),
    ];
    let words = known.into_iter().find(|(name, _)| reason.contains(name));
    Error::NotTrusted(words.map_or_else(|| reason.into(), |(_, words)| words.into()))
}

/// A connection within TLS.
pub(super) struct TlsTransport<In: Transport> {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter<In>>,
    pub(super) origin: Origin,
}

impl<In: Transport> Transport for TlsTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), HttpError> {
        self.stream.sock.set_timeout(timeout);
        let output = self.origin.told(&self.buffers.output()[..amount]);
        Ok(self.stream.write_all(&output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, HttpError> {
        self.stream.sock.set_timeout(timeout);
        // Without close_notify the end is an error: anyone between could have made it. RFC 8446, 6.1.
        let received = self.stream.read(room(&mut self.buffers)?).map_err(unswallowed)?;
        self.buffers.input_appended(received);
        Ok(received > 0)
    }

    fn is_open(&mut self) -> bool {
        false
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl<In: Transport> fmt::Debug for TlsTransport<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport")
            .field("over", self.stream.sock.get_ref())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_in_plain_words() {
        for (said, words) in [
            (
                "certificate not valid for name \"a.example\"; certificate is not valid for any names (according to \
                 its subjectAltName extension)",
                "subjectAltName does",
            ),
            ("Other(OtherError(UnsupportedCertVersion))", "version 3 can"),
            ("UnknownIssuer", "--ca FILE"),
            ("certificate expired", "certificate expired"),
        ] {
            let error = tls_error(&format!("invalid peer certificate: {said}"));
            assert!(
                matches!(&error, Error::NotTrusted(text) if text.contains(words)),
                "{error}"
            );
        }
        let error = tls_error("received fatal alert: HandshakeFailure").to_string();
        assert!(error.contains("in common"), "{error}");
    }
}
