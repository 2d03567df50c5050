//! Fetches where bytes that are at hand answer in place of servers and proxies: what the fuzzers drive.

use std::collections::VecDeque;
use std::io::{self, Cursor, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Uri;
use ureq::Error as HttpError;
use ureq::config::Config;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout};

use crate::error::Error;
use crate::route::receive::Inflow as _;
use crate::sys::Wake;
use crate::transfer::limits::controls::Controls;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::url::Url;
use crate::transfer::trust::Trust;

use super::answer::{FileInfo, RangeRequest};
use super::client::Client;
use super::connection::{ConnectionContext, ServerConnector, ServerTransport};
use super::proxy::Proxies;
use super::tunnel::{self, TunnelError};

const URL: &str = "http://a.example/a.npy";

/// What came of a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeardFile {
    /// Connections that were made for it.
    pub connections: usize,
    /// Bytes of files that came.
    pub bytes: u64,
    /// How often bytes were asked for.
    pub takes: u64,
}

/// Fetches a file, a part of it, and asks whether it is still the same, where each connection has the next of `answers`.
/// Bytes are taken so many at a time.
pub(crate) fn hear_server<'a>(answers: impl Iterator<Item = &'a [u8]>, piece_bytes: usize) -> HeardFile {
    let mut heard = HeardFile::default();
    // What goes wrong is what a server can do; whatever it is, nothing further is asked.
    let _ = hear_all(answers, piece_bytes, &mut heard);
    heard
}

fn hear_all<'a>(
    answers: impl Iterator<Item = &'a [u8]>,
    piece_bytes: usize,
    heard: &mut HeardFile,
) -> Result<(), Error> {
    let failed = |error: io::Error| Error::system("cannot hear a server", &error);
    let context = ConnectionContext {
        controls: Arc::new(Controls::new(None)),
        wake: Arc::new(Wake::new().map_err(failed)?),
        timeout: Duration::from_secs(30),
        buffer_bytes: None,
    };
    let connector = ServerConnector::new(context, &Arc::new(Proxies::default()), &Trust::system());
    let (mut servers, mut scripts) = (Vec::new(), VecDeque::new());
    for answer in answers {
        let (ours, mut theirs) = UnixStream::pair().map_err(failed)?;
        theirs.set_nonblocking(true).map_err(failed)?;
        // What finds no room is not sent.
        let _ = theirs.write(answer);
        theirs.shutdown(Shutdown::Write).map_err(failed)?;
        servers.push(theirs);
        scripts.push_back(ours);
    }
    let answers_in_all = scripts.len();
    let scripts = Arc::new(Mutex::new(scripts));
    let reach = ScriptedConnector {
        connector: connector.clone(),
        scripts: Arc::clone(&scripts),
    };
    let url = Url::parse(URL).unwrap_or_else(|| Err(Error::Bug(format!("{URL} is no URL"))))?;
    let client = Client::over(&url, reach, NoNames, connector);
    let mut ask = |from: u64, to: Option<u64>, known: Option<&FileInfo>| {
        let asked = client.ask(&RangeRequest { from, to, known });
        heard.connections = answers_in_all - scripts.lock().unwrap_or_else(PoisonError::into_inner).len();
        let (answer, mut body, _) = asked.map_err(|setback| setback.error)?;
        let mut buffer = vec![0; piece_bytes];
        let mut left = answer.len.unwrap_or(u64::MAX);
        while !body.is_over() {
            heard.takes += 1;
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece_bytes);
            let taken = body.take(&mut buffer[..most]).map_err(failed)? as u64;
            if taken == 0 {
                break;
            }
            body.took(taken);
            heard.bytes += taken;
            left -= taken;
        }
        Ok::<_, Error>(answer.info)
    };
    let info = ask(0, None, None)?;
    ask(1, None, Some(&info))?;
    let _ = client.is_still(&info);
    Ok(())
}

/// Asks a proxy of that URL for a way to a server, which it answers so. Gives how many bytes of the answer are left for
/// the server.
///
/// # Errors
/// There is no way.
pub(crate) fn hear_proxy(proxy: &str, answer: &[u8]) -> Result<u64, String> {
    let proxies = Proxies::read(|name| (name == "all_proxy").then(|| proxy.into()));
    let proxy = proxies
        .lead_to(&Uri::from_static(URL))
        .map_err(|error| error.to_string())?;
    let proxy = proxy.ok_or("no proxy")?;
    let mut stream = Answering(Cursor::new(answer));
    match tunnel::open(&mut stream, &proxy, ("a.example", 80)) {
        Ok(()) => Ok(answer.len() as u64 - stream.0.position()),
        Err(TunnelError::Refused(text)) => Err(text),
        Err(TunnelError::Io(error)) => Err(error.to_string()),
    }
}

/// Has the same answer whatever it is told.
struct Answering<'a>(Cursor<&'a [u8]>);

impl Read for Answering<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Write for Answering<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Each connection is the next of these sockets, and nobody listens after the last one.
#[derive(Debug)]
struct ScriptedConnector {
    connector: ServerConnector,
    scripts: Arc<Mutex<VecDeque<UnixStream>>>,
}

impl Connector for ScriptedConnector {
    type Out = ServerTransport;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Self::Out>, HttpError> {
        let next = self.scripts.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        // TLS is its library's.
        let next = next.filter(|_| !details.needs_tls());
        let socket = next.ok_or_else(|| HttpError::Io(io::ErrorKind::ConnectionRefused.into()))?;
        let connection = Connection::adopt(socket.into(), "a server".into(), None);
        let connection = connection.map_err(|error| HttpError::Other(error.into()))?;
        Ok(Some(self.connector.transport(connection, false, details)))
    }
}

/// Every name has the same address.
#[derive(Debug)]
struct NoNames;

impl Resolver for NoNames {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, HttpError> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::LOCALHOST, 80)));
        Ok(addresses)
    }
}
