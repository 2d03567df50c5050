//! What a web server may answer, and when: a plain Python server that is slow, odd or silent at the worst moment.

use std::time::Duration;

use rustix::process::Signal;

use crate::common::names_in;
use crate::fetch::{broken, fetching};

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with NumPy"]
fn a_fetch_that_is_cancelled_while_a_python_server_is_asked_for_the_last_time_leaves_no_file() {
    for options in ["", "--no-sync"] {
        let (dir, server, _) = broken();
        dir.folder("out");
        let url = server.url("mute-head");
        let mut process = fetching(&dir, &format!("{url} --into out --json {options}")).start();
        while !process.line().contains("\"verifying\"") {}
        std::thread::sleep(Duration::from_millis(100));
        process.signal(Signal::TERM);
        process.wait().failed(1, &["cancelled"]);
        assert!(names_in(&dir.path().join("out")).is_empty());
    }
}
