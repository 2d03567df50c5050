//! Transfers of the window that break, with a real service at the other end that is killed and started again.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use arraylift::internals::app::{EndpointKind, Phase, SinkKind, SourceKind};
use arraylift::{Error, EventKind, Failure, Side, Started, State};
use egui_kittest::kittest::Queryable as _;

use super::{
    App, Form, Key, RowKey, TransferId, Window, open_form, phase, recipe, sample, tell, until, until_shown, window,
};

/// Of the file that is sent; a block has a megabyte at the limit with which it is sent.
const BYTES: usize = 48 << 20;
pub(super) const LIMIT: &str = "20 MB/s";
/// So much has moved before anything breaks: some of it has been recorded.
pub(super) const SOME: u64 = 12 << 20;

/// A receiver of its own process, which is killed with this.
struct Service {
    child: Child,
    address: String,
}

impl Service {
    fn start(address: &str, inbox: &Path) -> Self {
        let mut child = program(inbox.parent().unwrap())
            .args(["serve", address, "--json", "--into"])
            .arg(inbox)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        // What it says later is read to its end, so that it never waits.
        let rest = std::thread::Builder::new().name("rest".to_owned());
        rest.spawn(move || lines.count()).unwrap();
        let told: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = told["address"].as_str().unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { child, address }
    }
}

/// The binary, which neither sees what else runs here nor keeps a history.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arraylift"));
    for variable in ["XDG_RUNTIME_DIR", "XDG_DATA_HOME", "TMPDIR"] {
        command.env(variable, folder);
    }
    command
}

impl Drop for Service {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

pub(super) struct Story {
    pub(super) window: Window,
    pub(super) folder: tempfile::TempDir,
}

impl Story {
    pub(super) fn new(retries: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let words = (0..BYTES).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes());
        let bytes: Vec<u8> = words.take(BYTES / 8).flatten().collect();
        std::fs::write(folder.path().join("a.bin"), bytes).unwrap();
        std::fs::create_dir(folder.path().join("inbox")).unwrap();
        let mut window = window();
        window.state_mut().settings_mut().retries = retries;
        Self { window, folder }
    }

    pub(super) fn inbox(&self) -> PathBuf {
        self.folder.path().join("inbox")
    }

    fn serves(&self, address: &str) -> Service {
        Service::start(address, &self.inbox())
    }

    /// Sends the file until some of it has moved.
    fn sends(&mut self, address: &str) {
        let path = self.folder.path().join("a.bin");
        let form = &mut self.window.state_mut().settings_mut().form;
        (form.source, form.path) = (SourceKind::File, path.to_str().unwrap().to_owned());
        (form.endpoint, form.send_to) = (EndpointKind::SendTo, address.to_owned());
        LIMIT.clone_into(&mut form.limit);
        self.window.run();
        open_form(&mut self.window);
        until_shown(&mut self.window, "u8 50,331,648");
        self.window.get_by_label("Start").click();
        self.has_moved_some();
    }

    pub(super) fn has_moved_some(&mut self) {
        until(&mut self.window, "moving", |app| {
            app.transfers()
                .selected()
                .is_some_and(|row| row.main_end().series.bytes() > SOME)
        });
    }

    pub(super) fn clicks(&mut self, name: &str) {
        // What comes right after the end was meant to stop it.
        std::thread::sleep(Duration::from_millis(600));
        self.window.step();
        self.window.get_by_label(name).click();
        self.window.step();
        self.window.step();
    }

    /// The same where it is not over.
    fn clicks_at_once(&mut self, name: &str) {
        self.window.get_by_label(name).click();
        self.window.step();
        self.window.step();
    }

