//! Reads the cost of a run from its JSON Lines. It is pure: lines in, numbers out.

use serde::Deserialize;

use super::measured::Measured;

/// The fields of a JSON line that are read here.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Line {
    pub(super) event: String,
    #[serde(default)]
    side: String,
    #[serde(default)]
    elapsed_s: f64,
    #[serde(default)]
    bytes: u64,
    #[serde(default)]
    rate_bytes_per_s: f64,
    verified: Option<bool>,
    syscalls: Option<u64>,
    #[serde(default)]
    page_faults: u64,
    #[serde(default)]
    copied_bytes: u64,
    #[serde(default)]
    cpu_user_s: f64,
    #[serde(default)]
    cpu_system_s: f64,
    #[serde(default)]
    cpu_s: f64,
    #[serde(default)]
    peak_resident_bytes: u64,
    /// The address of a receiver that listens.
    pub(super) address: Option<String>,
}

/// What the lines of a run have said so far.
#[derive(Debug, Default)]
pub(super) struct Observed {
    sender: Counted,
    receiver: Counted,
    first_byte_s: Option<f64>,
    /// When both ends agreed, by the receiver's clock, which begins with the connection.
    agreed_s: f64,
    process_cpu_s: f64,
    peak_bytes: u64,
    /// How the side whose clock counts ended.
    finished: Option<Line>,
}

#[derive(Debug, Default)]
struct Counted {
    syscalls: u64,
    page_faults: u64,
    copied_bytes: u64,
    cpu_s: f64,
}

impl Line {
    /// How long the transfer took that it says the end of.
    fn seconds(&self) -> f64 {
        if self.rate_bytes_per_s > 0.0 {
            self.bytes as f64 / self.rate_bytes_per_s
        } else {
            self.elapsed_s
        }
    }
}

impl Observed {
    /// Reads a line; `timed_by` is the side whose clock counts.
    pub(super) fn take(&mut self, line: Line, timed_by: &str) {
        match line.event.as_str() {
            "sample" => {
                let is_receiver = line.side == "receiver";
                if is_receiver && line.bytes > 0 && self.first_byte_s.is_none() {
                    self.first_byte_s = Some(line.elapsed_s);
                }
                if let Some(syscalls) = line.syscalls {
                    let side = if is_receiver {
                        &mut self.receiver
                    } else {
                        &mut self.sender
                    };
                    *side = Counted {
                        syscalls,
                        page_faults: line.page_faults,
                        copied_bytes: line.copied_bytes,
                        cpu_s: line.cpu_user_s + line.cpu_system_s,
                    };
                }
            }
            "process" => {
                self.process_cpu_s += line.cpu_s;
                self.peak_bytes += line.peak_resident_bytes;
            }
            "started" if line.side == "receiver" => self.agreed_s = line.elapsed_s,
            "finished" if line.side == timed_by => self.finished = Some(line),
            _ => {}
        }
    }

