//! Unix sockets between users: another user's process is taken for nobody that it is not.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use crate::common::{Arraylift, Dir};

/// A user that nobody is.
pub(crate) const OTHER: &str = "54321";

fn open_to_all(path: &Path) {
    std::fs::set_permissions(path, Permissions::from_mode(0o777)).expect("it is ours");
}

/// The binary where others can run it, and a folder that is theirs.
pub(crate) struct Others {
    binary: PathBuf,
    pub(crate) folder: PathBuf,
}

impl Others {
    pub(crate) fn new(dir: &Dir) -> Self {
        open_to_all(dir.path());
        let binary = dir.path().join("arraylift");
        if std::fs::hard_link(env!("CARGO_BIN_EXE_arraylift"), &binary).is_err() {
            std::fs::copy(env!("CARGO_BIN_EXE_arraylift"), &binary).expect("room");
        }
        let folder = dir.folder("others");
        open_to_all(&folder);
        Self { binary, folder }
    }

    /// The binary as another user runs it.
    pub(crate) fn arraylift(&self, dir: &Dir, arguments: &str) -> Arraylift {
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--reuid", OTHER, "--regid", OTHER, "--clear-groups"]);
        setpriv.arg(&self.binary).args(arguments.split_whitespace());
        let program = dir.program(setpriv);
        program
            .env("XDG_RUNTIME_DIR", &self.folder)
            .env("XDG_DATA_HOME", &self.folder)
            .env("TMPDIR", &self.folder)
    }
}

#[test]
#[ignore = "needs root and setpriv: takes another user's number"]
fn another_user_who_binds_the_path_first_is_handed_nothing_unasked() {
    let dir = Dir::new();
    let others = Others::new(&dir);
    let path = others.folder.join("s");
    let arguments = format!("receive unix:{} --once --into memory --json", path.display());
    let receiver = others.arraylift(&dir, &arguments).listening();
    for command in [
        "send range:0:10",
        "send range:0:10 --send-route handoff",
        "send range:0:1e6 --streams 2",
    ] {
        dir.run(&format!("{command} {}", receiver.address))
            .failed(1, &[&receiver.address, OTHER, "--peer-user"]);
    }
    dir.run(&format!("send range:0:10 {} --peer-user {OTHER}", receiver.address))
        .done();
    let told = receiver.wait().done();
    assert_eq!(told.stdout.matches("\"stranger\"").count(), 3, "{told:?}");
}

#[test]
#[ignore = "needs root and setpriv: takes another user's number"]
fn another_user_who_can_reach_a_socket_is_refused_unless_asked_for() {
    let dir = Dir::new();
    let others = Others::new(&dir);
    dir.folder("inbox");
    let path = dir.path().join("s");
    for (command, options) in [
        ("receive", "--once --into memory"),
        ("receive", "--into inbox"),
        ("serve", "--into inbox"),
        ("serve", "--into inbox --workers 1"),
    ] {
        let service = dir.listen(command, &format!("unix:{} --json {options}", path.display()));
        open_to_all(&path);
        let send = format!("send range:0:10 unix:{}", path.display());
        let refused = others.arraylift(&dir, &send).run();
        assert_eq!(refused.status.code(), Some(1), "{command} {options}: {refused:?}");
        assert!(refused.stderr.contains("its own user and root only"), "{refused:?}");
        dir.run(&send).done();
        if !options.contains("once") {
            service.signal(Signal::TERM);
        }
        let told = service.wait().stdout;
        assert!(
            told.contains(&format!("is of user {OTHER}")),
            "{command} {options}: {told}"
        );
        assert!(told.contains("\"finished\""), "{command} {options}: {told}");
    }
    for user in [OTHER, "any"] {
        let service = dir.listen(
            "receive",
            &format!("unix:{} --once --into memory --peer-user {user}", path.display()),
        );
        open_to_all(&path);
        let send = format!("send range:0:10 unix:{}", path.display());
        others.arraylift(&dir, &send).run().done();
        service.wait().done();
    }
}

#[test]
#[ignore = "needs root and setpriv: takes another user's number"]
fn an_echo_service_and_its_clients_ask_whose_the_other_end_is() {
    let dir = Dir::new();
    let others = Others::new(&dir);
    let path = others.folder.join("s");
    let ping = format!("ping unix:{} --sizes 1 --count 1", path.display());
    let theirs = others.arraylift(&dir, &format!("serve unix:{} --echo", path.display()));
    let theirs = theirs.listening();
    dir.run(&ping).failed(1, &[OTHER, "--peer-user"]);
    dir.run(&format!("{ping} --peer-user {OTHER}")).done();
    theirs.signal(Signal::TERM);
    theirs.wait();
    let path = dir.path().join("s");
    let ping = format!("ping unix:{} --sizes 1 --count 1", path.display());
    for (user, is_taken) in [("", false), (" --peer-user any", true)] {
        let service = dir.listen("serve", &format!("unix:{} --echo{user}", path.display()));
        open_to_all(&path);
        let ended = others.arraylift(&dir, &ping).run();
        assert_eq!(ended.status.success(), is_taken, "{user}: {ended:?}");
        dir.run(&ping).done();
        service.signal(Signal::TERM);
        let told = service.wait().done();
        let is_named = told.stdout.contains(OTHER) || told.stderr.contains(OTHER);
        assert_eq!(is_named, !is_taken, "{user}: {told:?}");
    }
}

#[test]
#[ignore = "needs root and setpriv: takes another user's number"]
fn nobody_is_asked_what_runs_at_a_control_socket_that_is_another_users() {
    let dir = Dir::new();
    let others = Others::new(&dir);
    let folder = dir.runtime().join("arraylift");
    std::fs::create_dir(&folder).expect("a folder");
    open_to_all(&folder);
    open_to_all(dir.runtime());
    // Another user's program that has the name of a process of ours.
    let path = folder.join("1.sock");
    let program = others.arraylift(&dir, &format!("serve unix:{} --echo", path.display()));
    let _program = program.listening();
    for command in ["status", "attach 1"] {
        let ended = dir.run(command);
        assert_eq!(ended.status.code(), Some(1), "{command}: {ended:?}");
        assert!(ended.stderr.contains(OTHER), "{command}: {ended:?}");
    }
}

#[test]
fn a_user_that_there_is_not_is_a_mistake_of_whoever_typed_it() {
    let dir = Dir::new();
    let ended = dir.run("send range:0:10 unix:s --peer-user nosuchuser");
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(ended.stderr.contains("there is no user nosuchuser"), "{ended:?}");
}
