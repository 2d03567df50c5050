//! A window in which nothing moves draws nothing: its thread sleeps.

use super::*;

/// So long it is watched.
const WATCHED: Duration = Duration::from_secs(5);

impl Window {
    /// How often its thread, which draws, has gone to sleep so far: once a frame at least.
    fn rests(&self) -> u64 {
        let pid = self.program.borrow().id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/status")).unwrap();
        let told = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        told.unwrap().trim().parse().unwrap()
    }

    fn rests_while_watched(&self) -> u64 {
        let before = self.rests();
        std::thread::sleep(WATCHED);
        self.rests() - before
    }

    /// Waits until nothing is left to be done.
    fn comes_to_rest(&self) {
        until(|| {
            let before = self.rests();
            std::thread::sleep(Duration::from_secs(1));
            (self.rests() == before).then_some(())
        });
    }
}

#[test]
#[ignore = "needs an X display and xdotool"]
fn a_window_that_is_left_alone_draws_no_frame_before_a_transfer_and_after_it() {
    let window = Window::open_as_left::<&str>(&[], r#"(form:(to:"1e7",limit:"10 MB/s"))"#);
    window.xdotool(&["mousemove", "99999", "99999"]);
    let sleeps = |when: &str| {
        window.comes_to_rest();
        let rests = window.rests_while_watched();
        assert!(rests <= 2, "{when} it woke {rests} times in {WATCHED:?}");
    };
    sleeps("before a transfer");
    window.key("ctrl+Return");
    window.wait_for_title("transferring");
    // Two frames a second at least, wherever it is.
    let rests = window.rests_while_watched();
    assert!(rests >= 8, "while it moves it draws: {rests}");
    window.wait_for_title("done 80.0 MB");
    sleeps("when it is done");
    window.key("ctrl+q");
    window.closes_with_success();
}
