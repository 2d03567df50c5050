//! Does what may take long, off the window's thread: looks at files, binds addresses, opens dialogs.

use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::thread::Builder;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::action::Dialog;
use super::desktop_bus::DesktopBus;
use super::export::Export;
use super::export::picture::Picture;
use super::exporting::{save_at, save_at_home};
use super::history::reading;
use super::looking::look_at;
use super::model::away::Words;
use super::model::compare::Notice;
use super::model::error_text;
use super::model::history::{Found, Run};
use super::model::place::Place;
use super::model::plan::{PathLookup, SinkPathStatus};
use super::model::row::RowKey;
use super::model::settings::Settings;
use super::model::sources::Sources;
use super::model::values::{ValuesAsked, ValuesRead};
use super::words::{self, say};
use super::{notifying, reading_values, settings_file};
use crate::Error;
use crate::compare::{self, Comparison};
use crate::error::reason;
use crate::language::Language;
use crate::thread::Thread;
use crate::transfer::{Command, Endpoint, Listener, SinkSpec, Waker, discard_part};

/// Something to be found out or done.
#[derive(Debug)]
pub(super) enum Task {
    /// What is at this path?
    LookAtSource(Place),
    /// Can this path be received into?
    LookAtSink(Place),
    /// Listen at this address for a row.
    Bind {
        /// The row.
        key: RowKey,
        /// The address.
        endpoint: Endpoint,
    },
    /// Save what was compared.
    SaveComparison {
        /// The result.
        comparison: Box<Comparison>,
        /// A new file.
        path: PathBuf,
    },
    /// Read a saved comparison.
    LoadComparison(PathBuf),
    /// Read the history.
    ReadHistory {
        /// Its file, whether or not it is there.
        path: PathBuf,
        /// What is looked for; all where it is empty.
        search: String,
    },
    /// Read what is known of these entries.
    ReadRuns {
        /// The history's file.
        path: PathBuf,
        /// Their numbers.
        ids: Vec<u64>,
    },
    /// Forget an entry of the history.
    Forget {
        /// The history's file.
        path: PathBuf,
        /// Its number.
        id: u64,
    },
    /// Read values of a row's array at its ends.
    ReadValues {
        /// The row.
        key: RowKey,
        /// Which, and where.
        asked: Box<ValuesAsked>,
    },
    /// Send another process a command.
    Command {
        /// The process.
        pid: u32,
        /// The command.
        command: Command,
    },
    /// Remove what came of a transfer that was interrupted.
    DiscardPart(PathBuf),
    /// Open a file or a folder with the program that the desktop has for it.
    Open(PathBuf),
    /// Show a notification.
    Notify {
        /// The desktop's bus.
        bus: DesktopBus,
        /// What it says.
        words: Words,
        /// The number of the one whose place it takes; 0 for none.
        replaces: u32,
    },
    /// Save this where someone chooses.
    Save(Content),
    /// Keep the settings in this file.
    KeepSettings {
        /// The file, whether or not it is there.
        path: PathBuf,
        /// All of them.
        settings: Box<Settings>,
    },
}

/// What is to be saved.
#[derive(Debug)]
pub(super) enum Content {
    /// All of a file.
    Ready(Export),
    /// What a file is to be made of.
    Picture(Box<Picture>),
}

