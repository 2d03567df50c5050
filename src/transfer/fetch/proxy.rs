//! Which proxy leads to a server: the variables of the environment, read as curl reads them.

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Uri;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::Error;

/// The port of a proxy whose URL names none, as in curl.
const DEFAULT_PORT: u16 = 1080;
/// The same, where it speaks TLS.
const DEFAULT_PORT_HTTPS: u16 = 443;

/// What the environment says of proxies.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies {
    http: Option<Named>,
    https: Option<Named>,
    exempt: Vec<Exempt>,
}

/// A proxy's URL, and the variable that it stands in.
#[derive(Debug, Clone)]
struct Named {
    variable: &'static str,
    url: String,
}

/// A proxy that leads to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proxy {
    pub(super) kind: ProxyKind,
    /// Without the brackets of IPv6.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) credentials: Option<Credentials>,
    variable: &'static str,
}

/// What a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProxyKind {
    Http,
    /// The same within TLS.
    Https,
    /// The proxy looks names up where it `resolves_names`, which is SOCKS4A.
    Socks4 {
        resolves_names: bool,
    },
    /// RFC 1928. The proxy looks names up where it `resolves_names`.
    Socks5 {
        resolves_names: bool,
    },
}

/// Who asks a proxy.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    pub(super) name: String,
    pub(super) password: String,
}

/// Servers that are reached without a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exempt {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// That name, and all that end with a dot and it.
    Domain(String),
    /// Addresses that agree in so many bits.
    Range(IpAddr, u32),
}

/// What a proxy has to be told, once, before the path that the library writes. RFC 9112, 3.2.2.
#[derive(Debug, Default)]
pub(super) struct Origin(Option<String>);

impl Proxies {
    pub(super) fn of_environment() -> Self {
        Self::read(|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))
    }

    /// The same of other variables than those of the environment.
    pub(super) fn read(variable: impl Fn(&'static str) -> Option<String>) -> Self {
        // An empty one is as good as none.
        let first = |names: &[&'static str]| {
            names.iter().find_map(|name| {
                let url = variable(name).filter(|url| !url.trim().is_empty())?;
                Some(Named { variable: name, url })
            })
        };
        // A server's CGI programs get HTTP_PROXY from whoever asks.
        let https = first(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]);
        let http = first(&["http_proxy", "all_proxy", "ALL_PROXY"]);
        let exempt = first(&["no_proxy", "NO_PROXY"])
            .map(|named| named.url)
            .unwrap_or_default();
        let exempt = exempt.split(|c: char| c == ',' || c.is_whitespace());
        Self {
            http,
            https,
            exempt: exempt.filter_map(Exempt::read).collect(),
        }
    }

    /// The proxy for a URL; `None` where its server is reached without.
    ///
    /// # Errors
    /// What the environment names is no proxy that can be used.
    pub(super) fn lead_to(&self, uri: &Uri) -> Result<Option<Proxy>, Error> {
        let is_https = uri.scheme_str() == Some("https");
        let named = if is_https { &self.https } else { &self.http };
        let Some(named) = named else { return Ok(None) };
        let (host, port) = server(uri);
        if self.exempt.iter().any(|exempt| exempt.covers(host, port)) {
            return Ok(None);
        }
        named.proxy().map(Some)
    }
}

/// The host of a URL without the brackets of IPv6, and its port.
pub(super) fn server(uri: &Uri) -> (&str, u16) {
    let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
    (
        unbracketed(uri.host().unwrap_or_default()),
        uri.port_u16().unwrap_or(default),
    )
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

impl Named {
    fn proxy(&self) -> Result<Proxy, Error> {
        let wrong = |what: &str| Error::Usage(format!("{} names no proxy that can be used: {what}", self.variable));
        let (scheme, rest) = self.url.trim().split_once("://").unwrap_or(("http", self.url.trim()));
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => ProxyKind::Http,
            "https" => ProxyKind::Https,
            "socks4" => ProxyKind::Socks4 { resolves_names: false },
            "socks4a" => ProxyKind::Socks4 { resolves_names: true },
            "socks5" => ProxyKind::Socks5 { resolves_names: false },
            "socks5h" => ProxyKind::Socks5 { resolves_names: true },
            _ => {
                return Err(wrong(
                    "it has to begin with http://, https://, socks4://, socks4a://, socks5:// or socks5h://",
                ));
            }
        };
        // Of no known scheme: the standard would leave out the port that it takes for granted.
        let url = Url::parse(&format!("proxy://{rest}")).map_err(|error| wrong(&error.to_string()))?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| wrong("it has no host"))?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        Ok(Proxy {
            kind,
            host: unbracketed(host).into(),
            port: url.port().unwrap_or(match kind {
                ProxyKind::Https => DEFAULT_PORT_HTTPS,
                _ => DEFAULT_PORT,
            }),
            credentials: has_credentials.then(|| Credentials {
                name: decoded(url.username()),
                password: decoded(url.password().unwrap_or_default()),
            }),
            variable: self.variable,
        })
    }
}

