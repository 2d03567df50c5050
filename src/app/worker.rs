//! What may take long and so never runs on the window's thread: looking at files, binding an address, dialogs.

use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::model::compare::Told;
use super::model::plan::{FileInfo, SinkPlace, typed_new_sink, typed_origins};
use super::model::row::RowKey;
use super::model::words;
use crate::Error;
use crate::compare::{self, Comparison};
use crate::transfer::{Command, Endpoint, Listener, Origin, SinkSpec, SourceSpec, Waker, describe};

/// Of a folder or a pattern.
const FILES_MAX: usize = 200;

/// Something to be found out or done.
#[derive(Debug)]
pub enum Task {
    /// What is at this path that someone typed?
    LookAtSource(String),
    /// Can this path that someone typed be received into?
    LookAtSink(String),
    /// Take this address for a row.
    Bind(RowKey, Endpoint),
    /// Save what was compared.
    SaveComparison(Box<Comparison>, PathBuf),
    /// Read back what was.
    LoadComparison(PathBuf),
    /// Send another process a command.
    Command(u32, Command),
    /// Show a folder in the file manager.
    ShowFolder(PathBuf),
}

/// Which dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialog {
    /// For the file to send.
    Source,
    /// For the folder to receive into.
    Sink,
    /// For a saved comparison.
    Comparison,
}

/// What came of it.
#[derive(Debug)]
pub enum Reply {
    /// What is at a source's path.
    Source(String, Result<Vec<FileInfo>, String>),
    /// What is at a sink's path.
    Sink(String, SinkPlace),
    /// A row's address, taken or not.
    Bound(RowKey, Result<Listener, Error>),
    /// A comparison was saved, or not.
    Saved(Told),
    /// A comparison was read back, or not.
    Loaded(Result<Box<Comparison>, String>),
    /// The folder could not be shown, or another process not told.
    NotShown(String),
    /// A path was chosen, or nothing.
    Chosen(Dialog, Option<PathBuf>),
    /// There is no dialog to be had.
    NoDialog,
}

/// One named thread for what is quick, and one for as long as a dialog is open.
#[derive(Debug)]
pub struct Worker {
    tasks: Option<Sender<Task>>,
    thread: Option<JoinHandle<()>>,
    replies: Receiver<Reply>,
    reply: Sender<Reply>,
}

impl Worker {
    /// Starts the thread.
    pub fn start(waker: Waker) -> std::io::Result<Self> {
        let (tasks, queue) = bounded::<Task>(64);
        let (reply, replies) = bounded(64);
        let answers = reply.clone();
        let thread = Builder::new().name("window helper".to_owned()).spawn(move || {
            for task in queue {
                if let Some(answer) = run(task)
                    && answers.try_send(answer).is_ok()
                {
                    waker();
                }
            }
        })?;
        Ok(Self {
            tasks: Some(tasks),
            thread: Some(thread),
            replies,
            reply,
        })
    }

    /// Hands a task over; false where too many wait, so that it has to be asked for again.
    pub fn ask(&self, task: Task) -> bool {
        self.tasks.as_ref().is_some_and(|tasks| tasks.try_send(task).is_ok())
    }

