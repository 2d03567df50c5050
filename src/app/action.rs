//! What a person asks for by a panel or a key. Panels return it; `commands` alone does it.

use std::mem::{Discriminant, discriminant};
use std::path::PathBuf;

use super::export::Format;
use super::model::axes::TimeAxis;
use super::model::curves::TimeSpan;
use super::model::form::Form;
use super::model::format::RateScale;
use super::model::palette::Palette;
use super::model::plot_view::{Period, PlotView};
use super::model::row::{Cursors, RateAxis, RowKey};
use super::model::settings::ThemeChoice;
use super::model::view::View;
use crate::language::Language;
use crate::telemetry::Cause;
use crate::transfer::{Command, Side};

/// Something that a person asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// Change one transfer, or how it is shown.
    Transfer(RowKey, TransferAction),
    /// Change several transfers at once.
    Queue(QueueAction),
    /// Change what New transfer says, or start it.
    Form(FormAction),
    /// Something on the compare page.
    Compare(CompareAction),
    /// Something on the round trips page.
    RoundTrips(RoundTripsAction),
    /// Something on the history page.
    History(HistoryAction),
    /// Tell a service of another process.
    Service {
        /// The service's process id.
        pid: u32,
        /// What it is told.
        command: Command,
    },
    /// Look at all plots in this way.
    SetPlotView(PlotView),
    /// Measure the highest rates that this machine can reach.
    MeasureCeilings,
    /// Show a page in the middle of the window.
    Show(View),
    /// Show only those transfers that have these words.
    Filter(String),
    /// Go to the filter of the list.
    FocusFilter,
    /// In a window that is not wide: let the list hang below the strip, so far from its left; `None` closes it.
    ShowList(Option<f32>),
    /// Open the menu of a transfer.
    OpenMenu(RowKey),
    /// Show the command palette like this, or close it.
    Palette(Option<Palette>),
    /// Move the array that the form opens with at first from one thread of this machine to another.
    TryThisMachine,
    /// Select the transfer above the selected one.
    SelectAbove,
    /// Select the transfer below the selected one.
    SelectBelow,
    /// Choose a path in a dialog.
    Browse(Dialog),
    /// Open a folder in the file manager.
    ShowFolder(PathBuf),
    /// Open a file with the program that the desktop has for it.
    OpenFile(PathBuf),
    /// Put a text on the clipboard.
    Copy(String),
    /// Change the window's colours.
    SetTheme(ThemeChoice),
    /// Speak this language; `None`: that of the system.
    SetLanguage(Option<Language>),
    /// Count rates in this.
    SetRates(RateScale),
    /// Let things on the screen move in steps, or freely.
    SetReducedMotion(bool),
    /// Try a send that broke again by itself, or not.
    SetRetries(bool),
    /// Tell the desktop what has ended while the window is not in front, or not.
    SetNotifies(bool),
    /// End a service of another process although transfers of it run.
    StopServiceAnyway(u32),
    /// Close the window, and cancel what runs.
    CloseAnyway,
    /// Leave a question with No: nothing is closed or cancelled.
    KeepRunning,
}

impl Action {
    /// Shows a part of a row's time axis that is `factor` times as long as what it shows now, around `centre_s`, and moved
    /// by `shift_s`. Where that is the whole it is all of the time, whatever the period is.
    pub(crate) fn zoomed(
        key: RowKey,
        view: PlotView,
        time: TimeAxis,
        factor: f64,
        (centre_s, shift_s): (f64, f64),
    ) -> Vec<Self> {
        match time.zoomed(factor, centre_s, shift_s) {
            Some(span) => vec![Self::Transfer(key, TransferAction::Zoom(Some(span)))],
            None if factor > 1.0 => Self::show_all(key, view),
            // The whole was only to be moved.
            None => Vec::new(),
        }
    }

    /// Shows all of a row's time.
    pub(crate) fn show_all(key: RowKey, view: PlotView) -> Vec<Self> {
        let period = Period::All;
        let is_other = view.period != period;
        let all_periods = is_other.then_some(Self::SetPlotView(PlotView { period, ..view }));
        let all = Self::Transfer(key, TransferAction::Zoom(None));
        all_periods.into_iter().chain([all]).collect()
    }
}

