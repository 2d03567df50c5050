//! A folder of one's own, and the real binary run in it.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use socket2::{Domain, SockAddr, Socket, Type};
use tempfile::TempDir;

/// No test needs so long; one that does hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// A process that is to say something says it within this time, on a machine that is busy with other things, too.
pub(crate) const SAID_WITHIN: Duration = Duration::from_mins(2);

/// A folder that goes with its test.
pub(crate) struct Dir {
    folder: TempDir,
    runtime: TempDir,
    data: TempDir,
}

impl Dir {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            runtime: tempfile::tempdir().expect("a folder"),
            data: tempfile::tempdir().expect("a folder"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where those who run here can be attached to: nobody else's are there.
    pub(crate) fn runtime(&self) -> &Path {
        self.runtime.path()
    }

    /// Where those who run here keep what outlasts them: nobody else's is there.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, bytes).expect("writable");
        path
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir(&path).expect("a folder");
        path
    }

    /// What is in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names_in(self.path())
    }

    /// The binary, about to run in this folder and without a display.
    pub(crate) fn arraylift<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Arraylift {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arraylift"));
        command.args(arguments);
        self.program(command)
    }

    /// The binary under a limit for the size of files, in blocks of 512 bytes.
    pub(crate) fn arraylift_with_file_limit(&self, blocks: u32, arguments: &[&str]) -> Arraylift {
        let mut command = Command::new("sh");
        let script = format!("ulimit -f {blocks}; exec \"$0\" \"$@\"");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_arraylift")])
            .args(arguments);
        self.program(command)
    }

    /// The binary with at most so many descriptors.
    pub(crate) fn arraylift_with_descriptors(&self, most: u32, arguments: &str) -> Arraylift {
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {most}; exec \"$0\" \"$@\"");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_arraylift")])
            .args(arguments.split_whitespace());
        self.program(command)
    }

    /// Splits at spaces and runs.
    pub(crate) fn run(&self, arguments: &str) -> Ended {
        self.arraylift(arguments.split_whitespace()).run()
    }

    /// A receiver that listens.
    pub(crate) fn receive(&self, arguments: &str) -> Process {
        self.listen("receive", arguments)
    }

    /// A command that listens.
    pub(crate) fn listen(&self, command: &str, arguments: &str) -> Process {
        let arguments = [command].into_iter().chain(arguments.split_whitespace());
        self.arraylift(arguments).listening()
    }

    /// A program that runs the binary, about to run here.
    pub(crate) fn program(&self, mut command: Command) -> Arraylift {
        command
            .current_dir(self.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env("XDG_RUNTIME_DIR", self.runtime())
            .env("XDG_DATA_HOME", self.data())
            .env_remove("ARRAYLIFT_HISTORY")
            // Nobody else's are there, either.
            .env("TMPDIR", self.runtime());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Arraylift(command)
    }
}

/// A Unix socket whose queue is full: whoever connects waits.
pub(crate) fn full_socket(path: &Path) -> Vec<Socket> {
    let address = SockAddr::unix(path).expect("a short path");
    let new = || Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
    let listener = new();
    listener.bind(&address).expect("free");
    listener.listen(0).expect("listens");
    let mut sockets = vec![listener];
    loop {
        let filler = new();
        filler.set_nonblocking(true).expect("set");
        if filler.connect(&address).is_err() {
            return sockets;
        }
        sockets.push(filler);
    }
}

pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The binary before it runs.
pub(crate) struct Arraylift(Command);

impl Arraylift {
    /// Reads what comes from there.
    pub(crate) fn stdin(mut self, from: impl Into<Stdio>) -> Self {
        self.0.stdin(from);
        self
    }

    /// Says what it has to say there.
    pub(crate) fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.0.stdout(to);
        self
    }

    /// Complains there.
    pub(crate) fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.0.stderr(to);
        self
    }

    /// Keeping no history, whose own system calls would be refused as well.
    pub(crate) fn without_history(self) -> Self {
        self.env("ARRAYLIFT_HISTORY", "off")
    }

    /// With a variable in its environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn run(self) -> Ended {
        self.start().wait()
    }

    /// Starts it, and reads where it listens.
    pub(crate) fn listening(self) -> Process {
        let mut process = self.start();
        let line = process.line();
        let address = match serde_json::from_str::<Json>(&line) {
            Ok(object) => object["address"].as_str().map(str::to_owned),
            Err(_) => line.strip_prefix("listening on ").map(str::to_owned),
        };
        process.address = address.unwrap_or_else(|| panic!("{line:?} says no address"));
        process
    }

    pub(crate) fn start(mut self) -> Process {
        let text = format!("{:?}", self.0);
        let mut child = self.0.spawn().expect("the binary runs");
        Process {
            stdout: child.stdout.take().map(BufReader::new),
            said: String::new(),
            stderr: child.stderr.take().map(collect),
            child,
            address: String::new(),
            text,
        }
    }

    /// Runs it for a reader who has gone before the first line.
    pub(crate) fn run_unread(mut self) -> ExitStatus {
        let mut child = self.0.stderr(Stdio::null()).spawn().expect("the binary runs");
        drop(child.stdout.take());
        wait(&mut child)
    }
}

