//! The binary where one system call fails once. `tests/peers/fail_once.py` decides which: it needs Python.

use std::path::PathBuf;
use std::process::Command;

use crate::common::{Arraylift, Dir};

/// A system call, and where only some are meant, what their arguments are: `5=1`, or which bits they have: `0&65536`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) number: i64,
    pub(crate) only: &'static [&'static str],
}

/// Makes a thread.
pub(crate) const NEW_THREAD: Call = Call {
    number: libc::SYS_clone,
    // CLONE_THREAD
    only: &["0&65536"],
};
/// Makes a process that becomes another program.
pub(crate) const NEW_PROCESS: Call = Call {
    number: libc::SYS_clone,
    // CLONE_VFORK
    only: &["0&16384"],
};

impl Call {
    pub(crate) const fn any(number: i64) -> Self {
        Self { number, only: &[] }
    }

    pub(crate) const fn only(number: i64, only: &'static [&'static str]) -> Self {
        Self { number, only }
    }
}

/// The binary, for which the `nth` such call fails, from 1.
pub(crate) fn failing_once(dir: &Dir, call: Call, error: i32, nth: u32, arguments: &str) -> Arraylift {
    // One that was told before is another's.
    let _ = std::fs::remove_file(told(dir));
    let python = std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set");
    let mut command = Command::new(python);
    command
        .args(["-S", "-E", "-s"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/fail_once.py"))
        .arg(told(dir))
        .args([call.number.to_string(), error.to_string(), nth.to_string()])
        .args(call.only)
        .args(["--", env!("CARGO_BIN_EXE_arraylift")])
        .args(arguments.split_whitespace());
    dir.program(command)
}

/// Whether there was such a call, which has failed.
pub(crate) fn has_failed(dir: &Dir) -> bool {
    told(dir).exists()
}

fn told(dir: &Dir) -> PathBuf {
    dir.runtime().join("failed")
}
