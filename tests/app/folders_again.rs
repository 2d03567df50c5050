//! Folders that a real process sends or receives at the other end: one whose transfer breaks and goes on, and one whose
//! files replace others.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use arraylift::internals::app::{App, EndpointKind, Phase, SinkKind};
use egui_kittest::kittest::Queryable as _;

use super::files::Dropped;
use super::trees::items_of;
use super::{Window, moved, open_form, phase, until, until_shown, window};

/// Of the large file.
const BYTES: usize = 48 << 20;
/// So much has moved before anything breaks.
const SOME: u64 = 12 << 20;

/// A process that ends with this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The binary, which sees nothing of what else runs here.
fn program(base: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arraylift"));
    for variable in ["XDG_RUNTIME_DIR", "XDG_DATA_HOME", "TMPDIR"] {
        command.env(variable, base);
    }
    command.current_dir(base).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A service into `inbox`, and its address.
fn serves(base: &Path, address: &str) -> (Running, String) {
    let arguments = ["serve", address, "--json", "--keep-free", "0", "--into", "inbox"];
    let mut child = program(base).args(arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    // What it says later is read to its end, so that it never waits.
    let rest = std::thread::Builder::new().name("rest".to_owned());
    rest.spawn(move || lines.count()).unwrap();
    (Running(child), told["address"].as_str().unwrap().to_owned())
}

/// A folder with a large file and a small one, and an inbox.
fn base() -> tempfile::TempDir {
    let base = tempfile::tempdir().unwrap();
    let words = (0..BYTES / 8).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes());
    std::fs::create_dir_all(base.path().join("runs/sub")).unwrap();
    std::fs::create_dir(base.path().join("inbox")).unwrap();
    std::fs::write(base.path().join("runs/sub/large"), words.flatten().collect::<Vec<u8>>()).unwrap();
    std::fs::write(base.path().join("runs/small"), "s").unwrap();
    base
}

/// A window that waits for a sender into `inbox`, and the address.
fn listens(base: &Path, replacing: bool) -> (Window, String) {
    let mut window = window();
    let inbox = base.join("inbox");
    let form = &mut window.state_mut().settings_mut().form;
    (form.endpoint, form.receive_at) = (EndpointKind::ReceiveAt, "127.0.0.1:0".to_owned());
    (form.sink, form.sink_path) = (SinkKind::File, inbox.to_str().unwrap().to_owned());
    window.run();
    open_form(&mut window);
    if replacing {
        window.get_by_label("Allow replacing").click();
        window.run();
    }
    until(&mut window, "ready", App::can_start);
    window.get_by_label("Listen").click();
    let address = |app: &App| app.transfers().selected().and_then(|row| row.address.clone());
    until(&mut window, "listening", |app| address(app).is_some());
    let address = address(window.state()).unwrap();
    (window, address)
}

fn is_verified(app: &App) -> bool {
    matches!(phase(app), Some(Phase::Done { verified: Some(true) }))
}

fn is_interrupted(window: &mut Window) {
    until(window, "interrupted", |app| app.transfers().running() == 0);
    window.step();
    window.get_by_label("Interrupted: 1");
    // What comes right after the end was meant to stop it.
    std::thread::sleep(Duration::from_millis(600));
    window.step();
}

/// All of it arrived, in the row that it had, and part of it had been there.
fn is_whole(window: &mut Window, base: &Path) {
    until(window, "done", is_verified);
    until_shown(window, "were there already");
    let transfers = window.state().transfers();
    assert_eq!(transfers.own_rows().len(), 1, "in its own row");
    let finished = transfers.selected().unwrap().main_end().finished.clone().unwrap();
    assert!(finished.resumed_bytes > 0 && finished.resumed_bytes < BYTES as u64);
    for name in ["sub/large", "small"] {
        let read = |root: &str| std::fs::read(base.join(root).join(name)).unwrap();
        assert!(read("inbox/runs") == read("runs"), "{name}");
    }
}

#[test]
fn a_folder_whose_receiver_went_away_is_resumed_within_its_large_file() {
    let base = base();
    let (service, address) = serves(base.path(), "127.0.0.1:0");
    let mut window = window();
    let settings = window.state_mut().settings_mut();
    settings.retries = false;
    (settings.form.endpoint, settings.form.send_to) = (EndpointKind::SendTo, address.clone());
    "20 MB/s".clone_into(&mut settings.form.limit);
    let runs = Dropped(base.path().join("runs"));
    window.input_mut().dropped_files.push(Arc::new(runs));
    window.step();
    window.input_mut().dropped_files.clear();
    window.run();
    open_form(&mut window);
    until_shown(&mut window, "2 files in 1 folder, ");
    until(&mut window, "ready", App::can_start);
    window.get_by_label("Start").click();
    until(&mut window, "moving", |app| moved(app) > SOME);
    drop(service);
    is_interrupted(&mut window);
    let _service = serves(base.path(), &address);
    window.get_by_label("Resume runs").click();
    is_whole(&mut window, base.path());
}

#[test]
fn what_is_replaced_where_that_is_allowed_arrives_and_where_it_is_not_stays() {
    for (allowed, expected) in [(true, "new and longer"), (false, "old")] {
        let base = base();
        let arrived = base.path().join("inbox/runs/small");
        std::fs::create_dir(arrived.parent().unwrap()).unwrap();
        std::fs::write(&arrived, "old").unwrap();
        std::fs::write(base.path().join("runs/small"), "new and longer").unwrap();
        let (mut window, address) = listens(base.path(), allowed);
        let sent = program(base.path())
            .args(["send", "runs", &address, "--replace"])
            .status()
            .unwrap();
        assert_eq!(sent.code(), Some(i32::from(!allowed)));
        until(&mut window, "over", |app| app.transfers().running() == 0);
        assert_eq!(std::fs::read_to_string(&arrived).unwrap(), expected);
        let items = items_of(&window);
        assert_eq!(items.failed, u64::from(!allowed), "{items:?}");
        assert!(base.path().join("inbox/runs/sub/large").exists());
    }
}