    /// It goes off the list, and what came of it from the disk.
    pub(super) fn discards(&mut self) {
        self.clicks("Discard a.bin");
        assert!(self.window.state().transfers().rows().is_empty());
        let inbox = self.inbox();
        for _ in 0..500 {
            if names_in(&inbox).is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it stays: {:?}", names_in(&inbox));
    }

    /// It is done, and part of it had been there.
    pub(super) fn is_done(&mut self, verified: Option<bool>) {
        until(&mut self.window, "done", |app| {
            phase(app) == Some(&Phase::Done { verified })
        });
        until_shown(&mut self.window, "were there already");
        let transfers = self.window.state().transfers();
        assert_eq!(transfers.own_rows().len(), 1, "in its own row");
        let finished = transfers.selected().unwrap().main_end().finished.clone().unwrap();
        assert!(finished.resumed_bytes > 0 && finished.resumed_bytes < BYTES as u64);
        let received = std::fs::read(self.inbox().join("a.bin")).unwrap();
        assert!(
            received == std::fs::read(self.folder.path().join("a.bin")).unwrap(),
            "other bytes"
        );
    }
}

pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn a_send_whose_receiver_goes_away_is_tried_again_by_itself_until_it_is_back() {
    let mut story = Story::new(true);
    let service = story.serves("127.0.0.1:0");
    let address = service.address.clone();
    story.sends(&address);
    drop(service);
    until_shown(&mut story.window, "Trying again in ");
    story.window.get_by_label("Interrupted");
    story.window.get_by_label("Stop trying");
    until_shown(&mut story.window, "of 50.3 MB are at the receiver");
    assert_eq!(story.window.state().transfers().running(), 1, "it is not over");
    // Nobody is there for the first tries.
    until_shown(&mut story.window, "Nobody listens at 127.0.0.1:");
    let _service = story.serves(&address);
    story.is_done(Some(true));
}

#[test]
fn without_tries_by_itself_it_stays_interrupted_until_somebody_resumes_it() {
    let mut story = Story::new(false);
    let service = story.serves("127.0.0.1:0");
    let address = service.address.clone();
    story.sends(&address);
    drop(service);
    until(&mut story.window, "interrupted", |app| app.transfers().running() == 0);
    story.window.step();
    story.window.get_by_label("Interrupted: 1");
    story.window.get_by_label("Discard a.bin");
    assert!(story.window.query_by_label("Stop trying").is_none());
    let _service = story.serves(&address);
    story.clicks("Resume a.bin");
    story.is_done(Some(true));
}

#[test]
fn to_stop_trying_leaves_it_interrupted_and_now_tries_at_once() {
    let mut story = Story::new(true);
    let service = story.serves("127.0.0.1:0");
    let address = service.address.clone();
    story.sends(&address);
    drop(service);
    until_shown(&mut story.window, "Trying again in 4 s");
    story.clicks_at_once("Stop trying");
    assert_eq!(story.window.state().transfers().running(), 0);
    story.window.get_by_label("Interrupted: 1");
    story.clicks("Resume");
    until_shown(&mut story.window, "Trying again in 4 s");
    let _service = story.serves(&address);
    story.clicks_at_once("Now");
    story.is_done(Some(true));
}

#[test]
fn what_was_received_of_one_that_broke_is_removed_with_its_row() {
    let mut story = Story::new(true);
    let inbox = story.inbox();
    let form = &mut story.window.state_mut().settings_mut().form;
    (form.endpoint, form.receive_at) = (EndpointKind::ReceiveAt, "127.0.0.1:0".to_owned());
    (form.sink, form.sink_path) = (SinkKind::File, inbox.to_str().unwrap().to_owned());
    story.window.run();
    open_form(&mut story.window);
    until_shown(&mut story.window, "Listen");
    story.window.step();
    story.window.key_press_modifiers(super::Modifiers::CTRL, Key::Enter);
    let address = |app: &App| app.transfers().selected().and_then(|row| row.address.clone());
    until(&mut story.window, "listening", |app| address(app).is_some());
    let to = address(story.window.state()).unwrap();
    let mut sender = program(story.folder.path())
        .args([
            "send",
            story.folder.path().join("a.bin").to_str().unwrap(),
            &to,
            "--limit",
            "20MB/s",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    story.has_moved_some();
    sender.kill().unwrap();
    sender.wait().unwrap();
    until(&mut story.window, "interrupted", |app| app.transfers().running() == 0);
    until_shown(&mut story.window, "of 50.3 MB are here");
    assert_eq!(names_in(&inbox).len(), 2, "a part and its log");
    story.discards();
}

/// A send of 40 GB that broke after 12.1, and is tried again by itself or not.
pub(super) fn broken(app: &mut App, retries: bool) -> RowKey {
    let form = Form {
        endpoint: EndpointKind::SendTo,
        send_to: "gpu-3.example.org:25000".to_owned(),
        to: "5e9".to_owned(),
        ..Form::default()
    };
    let (key, id) = (app.transfers_mut().add(recipe(&form), 0.0), TransferId(77));
    app.transfers_mut().tie(key, id);
    let mut started = Started::default();
    started.wire = "native".into();
    started.dtype = "f64".into();
    started.shape = vec![5_000_000_000];
    started.total_bytes = Some(40_000_000_000);
    started.peer = "gpu-3.example.org:25000".into();
    started.chunk_bytes = 1 << 20;
    started.streams = 1;
    tell(app, id, Side::Sender, 0.0, EventKind::Started(Box::new(started)));
    let state = State::Transferring;
    tell(app, id, Side::Sender, 0.0, EventKind::State { state });
    for step in 0..=120_u32 {
        let bytes = f64::from(step) * 12.1e9 / 120.0;
        sample(app, id, Side::Sender, f64::from(step) * 0.05, bytes, 40_000_000_000);
    }
    let error = Error::ClosedEarly {
        missing: 27_900_000_000,
        received: 12_100_000_000,
        total: 40_000_000_000,
    };
    let told = serde_json::json!({"fault": error.fault(), "message": error.to_string(), "bytes": 12_100_000_000_u64});
    let mut failure: Failure = serde_json::from_value(told).unwrap();
    failure.error = error;
    tell(app, id, Side::Sender, 6.0, EventKind::Failed(failure.clone()));
    if retries {
        let row = app.transfers_mut().row_mut(key).unwrap();
        row.retry_after(&failure, 6.6);
    }
    key
}
