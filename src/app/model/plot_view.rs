//! How plots and pictures are looked at: the period, the rate axis, the second plot, what a tile is drawn as. It is
//! remembered from one run to the next.

use serde::{Deserialize, Serialize};

use super::row::Measure;
use crate::app::words::say;

/// What a person chose for all plots, and for the images of arrays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlotView {
    /// The part of the time that is shown while a transfer runs.
    pub period: Period,
    /// Whether equal steps of the rate axis are equal rates or equal factors.
    pub scale: Scale,
    /// What the second plot shows.
    pub second: SecondPlot,
    /// Which value of a tile the image of an array shows.
    pub(crate) tile: TileValue,
}

/// The part of the time axis that is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Period {
    /// All of it.
    #[default]
    All,
    /// The last minute.
    Minute,
    /// The last ten seconds.
    TenSeconds,
}

impl Period {
    /// All of them, with their names.
    pub(crate) fn named() -> [(Self, &'static str); 3] {
        [
            (Self::TenSeconds, "10 s"),
            (Self::Minute, "1 min"),
            (Self::All, say!("plot-all")),
        ]
    }

    /// Its length in seconds; `None` for all of the time.
    #[must_use]
    pub fn length_s(self) -> Option<f64> {
        match self {
            Self::All => None,
            Self::Minute => Some(60.0),
            Self::TenSeconds => Some(10.0),
        }
    }
}

/// The steps of the rate axis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scale {
    /// Equal steps are equal rates.
    #[default]
    Linear,
    /// Equal steps are equal factors.
    Log,
}

impl Scale {
    /// Both, with their names.
    pub(crate) fn named() -> [(Self, &'static str); 2] {
        [(Self::Linear, say!("plot-linear")), (Self::Log, say!("plot-log"))]
    }
}

/// What the second plot shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecondPlot {
    /// The processor time of both ends where there is much room, else nothing.
    #[default]
    WhereRoom,
    /// Nothing, ever.
    Hidden,
    /// This, always.
    Of(Measure),
    /// The rate of each connection where there are several, always.
    EachStream,
}

/// Which of its values a tile is drawn as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TileValue {
    /// The least.
    Min,
    /// Their mean.
    #[default]
    Mean,
    /// The greatest.
    Max,
}

impl TileValue {
    /// All of them, with their names.
    pub(crate) fn named() -> [(Self, &'static str); 3] {
        [
            (Self::Min, say!("picture-tile-min")),
            (Self::Mean, say!("picture-tile-mean")),
            (Self::Max, say!("picture-tile-max")),
        ]
    }
}
