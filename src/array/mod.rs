//! Arrays without their bytes: dtype, shape and order, `.npy` headers, ranges, and elements as text.

mod datetime;
mod dtype;
mod literal;
mod meta;
pub mod npy;
mod number;
mod preview;
mod progression;
mod range;
mod shape;
mod stats;

pub(crate) use crate::units::{NumberError, parse_count};
pub(crate) use datetime::utc;
pub(crate) use dtype::MAX_DESCR_BYTES;
pub use dtype::{Dtype, DtypeError};
pub use meta::{ArrayMeta, MetaError, Order};
pub use number::Number;
pub use preview::{Value, values};
pub use range::{Range, RangeError};
pub use shape::{Shape, ShapeError};
pub use stats::{ArrayStats, Grid, HistogramCounts, Statistics, TileStats};
