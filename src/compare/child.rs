//! Child processes that run contestants. They are started, read while they run, and always ended and reaped.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{self, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use super::observe::Line;
use crate::history::SWITCH;

/// How often a cancellation is looked for.
const PATIENCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

/// How long the others may go on after one has failed.
const OTHERS_TIMEOUT: Duration = Duration::from_secs(1);

/// The process that a child is to end with, whatever ended that: its id.
const PARENT: &str = "ARRAYLIFT_COMPARISON";

/// Lets this process end with the comparison that started it, however that ends; any other process is left as it is.
/// False where that has ended already.
pub(crate) fn end_with_comparison() -> bool {
    let Ok(comparison) = std::env::var(PARENT) else {
        return true;
    };
    // Where the system cannot, it is as it would be without.
    let _ = set_parent_process_death_signal(Some(Signal::TERM));
    // Looked at afterwards: it may have ended before it was asked for.
    getppid().is_some_and(|parent| parent.as_raw_pid().to_string() == comparison)
}

/// A child that prints JSON Lines. Dropping it ends it.
pub(super) struct Child {
    process: process::Child,
    out: Option<ChildStdout>,
    /// The beginning of a line whose end has not arrived.
    rest: Vec<u8>,
}

/// Why a child gave no numbers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The comparison was cancelled.
    Cancelled,
    /// What went wrong, in one line.
    Failed(String),
}

impl Child {
    /// Starts `program` in a process group of its own, so that Ctrl-C reaches only this process, which then ends it.
    pub(super) fn start(program: &Path, arguments: &[OsString]) -> Result<Self, Trouble> {
        let mut command = Command::new(program);
        command.args(arguments).process_group(0);
        command.env(PARENT, process::id().to_string());
        // What is measured is kept with the comparison.
        command.env(SWITCH, "off");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command
            .spawn()
            .map_err(|error| Trouble::Failed(format!("{} cannot be run: {error}", program.display())))?;
        let out = process.stdout.take();
        Ok(Self {
            process,
            out,
            rest: Vec::new(),
        })
    }

    /// Whether it has ended and does not say that all is well.
    fn has_failed(&mut self) -> bool {
        let status = if self.out.is_none() {
            self.process.try_wait()
        } else {
            Ok(None)
        };
        status.is_ok_and(|status| status.is_some_and(|status| !status.success()))
    }

    /// Waits for a child whose output has ended. The error is what the child wrote to standard error.
    fn end(&mut self) -> Result<(), Trouble> {
        let failed = |what: String| Trouble::Failed(what);
        let mut complaint = String::new();
        if let Some(mut errors) = self.process.stderr.take() {
            // A line or two, which end when the child does.
            let _ = errors.read_to_string(&mut complaint);
        }
        let status = self.process.wait().map_err(|error| failed(error.to_string()))?;
        let complaint = complaint.lines().last().unwrap_or_default();
        match status.success() {
            true => Ok(()),
            false if complaint.is_empty() => Err(failed(format!("it ended with {status}"))),
            false => Err(failed(complaint.trim_start_matches("arraylift: ").into())),
        }
    }