impl Proxy {
    /// What it is, for people.
    pub(super) fn describe(&self) -> String {
        format!("the proxy {} of {}", self.address(), self.variable)
    }

    /// `HOST:PORT`.
    pub(super) fn address(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }

    /// The address of a server that it is told, where it looks no names up.
    pub(super) fn address_of(&self, server: &[SocketAddr]) -> Option<IpAddr> {
        let mut addresses = server.iter().map(SocketAddr::ip);
        match self.kind {
            // It knows no others.
            ProxyKind::Socks4 { resolves_names: false } => {
                let known = addresses.clone().find(IpAddr::is_ipv4);
                known.or_else(|| addresses.next())
            }
            ProxyKind::Socks5 { resolves_names: false } => addresses.next(),
            _ => None,
        }
    }

    /// Whether it is told whole URLs, and asks the server itself. To `https` and by SOCKS it only connects.
    pub(super) fn takes_whole_urls(&self, uri: &Uri) -> bool {
        matches!(self.kind, ProxyKind::Http | ProxyKind::Https) && uri.scheme_str() != Some("https")
    }

    /// The error where it does not do what it should.
    pub(super) fn error(&self, reason: impl Into<crate::error::Reason>) -> Error {
        Error::Endpoint {
            endpoint: self.describe(),
            reason: reason.into(),
        }
    }
}

impl Credentials {
    /// As HTTP has them. RFC 7617.
    pub(super) fn basic(&self) -> String {
        let Self { name, password } = self;
        format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(..)")
    }
}

impl Exempt {
    fn read(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        if let Some(range) = address_range(&text) {
            return Some(Self {
                hosts: range,
                port: None,
            });
        }
        // What is left of IPv6 with a port has brackets.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.parse().ok()),
            _ => (text.as_str(), None),
        };
        let hosts = match unbracketed(host) {
            "" => return None,
            "*" => Hosts::All,
            // A star within a name stands for itself, as in curl.
            host => address_range(host).unwrap_or_else(|| Hosts::Domain(host.trim_matches('.').into())),
        };
        Some(Self { hosts, port })
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        if self.port.is_some_and(|own| own != port) {
            return false;
        }
        match (&self.hosts, host.parse::<IpAddr>()) {
            (Hosts::All, _) => true,
            (Hosts::Range(address, bits), Ok(host)) => agree(*address, host, *bits),
            (Hosts::Domain(domain), Err(_)) => {
                let host = host.trim_end_matches('.').to_ascii_lowercase();
                let before = host.strip_suffix(domain.as_str());
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
            _ => false,
        }
    }
}

/// An address, or a range of them as `10.0.0.0/8`.
fn address_range(text: &str) -> Option<Hosts> {
    let (address, bits) = text
        .split_once('/')
        .map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| *bits <= most))?;
    Some(Hosts::Range(address, bits))
}

fn agree(a: IpAddr, b: IpAddr, bits: u32) -> bool {
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u32::from(a) ^ u32::from(b)).leading_zeros() >= bits,
        (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a) ^ u128::from(b)).leading_zeros() >= bits,
        _ => false,
    }
}

impl Origin {
    /// Of a server whose URLs are told in whole.
    pub(super) fn of(uri: &Uri) -> Self {
        let authority = uri.authority().map_or("", |at| at.as_str());
        Self(Some(format!("http://{authority}")))
    }

