//! Asks a real NumPy.

use std::process::{Command, Stdio};

/// Runs a script in the Python that `ARRAYLIFT_PYTHON` names and returns what it writes.
pub(crate) fn run(script: &str, input: &str) -> Vec<u8> {
    let python = std::env::var_os("ARRAYLIFT_PYTHON").expect("ARRAYLIFT_PYTHON is set");
    // From a file: neither side waits for the other.
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), input).expect("the input is written");
    let output = Command::new(python)
        .args(["-c", script])
        .stdin(file.reopen().expect("the input"))
        .stderr(Stdio::inherit())
        .output()
        .expect("Python runs");
    assert!(output.status.success());
    output.stdout
}