/// What can be asked for of one transfer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum TransferAction {
    /// Select it.
    Select,
    /// Move no bytes of it until it is resumed.
    Pause,
    /// Go on with it.
    Resume,
    /// Give it up.
    Cancel,
    /// Give it up, after a question where it has run for a while.
    AskToCancel,
    /// Move at most so many bytes a second; `None` lifts the limit.
    SetLimit {
        /// The rate.
        bytes_per_s: Option<u64>,
    },
    /// Slow the program at one end down to so many bytes a second; `None` lets it go as fast as it can.
    SetPace {
        /// The end.
        side: Side,
        /// The rate.
        bytes_per_s: Option<u64>,
    },
    /// Start the same in a row of its own.
    Again,
    /// Go on with what was interrupted, as soon as it is its turn.
    GoOn,
    /// Do not try it again by itself.
    StopTrying,
    /// Take what was interrupted off the list, and remove what came of it where that is here.
    Discard,
    /// Read the values of its array from this one on, in the order of memory.
    ReadValues {
        /// The first of them.
        index: u64,
    },
    /// Show no values that were read.
    CloseValues,
    /// Take it off the list.
    Remove,
    /// Start it before the one that waits in front of it.
    MoveForward,
    /// Start it after the one that waits behind it.
    MoveBack,
    /// Show a part of the time axis; `None` shows the period.
    Zoom(Option<TimeSpan>),
    /// Let the rate axis end there.
    SetRateAxis(RateAxis),
    /// Point at these instants of the plot.
    SetCursors(Cursors),
    /// Save what is in view of it.
    Export(Format),
    /// Let this limit alone stay coloured; `None`: all of them.
    PickLimit(Option<Cause>),
}

impl TransferAction {
    /// What makes the id of its button. A click counts for what was drawn last, also where the row has changed since and
    /// another button stands there. What takes a button's place for the same purpose keeps its focus.
    #[must_use]
    pub(crate) fn kind(self) -> Discriminant<Self> {
        let same = match self {
            Self::Resume => Self::Pause,
            other => other,
        };
        discriminant(&same)
    }
}

/// What can be asked for of several transfers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueAction {
    /// Let so many run at once; `None` lets all of them.
    SetAtOnce(Option<usize>),
    /// Pause everything that runs here, and start nothing.
    PauseAll,
    /// Resume everything, and start what waits.
    ResumeAll,
    /// Start what failed again, in place of it.
    RetryFailed,
    /// Go on with all that was interrupted.
    GoOnWithInterrupted,
    /// Take those off the list that have ended well or were cancelled.
    RemoveFinished,
    /// Give up those that wait for their turn.
    RemoveWaiting,
    /// Put back what was taken off the list last.
    UndoRemoval,
    /// Fold those of other processes away, or show them again.
    FoldOthers(bool),
}

impl QueueAction {
    /// What makes the id of its button: see [`TransferAction::kind`].
    #[must_use]
    pub(crate) fn kind(self) -> Discriminant<Self> {
        let same = match self {
            Self::ResumeAll => Self::PauseAll,
            other => other,
        };
        discriminant(&same)
    }
}

/// What can be asked for of New transfer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FormAction {
    /// Put this in place of what is typed.
    Edit(Box<Form>),
    /// Start what is typed.
    Start,
    /// Take these files and folders as the source, and look at every path again.
    Drop(Vec<PathBuf>),
    /// Look at every path again: what is there may have changed.
    LookAgain,
    /// Fold or unfold the advanced fields.
    SetAdvancedOpen(bool),
    /// Open it, or close it.
    Toggle,
    /// Open it and go to its first field.
    Focus,
    /// Open it to send files to another machine.
    PrepareToSend,
    /// Open it to receive here.
    PrepareToReceive,
}

/// What can be asked for on the compare page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CompareAction {
    /// Measure so many rounds.
    SetRounds(u32),
    /// Measure time against size, too, or not.
    SetWithSizes(bool),
    /// Take this as the file to save to or to read.
    SetPath(String),
    /// Let the line of the route with this id stand out; `None` lets go of it.
    Pick(Option<String>),
    /// Compare the routes.
    Start,
    /// Cancel the comparison.
    Cancel,
    /// Save the result to the file.
    Save,
    /// Show the result in the file beside the new one.
    LoadOlder,
    /// Hide the older result.
    RemoveOlder,
}

/// What can be asked for on the round trips page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RoundTripsAction {
    /// Take this as the address of the echo service.
    SetEndpoint(String),
    /// Show the histogram of this size.
    Pick {
        /// The size.
        size_bytes: u64,
    },
    /// Measure.
    Start,
    /// Stop measuring; what was measured stays.
    Cancel,
}

/// What can be asked for on the history page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HistoryAction {
    /// Look for this text.
    Search(String),
    /// Show this entry.
    Pick(u64),
    /// Lay this one over the picked one; `None` takes it away.
    LayOver(Option<u64>),
    /// Start the same.
    Again(u64),
    /// Save the picked one.
    Export(Format),
    /// Ask whether the picked one is to be forgotten, or let go of the question.
    AskToForget(bool),
    /// Forget it.
    Forget(u64),
}

/// Which path a dialog is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialog {
    /// The file to send.
    Source,
    /// The folder to receive into.
    Sink,
    /// A saved comparison.
    Comparison,
}