    /// What is sent in place of what the library writes: a method, a space and a path come first.
    pub(super) fn told(&mut self, output: &[u8]) -> Vec<u8> {
        let mut output = output.to_vec();
        if let Some(origin) = self.0.take() {
            let space = output.iter().position(|byte| *byte == b' ');
            let path = space.map_or(0, |space| space + 1);
            output.splice(path..path, origin.into_bytes());
        }
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&'static str, &str)]) -> Proxies {
        Proxies::read(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, text)| (*text).to_owned())
        })
    }

    fn leads(proxies: &Proxies, url: &str) -> Option<String> {
        let proxy = proxies.lead_to(&url.parse().expect("a URL")).expect("a proxy or none");
        proxy.map(|proxy| proxy.address())
    }

    #[test]
    fn each_scheme_has_its_variables_and_the_small_letters_come_first() {
        let all = [
            ("http_proxy", "a:1"),
            ("HTTP_PROXY", "b:1"),
            ("https_proxy", "c:1"),
            ("HTTPS_PROXY", "d:1"),
            ("all_proxy", "e:1"),
            ("ALL_PROXY", "f:1"),
        ];
        for (from, http, https) in [
            (0, Some("a:1"), Some("c:1")),
            (1, Some("e:1"), Some("c:1")),
            (3, Some("e:1"), Some("d:1")),
            (4, Some("e:1"), Some("e:1")),
            (5, Some("f:1"), Some("f:1")),
            (6, None, None),
        ] {
            let proxies = proxies(&all[from..]);
            assert_eq!(leads(&proxies, "http://x/").as_deref(), http, "{from}");
            assert_eq!(leads(&proxies, "https://x/").as_deref(), https, "{from}");
        }
        assert_eq!(leads(&proxies(&[("HTTP_PROXY", "b:1")]), "http://x/"), None);
        assert_eq!(leads(&proxies(&[("http_proxy", " ")]), "http://x/"), None);
    }

    #[test]
    fn a_proxy_has_a_kind_a_port_and_credentials() {
        for (text, kind, address, credentials) in [
            ("p", ProxyKind::Http, "p:1080", None),
            ("http://p:80/", ProxyKind::Http, "p:80", None),
            (
                "HTTP://a%40b:c%3Ad@[::1]:3128",
                ProxyKind::Http,
                "[::1]:3128",
                Some(("a@b", "c:d")),
            ),
            (
                "socks5://u@p",
                ProxyKind::Socks5 { resolves_names: false },
                "p:1080",
                Some(("u", "")),
            ),
            ("socks5h://p:9", ProxyKind::Socks5 { resolves_names: true }, "p:9", None),
            ("https://p", ProxyKind::Https, "p:443", None),
            ("https://p:3128", ProxyKind::Https, "p:3128", None),
            (
                "socks4://u@p",
                ProxyKind::Socks4 { resolves_names: false },
                "p:1080",
                Some(("u", "")),
            ),
            (
                "socks4a://p",
                ProxyKind::Socks4 { resolves_names: true },
                "p:1080",
                None,
            ),
        ] {
            let proxies = proxies(&[("all_proxy", text)]);
            let proxy = proxies
                .lead_to(&Uri::from_static("http://x/"))
                .expect(text)
                .expect(text);
            let named = proxy
                .credentials
                .as_ref()
                .map(|c| (c.name.as_str(), c.password.as_str()));
            assert_eq!(
                (proxy.kind, proxy.address().as_str(), named),
                (kind, address, credentials),
                "{text}"
            );
        }
        let basic = Credentials {
            name: "Aladdin".into(),
            password: "open sesame".into(),
        }
        .basic();
        assert_eq!(basic, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        for text in [
            "ftp://p",
            "socks://p",
            "http://",
            "http://p:x",
            "http://u:secret@p:99999",
        ] {
            let proxies = proxies(&[("all_proxy", text)]);
            let error = proxies
                .lead_to(&Uri::from_static("http://x/"))
                .expect_err(text)
                .to_string();
            assert!(error.contains("all_proxy") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn who_is_exempt_is_reached_without_a_proxy() {
        for (exempt, url, is_exempt) in [
            ("*", "http://x/", true),
            ("a.example, b.example c.example", "http://c.example/", true),
            ("a.example", "http://x.a.example/", true),
            (".a.example", "http://a.example/", true),
            ("a.example", "http://x.A.example./", true),
            ("*.a.example", "http://x.a.example/", false),
            ("a.example", "http://xa.example/", false),
            ("a.example:8080", "http://a.example:8080/", true),
            ("a.example:8080", "http://a.example/", false),
            ("a.example:443", "https://a.example/", true),
            ("10.0.0.0/8", "http://10.1.2.3/", true),
            ("10.0.0.0/8", "http://11.1.2.3/", false),
            ("0.0.0.0/0", "http://11.1.2.3/", true),
            ("10.0.0.0/33", "http://10.0.0.0/", false),
            ("127.0.0.1", "http://127.0.0.1:5/", true),
            ("127.0.0.1:6", "http://127.0.0.1:5/", false),
            ("0.0.1", "http://127.0.0.1:5/", false),
            ("::1", "http://[0:0::1]/", true),
            ("[::1]:80", "http://[::1]/", true),
            ("fe80::/10", "http://[fe80::5]/", true),
            (",", "http://x/", false),
        ] {
            let proxies = proxies(&[("all_proxy", "p"), ("NO_PROXY", exempt)]);
            assert_eq!(leads(&proxies, url).is_none(), is_exempt, "{exempt} {url}");
        }
    }
}
