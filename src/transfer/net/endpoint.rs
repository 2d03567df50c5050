//! Where a peer is.

use std::fmt;
use std::io;
use std::net::{SocketAddr, SocketAddrV6, ToSocketAddrs as _};
use std::path::{Path, PathBuf};

use socket2::SockAddr;

use crate::error::{Error, Reason, reason};
use crate::transfer::net::zone;

/// Where a peer listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `HOST:PORT`; an IPv6 address stands in brackets, with its zone if it has one: `[fe80::1%eth0]:25000`.
    Tcp(String),
    /// `unix:PATH`.
    Unix(PathBuf),
}

impl Endpoint {
    /// Reads `HOST:PORT` or `unix:PATH`. Names are looked up later.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bad = |reason: &str| Error::Endpoint {
            endpoint: text.into(),
            reason: reason.into(),
        };
        if let Some(path) = text.strip_prefix("unix:") {
            return match path {
                "" => Err(bad("a path has to follow unix:")),
                path => Ok(Self::Unix(path.into())),
            };
        }
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(bad("an endpoint is HOST:PORT, such as localhost:25000, or unix:PATH"));
        };
        if port.parse::<u16>().is_err() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad("the port after the colon is a number from 0 to 65535"));
        }
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.contains(':') && !bracketed {
            return Err(bad("an IPv6 address stands in brackets, such as [::1]:25000"));
        }
        if bracketed && matches!(zone::split(&host[1..host.len() - 1]), (_, Some(""))) {
            return Err(bad("a network interface follows the %, such as [fe80::1%eth0]:25000"));
        }
        if host.is_empty() {
            return Err(bad(
                "a host has to stand before the colon; 0.0.0.0 or [::] listens everywhere",
            ));
        }
        Ok(Self::Tcp(text.into()))
    }

    /// Its addresses as sockets take them.
    pub(crate) fn addresses(&self) -> Result<Vec<SockAddr>, Error> {
        match self {
            Self::Tcp(_) => Ok(self.tcp_addresses()?.into_iter().map(SockAddr::from).collect()),
            Self::Unix(path) => {
                let address = SockAddr::unix(path).map_err(|error| self.unusable(Some(&error)))?;
                Ok(vec![address])
            }
        }
    }

    /// Whether the system has to look a name up for its addresses, which may take its time.
    pub(crate) fn is_name(&self) -> bool {
        match self {
            Self::Tcp(text) => !text.starts_with('[') && text.parse::<SocketAddr>().is_err(),
            Self::Unix(_) => false,
        }
    }

    /// Its addresses, in the system's order of preference; none for a Unix socket.
    pub(crate) fn tcp_addresses(&self) -> Result<Vec<SocketAddr>, Error> {
        let Self::Tcp(text) = self else {
            return Ok(Vec::new());
        };
        if let Some((host, port)) = text.rsplit_once(':')
            && let Some(host) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'))
            && let (address, Some(zone)) = zone::split(host)
        {
            let unusable = |reason: Reason| Error::Endpoint {
                endpoint: self.to_string(),
                reason,
            };
            let address = address
                .parse()
                .map_err(|_| unusable("an IPv6 address stands before the %".into()))?;
            let port = port.parse().map_err(|_| unusable("it has no port".into()))?;
            let zone = zone::index(zone).map_err(unusable)?;
            return Ok(vec![SocketAddrV6::new(address, port, 0, zone).into()]);
        }
        let addresses = text.to_socket_addrs();
        Ok(addresses.map_err(|error| self.unusable(Some(&error)))?.collect())
    }

    /// The error where none of its addresses can be used, from the last one's.
    pub(crate) fn unusable(&self, last: Option<&io::Error>) -> Error {
        Error::Endpoint {
            endpoint: self.to_string(),
            reason: match (self, last) {
                (_, None) => "the name has no address".into(),
                (Self::Unix(path), Some(error)) if error.kind() == io::ErrorKind::NotFound => {
                    missing_folder(path, error)
                }
                (_, Some(error)) => reason(error),
            },
        }
    }
}

/// Why no socket can be made there.
fn missing_folder(path: &Path, error: &io::Error) -> Reason {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.exists() => {
            format!("the folder {} does not exist", folder.display()).into()
        }
        _ => reason(error),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(text) => f.write_str(text),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_and_mistakes_are_explained() {
        assert_eq!(Endpoint::parse("unix:/tmp/a"), Ok(Endpoint::Unix("/tmp/a".into())));
        assert_eq!(Endpoint::parse("[::1]:25000"), Ok(Endpoint::Tcp("[::1]:25000".into())));
        for (text, hint) in [
            ("localhost", "HOST:PORT"),
            ("a:99999", "65535"),
            ("::1:80", "brackets"),
            ("unix:", "path"),
            (":80", "host"),
            ("[fe80::1%]:80", "interface"),
        ] {
            let error = Endpoint::parse(text).expect_err(text).to_string();
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn a_zone_is_taken_by_name_and_by_number_and_shown_as_it_was_written() {
        let lo = zone::index("lo").expect("every machine has it");
        for text in ["[fe80::1%lo]:80", &format!("[fe80::1%{lo}]:80"), "[fe80::1%25lo]:80"] {
            let endpoint = Endpoint::parse(text).expect(text);
            assert_eq!(endpoint.to_string(), text);
            let wanted = SocketAddrV6::new("fe80::1".parse().expect("an address"), 80, 0, lo);
            assert_eq!(endpoint.tcp_addresses(), Ok(vec![wanted.into()]), "{text}");
        }
        for (text, hint) in [("[fe80::1%no0]:80", "interface no0"), ("[a%lo]:80", "IPv6 address")] {
            let error = Endpoint::parse(text).expect(text).tcp_addresses();
            let error = error.expect_err(text).to_string();
            assert!(error.contains(hint) && error.contains(text), "{error}");
        }
    }
}
