//! Which route the bytes of each connection take into a sink, and why.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::route::ReceiveRouteChoice;
use crate::route::receive::{ReceiveRoute, RecvToFile, Splice};

use super::Storage;

/// The route of one connection.
pub(crate) struct ChosenRoute {
    pub(crate) route: Box<dyn ReceiveRoute>,
    /// Why it is that one, for people.
    pub(crate) reason: &'static str,
}

/// The choice for all connections of an array. A pipe may be too small for the next one and not for the one before.
pub(super) struct RouteChoice {
    choice: ReceiveRouteChoice,
    is_asked_for: bool,
    reason: &'static str,
    /// Some connection has a large pipe.
    some_are_large: AtomicBool,
    /// Some connection's pipe would be, or is, too small.
    some_are_small: AtomicBool,
}

impl RouteChoice {
    /// What was `asked` for is chosen; where nothing was, what is fast for `len` bytes into that storage.
    /// `writes_may_last`: a buffer lets another thread write.
    pub(super) fn new(asked: ReceiveRouteChoice, storage: &Storage, len: u64, writes_may_last: bool) -> Self {
        let (choice, reason) = match (asked, storage) {
            (ReceiveRouteChoice::Auto, Storage::New(part)) if !writes_may_last && part.takes_splice(len) => (
                ReceiveRouteChoice::Splice,
                "bytes go from the socket to the file within the kernel",
            ),
            (ReceiveRouteChoice::Auto, Storage::Memory { .. }) => (asked, "the socket's bytes land where they belong"),
            (ReceiveRouteChoice::Auto, Storage::Nowhere) => (asked, "nothing is kept"),
            (ReceiveRouteChoice::Auto, _) => (
                asked,
                "bytes pass through a buffer in cache, where they are checked, to the file",
            ),
            _ => (asked, "asked for"),
        };
        Self {
            choice,
            is_asked_for: asked != ReceiveRouteChoice::Auto,
            reason,
            some_are_large: AtomicBool::new(false),
            some_are_small: AtomicBool::new(false),
        }
    }

    pub(super) fn is_map(&self) -> bool {
        self.choice == ReceiveRouteChoice::Map
    }

    /// This route, for the reason of the choice.
    pub(super) fn chosen(&self, route: Box<dyn ReceiveRoute>) -> ChosenRoute {
        let reason = self.reason;
        ChosenRoute { route, reason }
    }

    /// A route into the file, from byte `base` on.
    ///
    /// # Errors
    /// A pipe was asked for, and the system gives none.
    pub(super) fn to_file(&self, file: &Arc<File>, base: u64, chunk_bytes: usize) -> io::Result<ChosenRoute> {
        let recv = || Box::new(RecvToFile::new(Arc::clone(file), base, chunk_bytes));
        if self.choice != ReceiveRouteChoice::Splice {
            return Ok(self.chosen(recv()));
        }
        let splice = Splice::new(Arc::clone(file), base, chunk_bytes);
        if splice.as_ref().is_ok_and(Splice::has_large_pipe) {
            self.some_are_large.store(true, Ordering::Relaxed);
            return Ok(self.chosen(Box::new(splice?)));
        }
        self.some_are_small.store(true, Ordering::Relaxed);
        Ok(if self.is_asked_for {
            ChosenRoute {
                route: Box::new(splice?),
                reason: "asked for; slow, for this user's pipes hold as much as they may, and a new one is small",
            }
        } else {
            ChosenRoute {
                route: recv(),
                reason: "splice would be slow: this user's pipes hold as much as they may, and a new one is small",
            }
        })
    }

    /// What is to be known of pipes that were large for some connections and small for others.
    pub(super) fn note(&self) -> Option<String> {
        let [large, small] = [&self.some_are_large, &self.some_are_small].map(|some| some.load(Ordering::Relaxed));
        let how = if self.is_asked_for {
            "were slow"
        } else {
            "took recv in place of splice"
        };
        (large && small).then(|| {
            format!("some connections {how}: this user's pipes hold as much as they may, and new ones are small")
        })
    }
}
