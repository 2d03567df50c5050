//! Saves results as JSON, which is read back, and as CSV for spreadsheets.

use std::fmt::Write as _;
use std::path::Path;

use crate::error::{Error, reason};
use crate::own_file;

use super::contestant::{Contestant, Over, Sink};
use super::result::Comparison;

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON: the whole result, to be read back.
    Json,
    /// CSV: one line a round, and one a size.
    Csv,
}

impl Format {
    /// The format for the ending of a file's name.
    ///
    /// # Errors
    /// The ending is neither `.json` nor `.csv`.
    pub(crate) fn of(path: &Path) -> Result<Self, Error> {
        let extension = path.extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            _ => Err(Error::Usage(format!(
                "{} has neither ending: a result is saved as NAME.json or NAME.csv",
                path.display()
            ))),
        }
    }
}

/// Checks a path to save to, before anything is measured.
pub(crate) fn check_save(path: &Path) -> Result<(), Error> {
    Format::of(path)?;
    if path.symlink_metadata().is_ok() {
        return Err(Error::SinkExists(path.into()));
    }
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) if !folder.is_dir() => Err(Error::SinkUnwritable {
            path: path.into(),
            reason: "its folder does not exist".into(),
        }),
        _ => Ok(()),
    }
}

/// Saves a result in the format of the file's ending. It changes no existing file and leaves no half file behind.
pub(crate) fn save(comparison: &Comparison, path: &Path) -> Result<(), Error> {
    let text = match Format::of(path)? {
        Format::Json => to_json(comparison)?,
        Format::Csv => to_csv(comparison),
    };
    own_file::create(path, 0o666, text.as_bytes()).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Error::SinkExists(path.into()),
        _ => Error::SinkUnwritable {
            path: path.into(),
            reason: reason(&error),
        },
    })
}

/// Reads a result that was saved as JSON; fields that this program does not know are skipped.
pub fn load(path: &Path) -> Result<Comparison, Error> {
    // Reading a pipe would wait.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(Error::Usage(format!("{} is no file", path.display())));
    }
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::SourceMissing(path.into()),
        _ => Error::SourceUnreadable {
            path: path.into(),
            reason: reason(&error),
        },
    })?;
    from_json(&text).map_err(|reason| Error::Usage(format!("{} is no saved comparison: {reason}", path.display())))
}

fn to_json(comparison: &Comparison) -> Result<String, Error> {
    // Its keys are text and its numbers finite or null, which JSON can write.
    let text = serde_json::to_string_pretty(comparison);
    text.map(|text| text + "\n").map_err(|error| Error::System {
        doing: "cannot write the result as JSON",
        reason: error.to_string().into(),
    })
}

fn from_json(text: &str) -> Result<Comparison, String> {
    #[derive(serde::Deserialize)]
    struct Versioned {
        version: u32,
    }
    let wrong = |error: serde_json::Error| error.to_string();
    let Versioned { version } = serde_json::from_str(text).map_err(wrong)?;
    if version > Comparison::VERSION {
        let known = Comparison::VERSION;
        return Err(format!(
            "it has version {version}, and this program knows {known} at most"
        ));
    }
    serde_json::from_str(text).map_err(wrong)
}

const COLUMNS: &str = "kind,contestant,name,send_route,receive_route,wire,verify,streams,sink,over,bytes,round,seconds,\
                       rate_bytes_per_s,first_byte_s,cpu_s,process_cpu_s,syscalls,page_faults,copied_bytes,peak_bytes,\
                       beyond_bytes,verified,cold\n";

/// One line a round; one a size, whose `seconds` are the median and which has no counters.
fn to_csv(comparison: &Comparison) -> String {
    let mut text = COLUMNS.to_owned();
    // Writing to a string cannot fail.
    for entry in &comparison.entries {
        let (who, bytes) = (columns(&entry.contestant), comparison.subject.bytes);
        for m in &entry.rounds {
            let (first_byte_s, verified) = (or_empty(m.first_byte_s), or_empty(m.verified));
            let _ = writeln!(
                text,
                "round,{who},{bytes},{},{},{},{first_byte_s},{},{},{},{},{},{},{},{verified},{}",
                m.round,
                m.seconds,
                m.rate_bytes_per_s,
                m.cpu_s,
                m.process_cpu_s,
                m.syscalls,
                m.page_faults,
                m.copied_bytes,
                m.peak_bytes,
                m.beyond_bytes,
                m.cold
            );
        }
    }
    for point in &comparison.sizes {
        if let Some(entry) = comparison.entry(&point.id) {
            let (who, bytes, seconds) = (columns(&entry.contestant), point.bytes, point.seconds.median);
            let rate = if seconds > 0.0 { bytes as f64 / seconds } else { 0.0 };
            let _ = writeln!(text, "size,{who},{bytes},,{seconds},{rate},,,,,,,,,,");
        }
    }
    text
}

