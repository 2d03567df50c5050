//! Fetches of the window that break, from a web server that goes away and comes back.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arraylift::internals::app::{EndpointKind, SinkKind, SourceKind};
use egui_kittest::kittest::Queryable as _;

use super::interrupted::{LIMIT, Story, names_in};
use super::{open_form, until, until_shown};

/// A server of one file.
pub(super) struct WebServer {
    pub(super) url: String,
    served: Arc<Served>,
}

struct Served {
    bytes: Vec<u8>,
    /// It says which version that is, so that its parts are known to fit.
    says_version: bool,
    is_away: AtomicBool,
}

impl WebServer {
    pub(super) fn start(bytes: Vec<u8>, says_version: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/a.bin", listener.local_addr().unwrap());
        let served = Arc::new(Served {
            bytes,
            says_version,
            is_away: AtomicBool::new(false),
        });
        let for_peers = Arc::clone(&served);
        start(move || {
            for peer in listener.incoming() {
                let (served, peer) = (Arc::clone(&for_peers), peer.unwrap());
                // Whoever has gone meanwhile wants nothing.
                start(move || served.answer(peer).unwrap_or_default());
            }
        });
        Self { url, served }
    }

    fn goes_away(&self, is_away: bool) {
        self.served.is_away.store(is_away, Ordering::SeqCst);
    }
}

impl Served {
    fn answer(&self, mut peer: TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(peer.try_clone()?).lines();
        let is_head = lines.next().transpose()?.is_some_and(|line| line.starts_with("HEAD"));
        let mut first = None;
        for line in lines {
            let line = line?.to_ascii_lowercase();
            if let Some(range) = line.strip_prefix("range: bytes=") {
                first = range.split('-').next().and_then(|first| first.parse::<usize>().ok());
            }
            if line.is_empty() {
                break;
            }
        }
        if self.is_away.load(Ordering::SeqCst) {
            return Ok(());
        }
        let total = self.bytes.len();
        let (status, range) = match first {
            Some(first) => {
                let range = format!("Content-Range: bytes {first}-{}/{total}\r\n", total - 1);
                ("206 Partial Content", range)
            }
            None => ("200 OK", String::new()),
        };
        let body = &self.bytes[first.unwrap_or(0)..];
        let version = if self.says_version {
            "ETag: \"1\"\r\nAccept-Ranges: bytes\r\n"
        } else {
            ""
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{version}{range}\r\n",
            body.len()
        );
        peer.write_all(head.as_bytes())?;
        for piece in body.chunks(64 << 10).filter(|_| !is_head) {
            if self.is_away.load(Ordering::SeqCst) {
                break;
            }
            peer.write_all(piece)?;
        }
        Ok(())
    }
}

fn start(body: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name("web server".to_owned());
    thread.spawn(body).unwrap();
}

/// A fetch from a server that has gone away when some of the file had come.
fn broken(says_version: bool) -> (Story, WebServer) {
    let mut story = Story::new(true);
    let bytes = std::fs::read(story.folder.path().join("a.bin")).unwrap();
    let server = WebServer::start(bytes, says_version);
    let inbox = story.inbox();
    let form = &mut story.window.state_mut().settings_mut().form;
    (form.source, form.path) = (SourceKind::File, server.url.clone());
    form.endpoint = EndpointKind::ThisMachine;
    (form.sink, form.sink_path) = (SinkKind::File, inbox.to_str().unwrap().to_owned());
    LIMIT.clone_into(&mut form.limit);
    story.window.run();
    open_form(&mut story.window);
    until_shown(&mut story.window, "from 127.0.0.1:");
    until_shown(&mut story.window, "Start");
    story.window.step();
    story.window.get_by_label("Start").click();
    story.has_moved_some();
    server.goes_away(true);
    until(&mut story.window, "over", |app| app.transfers().running() == 0);
    (story, server)
}

#[test]
fn a_fetch_whose_server_goes_away_is_interrupted_and_goes_on_when_somebody_resumes_it() {
    let (mut story, server) = broken(true);
    until_shown(&mut story.window, "of 50.3 MB are here");
    story.window.get_by_label("Interrupted: 1");
    assert_eq!(names_in(&story.inbox()).len(), 2, "a part and its log");
    server.goes_away(false);
    story.clicks("Resume a.bin");
    // A web server tells no checksum.
    story.is_done(None);
    assert_eq!(names_in(&story.inbox()), ["a.bin"]);
}

#[test]
fn what_was_fetched_of_one_that_broke_is_removed_with_its_row() {
    let (mut story, _server) = broken(true);
    story.discards();
}

#[test]
fn a_fetch_that_cannot_go_on_has_failed_and_leaves_nothing() {
    let (mut story, _server) = broken(false);
    until_shown(&mut story.window, "Failed: 1");
    assert!(names_in(&story.inbox()).is_empty());
}