impl Task {
    /// Whether nobody knows how long it takes: a name server or a desktop may be mute, and a file manager stay in front.
    fn may_last(&self) -> bool {
        matches!(
            self,
            Self::Bind { .. } | Self::Open(_) | Self::Notify { .. } | Self::Save(_) | Self::ReadValues { .. }
        )
    }
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Reply {
    /// What is at a source's path.
    Source(PathLookup<Result<Sources, String>>),
    /// What is at a sink's path.
    Sink(PathLookup<SinkPathStatus>),
    /// A row's listener, or why it cannot listen.
    Bound {
        /// The row.
        key: RowKey,
        /// What listens.
        listener: Result<Listener, Error>,
    },
    /// A comparison was saved, or not.
    Saved(Notice),
    /// A comparison was read, or not.
    Loaded(Result<Box<Comparison>, String>),
    /// The history was read, or not.
    History(Found),
    /// These entries are known now.
    Runs(Vec<Run>),
    /// An entry is forgotten, or not.
    Forgotten(Result<(u64, bool), String>),
    /// Values of a row's array were read, or why they were not.
    Values {
        /// The row.
        key: RowKey,
        /// They, or the reasons.
        read: Box<ValuesRead>,
    },
    /// The file or folder could not be opened, or the command not sent.
    Failed(String),
    /// The number of the notification that is shown, or why none is.
    Notified(Result<u32, String>),
    /// A dialog was left.
    Chosen {
        /// Which one.
        dialog: Dialog,
        /// The paths that were chosen, if any.
        paths: Vec<PathBuf>,
    },
    /// Something was saved there, or not.
    SavedAs(Result<PathBuf, String>),
    /// No dialog can be shown.
    NoDialog,
}

/// One named thread for what is quick, and one each for a dialog that is open and for what may last.
#[derive(Debug)]
pub(super) struct Worker {
    /// Dropped before the thread, which ends when no more tasks can come. Each with the language of the window then.
    tasks: Sender<(Language, Task)>,
    _thread: Thread,
    replies: Receiver<Reply>,
    reply: Sender<Reply>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start(waker: Waker) -> std::io::Result<Self> {
        let (tasks, queue) = bounded::<(Language, Task)>(64);
        let (reply, replies) = bounded(64);
        let answers = reply.clone();
        let body = move || {
            for (language, task) in queue {
                words::speak(language);
                if let Some(answer) = run(task)
                    && answers.try_send(answer).is_ok()
                {
                    waker();
                }
            }
            Ok(())
        };
        Ok(Self {
            tasks,
            _thread: Thread::start("window helper", body)?,
            replies,
            reply,
        })
    }

    /// Hands a task over; false where the queue is full, so that the caller has to ask again. One that may last has a
    /// thread of its own, so that it holds up neither the others nor the end of the window: the thread ends with it, or
    /// with the process.
    pub(super) fn ask(&self, task: Task, waker: &Waker) -> bool {
        if !task.may_last() {
            return self.tasks.try_send((words::spoken(), task)).is_ok();
        }
        let waker = waker.clone();
        self.beside("window helper 2", move || run(task), move || waker())
    }

    /// Answers what `body` says, from a thread of its own; false where there is none.
    fn beside(
        &self,
        name: &str,
        body: impl FnOnce() -> Option<Reply> + Send + 'static,
        wake: impl FnOnce() + Send + 'static,
    ) -> bool {
        let (reply, language) = (self.reply.clone(), words::spoken());
        let thread = Builder::new().name(name.to_owned()).spawn(move || {
            words::speak(language);
            // Where the window has gone nobody needs the answer.
            if let Some(answer) = body()
                && reply.send(answer).is_ok()
            {
                wake();
            }
        });
        thread.is_ok()
    }

    /// What came back since.
    pub(super) fn replies(&self) -> impl Iterator<Item = Reply> + '_ {
        self.replies.try_iter().take(64)
    }

    /// Opens a dialog on a thread of its own. That thread ends when the dialog does; where the window closes first,
    /// it ends with the process.
    pub(super) fn open_dialog(&self, dialog: Dialog, waker: Waker) {
        let chosen = move || {
            if has_dialog() {
                let paths = chosen_in(dialog);
                Some(Reply::Chosen { dialog, paths })
            } else {
                Some(Reply::NoDialog)
            }
        };
        if !self.beside("file dialog", chosen, move || waker()) {
            // There is room: answers are taken with every frame.
            let _ = self.reply.try_send(Reply::NoDialog);
        }
    }
}