fn columns(who: &Contestant) -> String {
    let sink = match who.sink {
        Sink::Memory => "memory",
        Sink::File => "file",
    };
    let over = match who.over {
        Over::Tcp => "tcp",
        Over::Unix => "unix",
    };
    let texts = [&who.id, &who.name, &who.send_route, &who.receive_route, &who.wire];
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text)).collect();
    format!("{},{},{},{sink},{over}", texts.join(","), who.verify, who.streams)
}

/// Quotes a text for CSV. Source: RFC 4180.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}

fn or_empty<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::result::{SizePoint, tests::comparison};
    use super::super::spread::Spread;
    use super::*;

    #[test]
    fn a_result_is_read_back_as_it_was_saved_and_never_replaces_a_file() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.json");
        let mut saved = comparison(&[("sendfile", &[0.1, 0.3]), ("copying", &[])]);
        saved.sizes.push(SizePoint {
            id: "sendfile".into(),
            bytes: 4096,
            seconds: Spread::of([0.001]).expect("one"),
        });
        assert_eq!(check_save(&path), Ok(()));
        save(&saved, &path).expect("saved");
        assert_eq!(load(&path), Ok(saved.clone()));
        assert_eq!(check_save(&path), Err(Error::SinkExists(path.clone())));
        assert_eq!(save(&saved, &path), Err(Error::SinkExists(path)));
    }

    #[test]
    fn what_a_later_program_adds_is_skipped_and_another_version_is_named() {
        let text = to_json(&comparison(&[("sendfile", &[0.1])])).expect("json");
        let more = text.replacen("\"rounds\"", "\"weather\": {\"rain\": [1]}, \"rounds\"", 1);
        assert_eq!(from_json(&more), from_json(&text));
        assert!(from_json(&more).is_ok());
        let later = text.replacen("\"version\": 1", "\"version\": 2, \"gone\": true", 1);
        assert!(from_json(&later).is_err_and(|reason| reason.contains("version 2")));
        for wrong in ["", "{}", "[1]", "null", "{\"version\": 1}"] {
            assert!(from_json(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn csv_has_a_line_a_round_and_as_many_cells_as_columns() {
        let mut result = comparison(&[("sendfile", &[0.25, 0.5])]);
        result.entries[0].contestant.name = "files, \"warm\"".into();
        result.sizes.push(SizePoint {
            id: "sendfile".into(),
            bytes: 4096,
            seconds: Spread::of([0.5]).expect("one"),
        });
        let text = to_csv(&result);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(
            lines[1].starts_with(
                "round,sendfile,\"files, \"\"warm\"\"\",sendfile,recv,native,true,1,memory,tcp,8000000,1,0.25,32000000,"
            ),
            "{text}"
        );
        assert!(
            lines[3].starts_with("size,sendfile,") && lines[3].contains(",4096,,0.5,8192,"),
            "{text}"
        );
        let cells = |line: &str| line.replace("files, ", "files ").matches(',').count();
        assert!(lines.iter().all(|line| cells(line) == cells(lines[0])), "{text}");
    }

    #[test]
    fn a_name_says_the_format_and_the_folder_must_be_there() {
        assert_eq!(Format::of(Path::new("a.JSON")), Ok(Format::Json));
        assert_eq!(Format::of(Path::new("b/a.csv")), Ok(Format::Csv));
        assert!(matches!(Format::of(Path::new("a.txt")), Err(Error::Usage(_))));
        assert!(matches!(
            check_save(Path::new("no/such/folder/a.csv")),
            Err(Error::SinkUnwritable { .. })
        ));
    }
}
