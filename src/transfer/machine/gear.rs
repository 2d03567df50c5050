//! What a machine is given by whoever runs it, and what it can ask for.

use std::ops::Range;
use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::route::send::SendRoute;
use crate::telemetry::Probe;
use crate::transfer::fetch::fetched::Fetched;
use crate::transfer::limits::controls::Controls;
use crate::transfer::net::expected::Expected;
use crate::transfer::send::sending::Sending;
use crate::transfer::sink::reception::Reception;
use crate::transfer::tell::teller::Teller;
use crate::wire::native::{Blocks, Token};

/// What a machine is given by whoever runs it.
pub(crate) struct Gear {
    pub(crate) controls: Arc<Controls>,
    pub(crate) probe: Probe,
    pub(crate) teller: Teller,
    /// Where a machine asks for further connections.
    pub(crate) more: Sender<More>,
}

/// Further connections that a transfer can have.
pub(crate) enum More {
    /// To be opened, one for each route.
    Send {
        sending: Arc<Sending>,
        blocks: Arc<Blocks>,
        token: Token,
        routes: Vec<Box<dyn SendRoute>>,
    },
    /// To be opened to a web server, one for each part of a file.
    Fetch {
        fetched: Arc<Fetched>,
        parts: Vec<Range<u64>>,
    },
    /// To be taken as they come. `is_sole` says that nobody else takes connections at that listener.
    Receive {
        reception: Arc<Reception>,
        expected: Expected,
        is_sole: bool,
    },
}
