//! Asks a web server, and finds out what its answer leads to.

use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::{LOCATION, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use rustix::net::{RecvFlags, recv};
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::{ConnectionDetails, Connector, Either, Transport};
use ureq::{Agent, BodyReader, Error as HttpError};

use crate::error::{Error, reason};
use crate::route::receive::Inflow;
use crate::transfer::net::url::Url;
use crate::transfer::trust::Trust;
use crate::units;

use super::answer::{Answer, FileInfo, RangeRequest, Refusal, read, retry_after};
use super::connection::{ConnectionContext, IoCost, ServerConnection, ServerConnector, ServerResolver};
use super::proxy::Proxies;
use super::setback::{RETRY_AFTER_MAX, Setback};
use super::tls::{TlsTransport, secure, tls_error};

const REDIRECTS_MAX: u32 = 10;
/// Read at once where the library has to see the bytes first.
const INPUT_BYTES: usize = 256 << 10;
/// The most that the head of an answer has. The library compares all that it holds with this, what follows another
/// head (1xx) as well: less than what is read at once would refuse a short head before many bytes.
const HEAD_BYTES_MAX: usize = INPUT_BYTES;
const USER_AGENT: &str = concat!("arraylift/", env!("CARGO_PKG_VERSION"));

/// Asks for one file.
pub(super) struct Client {
    agent: Agent,
    connector: ServerConnector,
    url: Url,
}

/// What comes of a file, byte by byte.
pub(super) struct Body {
    reader: BodyReader<'static>,
    connection: Arc<ServerConnection>,
    /// What the library does not hold lies in the socket as it is.
    is_bare: bool,
    /// Bytes that are still to come, where that is known.
    left: Option<u64>,
    /// How long the server may send nothing of the file, whatever else it sends.
    timeout: Duration,
    /// What came after bytes that had to be given away first.
    error: Option<io::Error>,
}

/// Wraps connections to `https` URLs. The last link: the request is sent over what it hands on.
#[derive(Debug)]
struct TlsConnector {
    connector: ServerConnector,
}

impl Client {
    pub(super) fn new(url: &Url, trust: &Trust, context: ConnectionContext) -> Self {
        let proxies = Arc::new(Proxies::of_environment());
        let connector = ServerConnector::new(context.clone(), &proxies, trust);
        let resolver = ServerResolver { context, proxies };
        Self::over(url, connector.clone(), resolver, connector)
    }

    /// One that has names looked up by `resolver`, and connections made by `reach`, which `connector` knows of.
    pub(super) fn over(url: &Url, reach: impl Connector, resolver: impl Resolver, connector: ServerConnector) -> Self {
        let timeout = Some(connector.context.timeout);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // They are chosen here, by the scheme of each URL.
            .proxy(None)
            // They are followed here, where the way is looked at.
            .max_redirects(0)
            .user_agent(USER_AGENT)
            // The file, not what a server makes of it.
            .accept_encoding("identity")
            .input_buffer_size(INPUT_BYTES)
            .max_response_header_size(HEAD_BYTES_MAX)
            .timeout_resolve(timeout)
            .timeout_connect(timeout)
            .timeout_per_read(timeout)
            .timeout_per_write(timeout)
            .max_idle_connections(0)
            .build();
        let chain = reach.chain(TlsConnector {
            connector: connector.clone(),
        });
        Self {
            agent: Agent::with_parts(config, chain, resolver),
            connector,
            url: url.clone(),
        }
    }

    /// Asks, and reads the head of the answer. Returns where it came from, too: redirects may have led there.
    ///
    /// # Errors
    /// No answer came, or not the one that was asked for.
    pub(super) fn ask(&self, request: &RangeRequest<'_>) -> Result<(Answer, Body, Url), Setback> {
        let mut url = self.url.clone();
        for _ in 0..=REDIRECTS_MAX {
            let response = self.send(&Method::GET, &url, request)?;
            let Some(location) = location(&response) else {
                let (answer, body) = self.answered(&url, request, response)?;
                return Ok((answer, body, url));
            };
            url = url.redirected(location.as_bytes())?;
        }
        Err(Setback::from(Error::Url {
            url: self.url.to_string(),
            reason: format!("it leads elsewhere more than {REDIRECTS_MAX} times").into(),
        }))
    }

    /// Asks, after the last byte, whether the file is still the one that was `known`; `None` where that is not told.
    pub(super) fn is_still(&self, known: &FileInfo) -> Option<bool> {
        let all = RangeRequest {
            from: 0,
            to: None,
            known: None,
        };
        match self.look(&Method::HEAD, &all, known) {
            Ok(Some(true)) => return Some(true),
            Err(Error::Silent(_)) => return None,
            Ok(_) | Err(_) => {}
        }
        // Not every server answers HEAD, some say less, and some lie. What is asked for is one byte.
        let first = RangeRequest { to: Some(1), ..all };
        self.look(&Method::GET, &first, known).ok().flatten()
    }

    /// Whether what the server tells of the file agrees with what was `known`; `None` where it names no version.
    fn look(&self, method: &Method, request: &RangeRequest<'_>, known: &FileInfo) -> Result<Option<bool>, Error> {
        let response = self.send(method, &self.url, request)?;
        // Nobody reads what follows.
        drop(self.connector.take_last());
        let answer = read(request, response.status(), response.headers()).map_err(|refusal| self.refused(refusal))?;
        Ok(known.is_still(&answer.info))
    }

    /// Sends one request, and waits for the head of its answer.
    fn send(&self, method: &Method, url: &Url, request: &RangeRequest<'_>) -> Result<Response<ureq::Body>, Error> {
        let uri = url.uri()?;
        self.connector.set_scope(url.scope_id()?);
        let proxy = self
            .connector
            .proxies
            .lead_to(&uri)?
            .filter(|proxy| proxy.takes_whole_urls(&uri));
        let mut builder = match *method {
            Method::HEAD => self.agent.head(uri),
            _ => self.agent.get(uri),
        };
        if let Some(credentials) = proxy.as_ref().and_then(|proxy| proxy.credentials.as_ref()) {
            builder = builder.header(PROXY_AUTHORIZATION, credentials.basic());
        }
        for (name, value) in request.headers() {
            builder = builder.header(name, value);
        }
        let response = builder.call().map_err(|error| self.error(url, error))?;
        match proxy {
            Some(proxy) if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Err(proxy.error("it asks for a name and a password in its URL"))
            }
            _ => Ok(response),
        }
    }

    /// Reads the head of an answer that is no redirect.
    fn answered(
        &self,
        url: &Url,
        request: &RangeRequest<'_>,
        response: Response<ureq::Body>,
    ) -> Result<(Answer, Body), Setback> {
        let answer = read(request, response.status(), response.headers())
            .map_err(|refusal| self.set_back(refusal, response.status(), response.headers()))?;
        let connection = self.connector.take_last();
        let connection = connection.ok_or_else(|| Error::Bug("a server answered over no connection".into()))?;
        let is_bare = answer.is_bare && !url.is_https() && !connection.is_to_tls_proxy();
        let body = Body {
            reader: response.into_body().into_with_config().limit(u64::MAX).reader(),
            connection,
            is_bare,
            left: answer.len,
            timeout: self.connector.context.timeout,
            error: None,
        };
        Ok((answer, body))
    }

    fn set_back(&self, refusal: Refusal, status: StatusCode, headers: &HeaderMap) -> Setback {
        // An answer that has bytes of another version is none to a request: the file has changed.
        let refused = refusal != Refusal::Changed || !status.is_success();
        let begin_again = match refusal {
            Refusal::Changed => Some("the file was changed on its server"),
            Refusal::Unproven => Some("the server did not name the version of what it sent next"),
            Refusal::Status(_) | Refusal::Broken(_) => None,
        };
        let retry_after = match refusal {
            Refusal::Status(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => {
                retry_after(headers, SystemTime::now())
            }
            _ => None,
        };
        let mut error = self.refused(refusal);
        if let (Error::Answered { meaning, .. }, Some(wait)) = (&mut error, retry_after)
            && wait > RETRY_AFTER_MAX
        {
            *meaning = format!(
                "{meaning}, and asks to be left alone for {}",
                units::time(wait.as_secs_f64())
            );
        }
        Setback {
            error,
            begin_again,
            refused,
            retry_after,
        }
    }

    fn refused(&self, refusal: Refusal) -> Error {
        let url = self.url.to_string();
        match refusal {
            Refusal::Status(status) => Error::Answered {
                url,
                status: status.as_u16(),
                meaning: format!(
                    "{}{}",
                    status.canonical_reason().unwrap_or("(unknown)"),
                    self.way()
                        .map_or_else(String::new, |proxy| format!(", by way of {proxy}"))
                ),
            },
            Refusal::Changed => Error::ChangedThere(url),
            Refusal::Unproven => Error::Protocol("a part that it sends does not name its version".into()),
            Refusal::Broken(text) => Error::Protocol(text),
        }
    }

    /// The proxy that hands on whole answers, where there is one: it may as well have made them.
    fn way(&self) -> Option<String> {
        let uri = self.url.uri().ok()?;
        let proxy = self.connector.proxies.lead_to(&uri).ok()??;
        proxy.takes_whole_urls(&uri).then(|| proxy.describe())
    }

    fn error(&self, url: &Url, error: HttpError) -> Error {
        let server = url.server();
        match error {
            HttpError::Io(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => Error::NobodyListening(server),
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::Interrupted => Error::ClosedWhile("before it answered"),
                // So does TLS say that it does not like what it reads.
                io::ErrorKind::InvalidData => tls_error(&error.to_string()),
                _ => Error::Endpoint {
                    endpoint: server,
                    reason: reason(&error),
                },
            },
            HttpError::LargeResponseHeader(..) => Error::OtherProtocol(format!(
                "the head of the answer has more than {} KiB",
                HEAD_BYTES_MAX >> 10
            )),
            HttpError::Timeout(_) => Error::Silent(self.connector.context.timeout),
            HttpError::HostNotFound => Error::Endpoint {
                endpoint: server,
                reason: "the name has no address".into(),
            },
            HttpError::Other(error) if error.is::<Error>() => error
                .downcast()
                .map_or_else(|error| Error::OtherProtocol(error.to_string()), |error| *error),
            other => Error::OtherProtocol(other.to_string()),
        }
    }
}

/// Where the file is instead. 304 is no redirect: it says that nothing has changed. RFC 9110, 15.4.
fn location(response: &Response<ureq::Body>) -> Option<&HeaderValue> {
    let status = response.status();
    let leads_elsewhere = status.is_redirection() && status != StatusCode::NOT_MODIFIED;
    response.headers().get(LOCATION).filter(|_| leads_elsewhere)
}

impl Body {
    pub(super) fn connection(&self) -> &Arc<ServerConnection> {
        &self.connection
    }

    /// Whether its bytes can be taken from the socket itself, without being seen first.
    pub(super) fn is_bare(&self) -> bool {
        self.is_bare
    }

    /// Whether everything that was to come has come.
    pub(super) fn is_over(&self) -> bool {
        self.left == Some(0)
    }

    /// So many bytes were taken.
    pub(super) fn took(&mut self, bytes: u64) {
        self.left = self.left.map(|left| left.saturating_sub(bytes));
    }

    pub(super) fn take_cost(&self) -> IoCost {
        self.connection.take_cost()
    }

    /// Reads what the library has, record by record or chunk by chunk, and waits only for the first one.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        self.connection.expect_within(self.timeout);
        let mut filled = self.reader.read(into)?;
        while filled > 0 && filled < into.len() && self.connection.held_bytes() > 0 {
            match self.reader.read(&mut into[filled..]) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) => {
                    self.error = Some(error);
                    break;
                }
            }
        }
        Ok(filled)
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport<In>>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, HttpError> {
        let Some(transport) = chained else { return Ok(None) };
        self.connector.expect();
        if !details.needs_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        // The brackets of IPv6 belong to the URL.
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let secured = secure(transport, &self.connector.trust, host, details)?;
        self.connector.expect();
        Ok(Some(Either::B(secured)))
    }
}

impl Inflow for Body {
    fn take(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let held = self.connection.held_bytes();
        if self.is_bare && held == 0 {
            let (received, _) = recv(&self.connection, into, RecvFlags::empty())?;
            return Ok(received);
        }
        let most = if self.is_bare { held.min(into.len()) } else { into.len() };
        self.read(&mut into[..most])
    }

    fn socket(&self) -> Option<BorrowedFd<'_>> {
        (self.is_bare && self.connection.held_bytes() == 0).then(|| self.connection.as_fd())
    }
}