    /// Reads what has arrived; false if the output has ended.
    fn read(&mut self, told: &mut impl FnMut(Line)) -> Result<bool, Trouble> {
        let Some(out) = &mut self.out else { return Ok(false) };
        let mut buffer = [0; 16 << 10];
        let read = out
            .read(&mut buffer)
            .map_err(|error| Trouble::Failed(error.to_string()))?;
        self.rest.extend_from_slice(&buffer[..read]);
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        for line in self.rest[..whole]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let line = serde_json::from_slice(line)
                .map_err(|error| Trouble::Failed(format!("it printed a line that is not JSON: {error}")))?;
            told(line);
        }
        self.rest.drain(..whole);
        if read == 0 {
            self.out = None;
        }
        Ok(read > 0)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // A child that was waited for is not signalled again.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads the output of children until all of it has ended, or `enough` returns true. Each line goes to `told` with the
/// index of the child. Where one has failed, the others have to end soon: they may wait for it.
pub(super) fn listen(
    children: &mut [Child],
    cancelled: &AtomicBool,
    mut told: impl FnMut(usize, Line),
    mut enough: impl FnMut() -> bool,
) -> Result<(), Trouble> {
    let mut failed_at = None;
    while !enough() {
        if cancelled.load(Ordering::Relaxed) {
            return Err(Trouble::Cancelled);
        }
        let open: Vec<usize> = (0..children.len())
            .filter(|index| children[*index].out.is_some())
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let mut watched: Vec<PollFd<'_>> = children
            .iter()
            .filter_map(|child| child.out.as_ref())
            .map(|out| PollFd::new(out, PollFlags::IN))
            .collect();
        match poll(&mut watched, Some(&PATIENCE)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Trouble::Failed(error.to_string())),
        }
        let ready: Vec<bool> = watched.iter().map(|one| !one.revents().is_empty()).collect();
        for (index, _) in open.into_iter().zip(ready).filter(|(_, ready)| *ready) {
            children[index].read(&mut |line| told(index, line))?;
        }
        if let Some(failed) = children
            .iter_mut()
            .find_map(|child| child.has_failed().then_some(child))
            && failed_at.get_or_insert_with(Instant::now).elapsed() >= OTHERS_TIMEOUT
        {
            return failed.end();
        }
    }
    Ok(())
}

/// Waits for children whose output has ended.
pub(super) fn end_all(children: Vec<Child>) -> Result<(), Trouble> {
    // The child that failed first is the cause; others fail because of it.
    let ended = children.into_iter().map(|mut child| child.end());
    ended.fold(Ok(()), Result::and)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        Child::start(Path::new("/bin/sh"), &["-c".into(), script.into()]).expect("a shell")
    }

    fn events(children: &mut [Child]) -> Result<Vec<(usize, String)>, Trouble> {
        let mut events = Vec::new();
        let told = |index, line: Line| events.push((index, line.event));
        listen(children, &AtomicBool::new(false), told, || false)?;
        events.sort();
        Ok(events)
    }

    #[test]
    fn children_are_read_line_by_line_until_both_are_through() {
        let mut children = vec![
            shell(r#"printf '{"event":"a"}\n{"ev'; sleep 0.01; printf 'ent":"b"}\n'"#),
            shell(r#"echo '{"event":"c","other":[1]}'"#),
        ];
        let expected = [(0, "a".into()), (0, "b".into()), (1, "c".into())];
        assert_eq!(events(&mut children), Ok(expected.into()));
        assert_eq!(end_all(children), Ok(()));
    }

    #[test]
    fn a_child_that_fails_says_why_and_one_that_babbles_is_stopped() {
        let mut children = vec![shell("echo 'arraylift: no such thing' >&2; exit 1")];
        assert_eq!(events(&mut children), Ok(vec![]));
        assert_eq!(end_all(children), Err(Trouble::Failed("no such thing".into())));
        let mut children = vec![shell("echo hello")];
        assert!(matches!(events(&mut children), Err(Trouble::Failed(_))));
        assert!(matches!(
            Child::start(Path::new("/no/such"), &[]),
            Err(Trouble::Failed(_))
        ));
    }

    #[test]
    fn a_child_that_waits_for_one_that_has_failed_is_not_waited_for() {
        let mut children = vec![
            shell("exec sleep 600"),
            shell("echo 'arraylift: no such thing' >&2; exit 1"),
        ];
        assert_eq!(events(&mut children), Err(Trouble::Failed("no such thing".into())));
    }

    #[test]
    fn giving_up_ends_a_child_and_leaves_no_zombie() {
        let mut children = vec![shell("exec sleep 600")];
        let id = children[0].process.id();
        let gave_up = listen(&mut children, &AtomicBool::new(true), |_, _| {}, || false);
        assert_eq!(gave_up, Err(Trouble::Cancelled));
        drop(children);
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }
}