    /// The numbers of a run that should have moved `bytes`; `held_bytes` of its memory are the array's own. The error
    /// says why there are no numbers.
    pub(super) fn measured(self, round: u32, bytes: u64, held_bytes: u64, verify: bool) -> Result<Measured, String> {
        let finished = self.finished.ok_or("it ended without a result")?;
        if finished.bytes != bytes {
            return Err(format!("{} bytes moved, not {bytes}", finished.bytes));
        }
        if verify && finished.verified != Some(true) {
            return Err("it was not verified".into());
        }
        let rate_bytes_per_s = finished.rate_bytes_per_s;
        let both = |count: fn(&Counted) -> u64| count(&self.sender) + count(&self.receiver);
        Ok(Measured {
            round,
            seconds: finished.seconds(),
            rate_bytes_per_s,
            first_byte_s: self.first_byte_s.map(|landed_s| (landed_s - self.agreed_s).max(0.0)),
            cpu_s: self.sender.cpu_s + self.receiver.cpu_s,
            process_cpu_s: self.process_cpu_s,
            syscalls: both(|side| side.syscalls),
            page_faults: both(|side| side.page_faults),
            copied_bytes: both(|side| side.copied_bytes),
            peak_bytes: self.peak_bytes,
            beyond_bytes: self.peak_bytes.saturating_sub(held_bytes),
            verified: finished.verified,
            cold: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(lines: &[&str]) -> Observed {
        let mut observed = Observed::default();
        for line in lines {
            observed.take(serde_json::from_str(line).expect("a line"), "receiver");
        }
        observed
    }

    const LINES: [&str; 8] = [
        r#"{"event":"started","side":"receiver","elapsed_s":0.001,"shape":[10]}"#,
        r#"{"event":"sample","side":"receiver","elapsed_s":0.001,"bytes":0,"rate_bytes_per_s":0.0}"#,
        r#"{"event":"sample","side":"receiver","elapsed_s":0.002,"bytes":40,"rate_bytes_per_s":0.0}"#,
        r#"{"event":"sample","side":"sender","elapsed_s":0.003,"bytes":80,"syscalls":3,"page_faults":1,"copied_bytes":0,"cpu_user_s":0.1,"cpu_system_s":0.2}"#,
        r#"{"event":"sample","side":"receiver","elapsed_s":0.01,"bytes":80,"syscalls":5,"page_faults":2,"copied_bytes":80,"cpu_user_s":0.3,"cpu_system_s":0.4}"#,
        r#"{"event":"process","side":"sender","elapsed_s":0.01,"cpu_s":1.5,"resident_bytes":7,"peak_resident_bytes":200}"#,
        r#"{"event":"finished","side":"sender","elapsed_s":0.01,"bytes":80,"rate_bytes_per_s":1.0,"verified":true}"#,
        r#"{"event":"finished","side":"receiver","elapsed_s":0.01,"bytes":80,"rate_bytes_per_s":8000.0,"verified":true,"weather":"fine"}"#,
    ];

    #[test]
    fn lines_become_numbers_of_both_sides() {
        let measured = observed(&LINES).measured(2, 80, 160, true).expect("numbers");
        assert!((measured.cpu_s - 1.0).abs() < 1e-12);
        let expected = Measured {
            round: 2,
            seconds: 0.01,
            rate_bytes_per_s: 8000.0,
            first_byte_s: Some(0.002 - 0.001),
            cpu_s: measured.cpu_s,
            process_cpu_s: 1.5,
            syscalls: 8,
            page_faults: 3,
            copied_bytes: 80,
            peak_bytes: 200,
            beyond_bytes: 40,
            verified: Some(true),
            cold: false,
        };
        assert_eq!(measured, expected);
    }

    #[test]
    fn the_first_byte_is_counted_from_when_both_ends_agreed() {
        // The connection waited 90 ms for its offer.
        let late = [
            r#"{"event":"started","side":"receiver","elapsed_s":0.09,"shape":[10]}"#,
            r#"{"event":"sample","side":"receiver","elapsed_s":0.095,"bytes":40,"rate_bytes_per_s":0.0}"#,
            r#"{"event":"finished","side":"receiver","elapsed_s":0.1,"bytes":80,"rate_bytes_per_s":8000.0,"verified":true}"#,
        ];
        let measured = observed(&late).measured(1, 80, 0, true).expect("numbers");
        let first_byte_s = measured.first_byte_s.expect("some landed");
        assert!((first_byte_s - 0.005).abs() < 1e-9, "{first_byte_s}");
        assert!(first_byte_s < measured.seconds);
    }

    #[test]
    fn a_run_that_is_short_unverified_or_cut_off_gives_no_numbers() {
        assert!(observed(&LINES).measured(1, 81, 0, true).is_err());
        assert!(observed(&LINES[..7]).measured(1, 80, 0, true).is_err());
        let unverified = LINES[7].replace("true", "null");
        let lines = [LINES[4], &unverified];
        assert!(observed(&lines).measured(1, 80, 0, true).is_err());
        assert_eq!(observed(&lines).measured(1, 80, 0, false).map(|m| m.verified), Ok(None));
    }
}