/// The binary while it runs. Killed, if it still does, when this is dropped.
pub(crate) struct Process {
    /// Where a receiver listens.
    pub address: String,
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    said: String,
    stderr: Option<JoinHandle<String>>,
    text: String,
}

impl Process {
    /// The next line of its standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.stdout.as_mut().expect("not waited for");
        if !stdout.buffer().contains(&b'\n') {
            let within = SAID_WITHIN.try_into().expect("a time");
            let ready = poll(&mut [PollFd::new(stdout.get_ref(), PollFlags::IN)], Some(&within)).expect("a pipe");
            assert!(ready > 0, "nothing more was said after {}", self.said);
        }
        stdout.read_line(&mut line).expect("UTF-8");
        self.said += &line;
        line.trim_end().to_owned()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("an id"), signal).expect("it runs");
    }

    /// Lets it hang: it does nothing at all any more, until it gets `Signal::CONT`.
    pub(crate) fn hang(&self) {
        self.signal(Signal::STOP);
        let deadline = Instant::now() + PATIENCE;
        // A thread stops at the next chance that the system takes.
        while self.thread_states().iter().any(|state| *state != 'T') {
            assert!(Instant::now() < deadline, "it does not stop");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// How many of its threads have this name.
    pub(crate) fn threads_named(&self, name: &str) -> usize {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs");
        let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
        names.filter(|there| there.trim_end() == name).count()
    }

    /// Bytes of memory that are its own now.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let resident = self.status("VmRSS:");
        1024 * resident.trim_end_matches(" kB").parse::<u64>().expect("a number")
    }

    /// How long it has kept a processor busy, in all its threads: `proc_pid_stat(5)`.
    pub(crate) fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
        let ticks = fields.split(' ').skip(11).take(2);
        // A tick is 10 ms on every Linux that this runs on.
        let ticks = ticks.map(|ticks| ticks.parse::<u64>().expect("a number"));
        Duration::from_millis(10 * ticks.sum::<u64>())
    }

    /// Whether it has a handler for a signal.
    pub(crate) fn hears(&self, signal: Signal) -> bool {
        let caught = u64::from_str_radix(&self.status("SigCgt:"), 16).expect("a mask");
        caught & (1 << (signal.as_raw() - 1)) != 0
    }

    /// A value of `proc_pid_status(5)`.
    fn status(&self, name: &str) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let value = status.lines().find_map(|line| line.strip_prefix(name));
        value.expect("a line").trim().into()
    }

    /// How many descriptors it has open, without those of the history: it is opened when there is something to write.
    pub(crate) fn descriptors(&self) -> usize {
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs");
        let files = descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        let is_of_history = |file: &Path| file.to_string_lossy().contains("/history.db");
        files.filter(|file| !is_of_history(file)).count()
    }

    fn thread_states(&self) -> Vec<char> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("it runs");
        let stats = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok());
        // The state follows the name, which is in parentheses.
        stats
            .filter_map(|stat| stat.rsplit_once(") ")?.1.chars().next())
            .collect()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its own child").is_some()
    }

    pub(crate) fn wait(mut self) -> Ended {
        // Beside it: one that has much to say does not end before it is heard.
        let stdout = self.stdout.take().map(collect);
        let status = wait(&mut self.child);
        let rest = stdout.map(|thread| thread.join().expect("UTF-8"));
        self.said += &rest.unwrap_or_default();
        let stderr = self.stderr.take().map(|thread| thread.join().expect("UTF-8"));
        Ended {
            command: self.text.clone(),
            status,
            stdout: std::mem::take(&mut self.said),
            stderr: stderr.unwrap_or_default(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What it said and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub command: String,
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(
            (self.status.code(), self.stderr.as_str()),
            (Some(0), ""),
            "{}: {self:?}",
            self.command
        );
        self
    }

    /// It failed with this exit code and one line on standard error, in which all of `hints` stand.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, hints: &[&str]) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}: {self:?}", self.command);
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert_eq!(lines.len(), 1, "{self:?}");
        assert!(lines[0].starts_with("arraylift: "), "{self:?}");
        for hint in hints {
            assert!(lines[0].contains(hint), "{hint:?} is not in {self:?}");
        }
        self
    }

    /// The objects that it printed: one a line, and nothing else.
    #[track_caller]
    pub(crate) fn objects(&self) -> Vec<Json> {
        let parsed = self
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")));
        parsed.collect()
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("its own child") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("it hangs");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    let body = move || {
        let mut text = String::new();
        from.read_to_string(&mut text).expect("UTF-8");
        text
    };
    std::thread::Builder::new()
        .name("stderr".into())
        .spawn(body)
        .expect("a thread")
}
