//! Who may be at the other end.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
};

use crate::error::{Error, reason};

/// Whose certificates show that a server is who it should be.
#[derive(Debug, Clone)]
pub struct Trust {
    kind: Kind,
    /// Made for the first connection: what the system trusts takes milliseconds to read. Further ones resume sessions.
    config: Arc<OnceLock<Arc<ClientConfig>>>,
}

#[derive(Debug, Clone)]
enum Kind {
    System,
    /// Certificates that were named.
    Named(Arc<NamedCertificates>),
}

impl Trust {
    /// Those that this machine's system trusts.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Kind::System)
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
        let usage = |what: String| Error::Usage(format!("{} has {what}: name a PEM file", path.display()));
        // One that was left out would be missed only when a server shows it.
        let certificates: Vec<_> = CertificateDer::pem_slice_iter(&pem)
            .map(|certificate| certificate.map(CertificateDer::into_owned))
            .collect::<Result<_, _>>()
            .map_err(|error| usage(format!("a certificate that cannot be read ({error})")))?;
        if certificates.is_empty() {
            return Err(usage("no certificate in it".into()));
        }
        let named = NamedCertificates::new(certificates)
            .map_err(|error| usage(format!("no certificate in it that can be used ({error})")))?;
        Ok(Self::new(Kind::Named(Arc::new(named))))
    }

    /// What a connection to a server begins TLS with.
    ///
    /// # Errors
    /// What the system trusts cannot be read.
    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let failed = |error: TlsError| Error::NotTrusted(format!("what this system trusts cannot be read: {error}"));
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match &self.kind {
            Kind::System => Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(&provider)).map_err(failed)?),
            Kind::Named(named) => Arc::clone(named) as _,
        };
        let builder = ClientConfig::builder_with_provider(provider);
        let config = builder
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Arc::clone(self.config.get_or_init(|| Arc::new(config))))
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            config: Arc::default(),
        }
    }
}

/// Trusts servers whose certificates were named, or were signed by one that was.
#[derive(Debug)]
struct NamedCertificates {
    certificates: Vec<CertificateDer<'static>>,
    by_chain: Arc<WebPkiServerVerifier>,
}

impl NamedCertificates {
    fn new(certificates: Vec<CertificateDer<'static>>) -> Result<Self, Box<dyn std::error::Error>> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
        let by_chain = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        Ok(Self { certificates, by_chain })
    }
}

impl ServerCertVerifier for NamedCertificates {
    /// As any chain is verified. A certificate that was named itself may be one to sign others with, too (CA:TRUE):
    /// `openssl req -x509` makes such ones. The chain's verifier refuses them after it has looked at their dates, and
    /// before it looks at their names.
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verified = self
            .by_chain
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            Err(TlsError::InvalidCertificate(why))
                if signs_others(&why) && self.certificates.iter().any(|named| named == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.by_chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.by_chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_chain.supported_verify_schemes()
    }
}

/// Whether a certificate is refused because it is one to sign others with. That error has no variant of its own.
fn signs_others(why: &CertificateError) -> bool {
    matches!(why, CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity"))
}