/// The paths that someone chooses in a dialog, as soon as it is left.
fn chosen_in(dialog: Dialog) -> Vec<PathBuf> {
    let window = rfd::FileDialog::new();
    let chosen = match dialog {
        Dialog::Source => window.set_title(say!("dialog-source")).pick_files(),
        Dialog::Comparison => window
            .set_title(say!("dialog-comparison"))
            .pick_file()
            .map(|path| vec![path]),
        Dialog::Sink => window
            .set_title(say!("dialog-sink"))
            .pick_folder()
            .map(|path| vec![path]),
    };
    chosen.unwrap_or_default()
}

fn run(task: Task) -> Option<Reply> {
    match task {
        Task::LookAtSource(place) => {
            let found = look_at(&place);
            Some(Reply::Source(PathLookup { place, found }))
        }
        Task::LookAtSink(place) => {
            let found = match place.new_sink() {
                Ok(SinkSpec::File(path)) => writable(sink_path_status(&path), path),
                Ok(shared) => checked(SinkPathStatus::Free, &shared),
                Err(error) => SinkPathStatus::Refused(error_text::of(&error)),
            };
            Some(Reply::Sink(PathLookup { place, found }))
        }
        Task::Bind { key, endpoint } => Some(Reply::Bound {
            key,
            listener: Listener::bind(&endpoint),
        }),
        Task::SaveComparison { comparison, path } => Some(Reply::Saved(save(&comparison, &path))),
        Task::LoadComparison(path) => {
            let loaded = compare::load(&path).map(Box::new);
            Some(Reply::Loaded(loaded.map_err(|error| error_text::of(&error))))
        }
        Task::ReadHistory { path, search } => Some(Reply::History(reading::find(&path, search))),
        Task::ReadRuns { path, ids } => Some(Reply::Runs(reading::runs(&path, &ids))),
        Task::Forget { path, id } => Some(Reply::Forgotten(reading::forget(&path, id))),
        Task::ReadValues { key, asked } => Some(Reply::Values {
            key,
            read: Box::new(reading_values::read(&asked)),
        }),
        Task::Command { pid, command } => {
            let sent = super::other_processes::send(pid, command);
            sent.err().map(|error| Reply::Failed(error_text::of(&error)))
        }
        Task::DiscardPart(part) => discard(&part).err().map(Reply::Failed),
        Task::Open(path) => open(&path).err().map(Reply::Failed),
        Task::Notify { bus, words, replaces } => Some(Reply::Notified(notifying::show(&bus, &words, replaces))),
        Task::Save(content) => save_as(content).map(Reply::SavedAs),
        Task::KeepSettings { path, settings } => settings_file::write(&path, &settings).err().map(Reply::Failed),
    }
}

/// Removes a part with its log. One that is gone, or that another transfer goes on with, is left alone.
fn discard(part: &Path) -> Result<(), String> {
    let discarded = discard_part(part);
    discarded.map(drop).map_err(|error| {
        let path = part.display().to_string();
        say!("error-not-discarded", path = path, why = reason(&error).to_string())
    })
}

/// Saves it where someone chooses, or at home where nobody can be asked. `None` where the dialog was left without a choice.
fn save_as(content: Content) -> Option<Result<PathBuf, String>> {
    let export = match content {
        Content::Ready(export) => export,
        Content::Picture(picture) => match picture.into_export() {
            Ok(export) => export,
            Err(why) => return Some(Err(why)),
        },
    };
    if !has_dialog() {
        return Some(save_at_home(&export));
    }
    let dialog = rfd::FileDialog::new()
        .set_title(say!("dialog-save"))
        .set_file_name(&export.name);
    Some(save_at(&dialog.save_file()?, &export))
}

