//! Who may be at the other end.

use std::path::Path;

use ureq::tls::{PemItem, RootCerts, parse_pem};

use crate::error::{Error, reason};

/// Whose certificates show that a server is who it should be.
#[derive(Debug, Clone)]
pub struct Trust(pub(crate) RootCerts);

impl Trust {
    /// Those that this machine's system trusts.
    #[must_use]
    pub fn system() -> Self {
        Self(RootCerts::PlatformVerifier)
    }

    /// Those in a PEM file (RFC 7468), and nobody else.
    ///
    /// # Errors
    /// There is no certificate in it.
    pub fn file(path: &Path) -> Result<Self, Error> {
        let pem = std::fs::read(path).map_err(|error| Error::SourceUnreadable {
            path: path.into(),
            reason: reason(&error),
        })?;
        let certificates: Vec<_> = parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        if certificates.is_empty() {
            return Err(Error::Usage(format!(
                "{} has no certificate in it: name a PEM file",
                path.display()
            )));
        }
        Ok(Self(certificates.into()))
    }
}
