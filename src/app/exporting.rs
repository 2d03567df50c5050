//! Takes what is in view of a transfer along: makes it, has it saved, and says where it is.

use std::path::{Path, PathBuf};

use eframe::egui::Context;

use super::App;
use super::export::{self, Export, Format, file_name};
use super::model::entry_text;
use super::model::notice::Notice;
use super::model::row::RowKey;
use super::model::view::View;
use super::words::say;
use super::worker::{Content, Task};
use crate::error::reason;
use crate::own_file;

/// So many names are tried where nobody can be asked for one.
const NAMES_MAX: u32 = 1000;

impl App {
    /// Saves what is in view of a row.
    pub(super) fn export(&mut self, key: RowKey, format: Format) {
        let now_s = self.now_s();
        let (view, ceilings) = (self.settings.plot, self.comparisons.ceilings.as_ref());
        let Some(row) = self.transfers.row(key) else { return };
        if let Some(made) = export::of(format, row, view, ceilings, now_s) {
            self.save_export(Content::Ready(made));
            return;
        }
        let name = file_name(row.name(), format.ending());
        // It is a picture of what is seen.
        self.transfers.select(key);
        self.show(View::Transfers);
        self.settings.form_open = false;
        self.notice = None;
        self.pictures.ask(name);
    }

    /// Saves the run that is picked on the page of the history, where it is read.
    pub(super) fn export_run(&mut self, format: Format) {
        let Some(run) = self.history_page.picked_run() else {
            return;
        };
        if let Some(made) = export::of_run(format, run) {
            self.save_export(Content::Ready(made));
            return;
        }
        let name = file_name(&entry_text::what(&run.entry), format.ending());
        self.notice = None;
        self.pictures.ask(name);
    }

    /// Has a picture saved that was taken since the last frame.
    pub(super) fn take_pictures(&mut self, ctx: &Context) {
        if let Some(picture) = self.pictures.step(ctx) {
            self.save_export(Content::Picture(Box::new(picture)));
        }
    }

    fn save_export(&mut self, content: Content) {
        if !self.ask_worker(Task::Save(content)) {
            let text = say!("export-no-thread").to_owned();
            self.notice = Some(Notice::failure(text, self.now_s()));
        }
    }

    /// Says what came of it.
    pub(super) fn take_saved(&mut self, saved: Result<PathBuf, String>) {
        let now_s = self.now_s();
        self.notice = Some(match saved {
            Ok(path) => Notice::saved(path, now_s),
            Err(why) => Notice::failure(why, now_s),
        });
    }
}

/// Puts it on disk in place of what may be there: whoever chose the path was asked.
///
/// # Errors
/// Why it is not there, in one line.
pub(super) fn save_at(path: &Path, export: &Export) -> Result<PathBuf, String> {
    let saved = own_file::replace(path, 0o666, &export.bytes);
    saved.map(|()| path.to_owned()).map_err(|error| failed(path, &error))
}

/// Puts it on disk where nobody can be asked for a path: in the folder for downloads, or in the home folder. What is
/// there stays.
///
/// # Errors
/// Why it is not there, in one line.
pub(super) fn save_at_home(export: &Export) -> Result<PathBuf, String> {
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    let home = home.ok_or_else(|| say!("export-no-home").to_owned())?;
    let downloads = home.join("Downloads");
    save_in(if downloads.is_dir() { &downloads } else { &home }, export)
}

fn save_in(folder: &Path, export: &Export) -> Result<PathBuf, String> {
    for number in 1..=NAMES_MAX {
        let path = folder.join(numbered(&export.name, number));
        match own_file::create(&path, 0o666, &export.bytes) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&path, &error)),
        }
    }
    Err(say!(
        "export-all-exist",
        name = &export.name,
        folder = folder.display().to_string(),
    ))
}

/// `name.arraylift-2.svg` for the second one.
fn numbered(name: &str, number: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) if number > 1 => format!("{stem}-{number}.{ending}"),
        _ => name.to_owned(),
    }
}

fn failed(path: &Path, error: &std::io::Error) -> String {
    say!(
        "export-not-saved",
        path = path.display().to_string(),
        why = reason(error).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_where_nobody_is_asked_takes_nobodys_place() {
        let folder = tempfile::tempdir().unwrap();
        let export = |bytes: &[u8]| Export {
            name: "a.arraylift.csv".into(),
            bytes: bytes.into(),
        };
        let first = save_in(folder.path(), &export(b"one")).unwrap();
        let second = save_in(folder.path(), &export(b"two")).unwrap();
        assert_eq!(second, folder.path().join("a.arraylift-2.csv"));
        assert_eq!(
            (std::fs::read(first).unwrap(), std::fs::read(second).unwrap()),
            (b"one".into(), b"two".into())
        );
        let nowhere = save_in(&folder.path().join("no"), &export(b"")).unwrap_err();
        assert!(
            nowhere.ends_with("was not saved: no such file or directory"),
            "{nowhere}"
        );
    }
}