fn save(comparison: &Comparison, path: &Path) -> Notice {
    match compare::save(comparison, path) {
        Ok(()) => Notice::Success(say!("dialog-saved", path = path.display().to_string())),
        Err(Error::SinkExists(path)) => {
            let path = path.display().to_string();
            Notice::Failure(say!("dialog-exists", path = path))
        }
        Err(error) => Notice::Failure(error_text::of(&error)),
    }
}

fn sink_path_status(path: &Path) -> SinkPathStatus {
    if path.is_dir() {
        return SinkPathStatus::Folder;
    }
    if path.symlink_metadata().is_ok() {
        return SinkPathStatus::File;
    }
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() || folder.is_dir() => SinkPathStatus::Free,
        _ => SinkPathStatus::NoFolder,
    }
}

/// What the engine would say of a place that looks well.
fn writable(status: SinkPathStatus, path: PathBuf) -> SinkPathStatus {
    let spec = match status {
        SinkPathStatus::Free => SinkSpec::File(path),
        SinkPathStatus::Folder => SinkSpec::Folder(path),
        other => return other,
    };
    checked(status, &spec)
}

fn checked(status: SinkPathStatus, spec: &SinkSpec) -> SinkPathStatus {
    match spec.check() {
        Ok(()) => status,
        Err(error) => SinkPathStatus::Refused(error_text::of(&error)),
    }
}

fn open(path: &Path) -> Result<(), String> {
    let opened = process::Command::new("xdg-open")
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match opened {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(say!("open-no-program", path = path.display().to_string())),
        Err(error) => Err(say!("open-no-xdg-open", error = error.to_string())),
    }
}

/// Whether a dialog can be shown: by the desktop's portal over D-Bus, or by `zenity`.
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
        assert_eq!(sink_path_status(folder.path()), SinkPathStatus::Folder);
        assert_eq!(sink_path_status(&file), SinkPathStatus::File);
        assert_eq!(sink_path_status(&folder.path().join("new.bin")), SinkPathStatus::Free);
        assert_eq!(
            sink_path_status(&folder.path().join("no/new.bin")),
            SinkPathStatus::NoFolder
        );
    }

    #[test]
    fn a_worker_answers_and_ends_with_its_owner() {
        let (woken, wakes) = bounded(8);
        let worker = Worker::start(std::sync::Arc::new(move || {
            let _ = woken.try_send(());
        }))
        .unwrap();
        let nowhere = Place::Typed("/no/such/file".to_owned());
        let waker: Waker = std::sync::Arc::new(|| {});
        assert!(worker.ask(Task::LookAtSource(nowhere.clone()), &waker));
        wakes.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
        let replies: Vec<Reply> = worker.replies().collect();
        assert!(matches!(&replies[..], [Reply::Source(PathLookup { place, found: Err(_) })] if *place == nowhere));
        drop(worker);
    }

    #[test]
    fn what_lasts_holds_up_neither_other_tasks_nor_the_end_of_the_window() {
        let (woken, wakes) = bounded(8);
        let waker: Waker = std::sync::Arc::new(move || {
            let _ = woken.try_send(());
        });
        let worker = Worker::start(waker.clone()).unwrap();
        // As a name server that does not answer.
        let (answer, waits) = bounded::<()>(0);
        let lasting = move || {
            let _ = waits.recv();
            None
        };
        assert!(worker.beside("lasts", lasting, || {}));
        let endpoint = Endpoint::parse("localhost:0").unwrap();
        let key: RowKey = 7;
        assert!(
            Task::Bind {
                key,
                endpoint: endpoint.clone()
            }
            .may_last()
        );
        assert!(worker.ask(Task::Bind { key, endpoint }, &waker));
        wakes.recv_timeout(std::time::Duration::from_secs(10)).unwrap();
        let replies: Vec<Reply> = worker.replies().collect();
        assert!(
            matches!(&replies[..], [Reply::Bound { listener: Ok(_), .. }]),
            "{replies:?}"
        );
        drop(worker);
        drop(answer);
    }
}