    /// What came back since.
    pub fn replies(&self) -> impl Iterator<Item = Reply> + '_ {
        self.replies.try_iter().take(64)
    }

    /// Opens a dialog on a thread of its own. That thread ends when the dialog does; where the window closes first,
    /// it ends with the process.
    pub fn open_dialog(&self, dialog: Dialog, waker: Waker) {
        let reply = self.reply.clone();
        let thread = Builder::new().name("file dialog".to_owned()).spawn(move || {
            let answer = if has_dialog() {
                let chosen = match dialog {
                    Dialog::Source => rfd::FileDialog::new().set_title("Choose a file to send").pick_file(),
                    Dialog::Comparison => rfd::FileDialog::new()
                        .set_title("Choose a saved comparison")
                        .pick_file(),
                    Dialog::Sink => rfd::FileDialog::new()
                        .set_title("Choose a folder to receive into")
                        .pick_folder(),
                };
                Reply::Chosen(dialog, chosen)
            } else {
                Reply::NoDialog
            };
            if reply.try_send(answer).is_ok() {
                waker();
            }
        });
        if thread.is_err() {
            let _ = self.reply.try_send(Reply::NoDialog);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What is at a source's path: one file or several.
fn look_at(typed: &str) -> Result<Vec<FileInfo>, Error> {
    let origins = typed_origins(typed)?;
    if origins.len() > FILES_MAX {
        return Err(Error::Usage(format!(
            "that is {} files, and the window takes {FILES_MAX} at once: name fewer",
            origins.len()
        )));
    }
    let look = |origin: Origin| {
        let spec = SourceSpec { origin, slice: None };
        Ok(FileInfo::new(spec.origin.clone(), describe(&spec)?))
    };
    origins.into_iter().map(look).collect()
}

fn run(task: Task) -> Option<Reply> {
    match task {
        Task::LookAtSource(typed) => {
            let found = look_at(&typed).map_err(|error| words::of(&error));
            Some(Reply::Source(typed, found))
        }
        Task::LookAtSink(typed) => {
            let place = match typed_new_sink(&typed) {
                Ok(SinkSpec::File(path)) => writable(sink_place(&path), path),
                Ok(shared) => checked(SinkPlace::Free, &shared),
                Err(error) => SinkPlace::Refused(words::of(&error)),
            };
            Some(Reply::Sink(typed, place))
        }
        Task::Bind(key, endpoint) => Some(Reply::Bound(key, Listener::bind(&endpoint))),
        Task::SaveComparison(comparison, path) => Some(Reply::Saved(match compare::save(&comparison, &path) {
            Ok(()) => Told::Well(format!("Saved as {}", path.display())),
            Err(Error::SinkExists(path)) => Told::Failed(format!(
                "{} exists and is never overwritten: type another name",
                path.display()
            )),
            Err(error) => Told::Failed(words::of(&error)),
        })),
        Task::LoadComparison(path) => {
            let loaded = compare::load(&path).map(Box::new);
            Some(Reply::Loaded(loaded.map_err(|error| words::of(&error))))
        }
        Task::Command(pid, command) => {
            let sent = super::elsewhere::send(pid, command);
            sent.err().map(|error| Reply::NotShown(words::of(&error)))
        }
        Task::ShowFolder(folder) => show_folder(&folder).err().map(Reply::NotShown),
    }
}

fn sink_place(path: &Path) -> SinkPlace {
    if path.is_dir() {
        return SinkPlace::Folder;
    }
    if path.symlink_metadata().is_ok() {
        return SinkPlace::File;
    }
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() || folder.is_dir() => SinkPlace::Free,
        _ => SinkPlace::NoFolder,
    }
}

/// What the engine would say of a place that looks well.
fn writable(place: SinkPlace, path: PathBuf) -> SinkPlace {
    let spec = match place {
        SinkPlace::Free => SinkSpec::File(path),
        SinkPlace::Folder => SinkSpec::Folder(path),
        other => return other,
    };
    checked(place, &spec)
}

fn checked(place: SinkPlace, spec: &SinkSpec) -> SinkPlace {
    match spec.check() {
        Ok(()) => place,
        Err(error) => SinkPlace::Refused(words::of(&error)),
    }
}

fn show_folder(folder: &Path) -> Result<(), String> {
    let opened = process::Command::new("xdg-open")
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match opened {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(format!("no file manager opened {}", folder.display())),
        Err(error) => Err(format!("xdg-open cannot be run: {error}")),
    }
}

/// Whether there is anything that could show a dialog: the desktop's portal over D-Bus, or `zenity`.
fn has_dialog() -> bool {
    let has_bus = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
        || std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|folder| Path::new(&folder).join("bus").exists());
    let has_zenity = std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|folder| folder.join("zenity").exists()));
    has_bus || has_zenity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_is_free_a_folder_a_file_or_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("there.bin");
        std::fs::write(&file, b"x").unwrap();
        assert_eq!(sink_place(folder.path()), SinkPlace::Folder);
        assert_eq!(sink_place(&file), SinkPlace::File);
        assert_eq!(sink_place(&folder.path().join("new.bin")), SinkPlace::Free);
        assert_eq!(sink_place(&folder.path().join("no/new.bin")), SinkPlace::NoFolder);
    }

    #[test]
    fn a_worker_answers_and_ends_with_its_owner() {
        let (woken, wakes) = bounded(8);
        let worker = Worker::start(std::sync::Arc::new(move || {
            let _ = woken.try_send(());
        }))
        .unwrap();
        assert!(worker.ask(Task::LookAtSource("/no/such/file".to_owned())));
        wakes.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
        let replies: Vec<Reply> = worker.replies().collect();
        assert!(matches!(&replies[..], [Reply::Source(path, Err(_))] if path == "/no/such/file"));
        drop(worker);
    }
}
