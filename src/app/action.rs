//! What a panel asks for. `ui` applies all of it in one place.

use std::path::PathBuf;

use super::model::row::{RateAxis, RowKey};
use crate::transfer::{Command, Side};

/// Something that someone asked for of several transfers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueAction {
    /// Let so many run at once; nothing: all of them.
    AtOnce(Option<usize>),
    /// Let one that waits begin before the one before it.
    Sooner(RowKey),
    /// Pause everything that runs here, and let nothing begin.
    PauseAll,
    /// Go on with everything.
    ResumeAll,
    /// Start again what failed, in place of it.
    RetryFailed,
}

/// Something that someone asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Start what the form says.
    Start,
    /// Start what a row did, again.
    Again(RowKey),
    /// Stop moving bytes for a while.
    Pause(RowKey),
    /// Go on.
    Resume(RowKey),
    /// Give up.
    Cancel(RowKey),
    /// Give up, if that is really wanted.
    AskToCancel(RowKey),
    /// Take a row off the list.
    Remove(RowKey),
    /// Look at a row.
    Select(RowKey),
    /// Look at the row so many below.
    SelectNext(isize),
    /// At most so many bytes a second.
    SetLimit(RowKey, Option<u64>),
    /// As if the program on that side were slow.
    SetPace(RowKey, Side, Option<u64>),
    /// Look at a part of the time axis, or at all of it.
    Zoom(RowKey, Option<(f64, f64)>),
    /// Let the rate axis end there.
    SetRateAxis(RowKey, RateAxis),
    /// Something that concerns several transfers.
    Queue(QueueAction),
    /// Tell a service of another process.
    Service(u32, Command),
    /// Open the folder that a file is in.
    ShowInFolder(PathBuf),
    /// Choose the file to send in a dialog.
    BrowseSource,
    /// Choose the folder to receive into in a dialog.
    BrowseSink,
    /// Put a text on the clipboard.
    Copy(String),
    /// Fold or unfold New transfer.
    ToggleForm,
    /// Unfold New transfer and go to its first field.
    FocusForm,
    /// The next of system, dark and light.
    NextTheme,
    /// Put every field of the form back to what it was when the window first opened.
    ResetForm,
    /// Show the compare page, or the transfers again.
    ShowCompare(bool),
    /// Show the round trips page, or the transfers again.
    ShowRoundTrips(bool),
    /// Measure round trips to where the page says.
    MeasureRoundTrips,
    /// Give that up.
    CancelRoundTrips,
    /// Compare the routes.
    Compare,
    /// Give the comparison up.
    CancelCompare,
    /// Save what was compared where the page says.
    SaveComparison,
    /// Lay the result that the page names beside what was compared.
    LayBeside,
    /// Take it away again.
    ForgetOlder,
    /// Choose a saved comparison in a dialog.
    BrowseComparison,
    /// Measure what this machine can do at most.
    MeasureCeilings,
    /// Close the window, cancelling what runs.
    CloseAnyway,
    /// Do not close the window after all.
    KeepRunning,
}
