//! What a service is to do.

use std::path::PathBuf;

use crate::array::ArrayMeta;
use crate::transfer::{Options, SinkSpec};

use super::key::Key;
use super::limits::Limits;

/// What a service does with whoever connects.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Where arrays land: a folder, memory, or nowhere.
    pub sink: SinkSpec,
    /// What has to come; needed on the `raw` wire.
    pub expect: Option<ArrayMeta>,
    /// How each transfer is done.
    pub options: Options,
    /// What is taken at most.
    pub limits: Limits,
    /// Processes that receive in its place, where there are to be any.
    pub workers: Option<Workers>,
}

/// Where workers come from.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    /// Processes of this machine that the service starts itself.
    pub count: usize,
    /// The program for them, which is told `worker -`.
    pub program: PathBuf,
    /// The path of the socket where others join, and the key that they have to have.
    pub join_at: Option<(PathBuf, Key)>,
}
