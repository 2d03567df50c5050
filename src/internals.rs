//! What this package's own tests and benchmarks look at. It is no part of the library and changes without notice.

pub mod parsers;

pub use crate::array::{Grid, Statistics, TileStats};
pub use crate::checksum::Digest;
pub use crate::language::Language;
pub use crate::ledger::Ledger;
pub use crate::ping::{Bin, RoundTrips};
pub use crate::service::Status;
pub use crate::telemetry::Series;
pub use crate::wire::{Farewell, Grain, Handoff, Heard, Offer, ReceiveWire, SendStep, SendWire, Want};

/// Comparisons and how they are kept.
pub mod compare {
    pub use crate::compare::ceilings::Ceilings;
    pub use crate::compare::{
        Comparison, Contestant, Entry, Machine, Measured, Over, Sink, SizePoint, Skipped, Spread, Subject, load,
    };
}

/// The window.
#[cfg(feature = "app")]
pub mod app {
    pub use crate::app::model::compare::Notice;
    pub use crate::app::model::curves::TimeSpan;
    pub use crate::app::model::form::{EndpointKind, Form, SinkKind, SourceKind};
    pub use crate::app::model::plan::{Paths, Recipe, check};
    pub use crate::app::model::plot_view::{Period, Scale, SecondPlot};
    pub use crate::app::model::row::{Phase, RowKey};
    pub use crate::app::model::settings::{Settings, ThemeChoice};
    pub use crate::app::model::view::View;
    pub use crate::app::panels::instrument::plot::scene::Curves;
    pub use crate::app::{App, AppOptions};

    use std::sync::Arc;

    use crate::array::{ArrayMeta, Statistics};
    use crate::transfer::{EventKind, Stats, TiledArray};

    /// What an end tells of an array of which these bytes, from its first one on, were looked at, its picture included.
    /// `None` where its elements are no numbers.
    #[must_use]
    pub fn looked_at(meta: &ArrayMeta, bytes: &[u8], left_out: Option<&str>) -> Option<EventKind> {
        let mut statistics = Statistics::of(meta)?;
        statistics.see(0, bytes, 1);
        let tiles = TiledArray {
            meta: meta.clone(),
            grid: *statistics.grid(),
            tiles: statistics.tiles(),
        };
        let stats = Stats {
            values: statistics.elements(),
            array: statistics.stats(),
            left_out: left_out.map(str::to_owned),
            tiles: Some(Arc::new(tiles)),
            ..Stats::default()
        };
        Some(EventKind::Stats(Box::new(stats)))
    }
}
