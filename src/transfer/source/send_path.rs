//! The route by which a source leaves: chosen, and prepared.

use std::sync::Arc;

use crate::error::Error;
use crate::route::send::{
    Copying, Generated, Handoff, Mapped, SendRoute, Sendfile, Streamed, Zerocopy, takes_sendfile,
};
use crate::route::{NoHandoff, SendRouteChoice, Sending, SourceKind, send_route};
use crate::transfer::limits::promise;
use crate::transfer::source::memory::range_in_memory;
use crate::transfer::source::{Content, Source};
use crate::wire::WireChoice;

/// The route that a source leaves by, and why that one.
pub(crate) struct SendPath {
    /// How bytes leave.
    pub(crate) route: Box<dyn SendRoute>,
    pub(crate) reason: &'static str,
    /// What is tried first, so that no bytes need to.
    pub(crate) handoff: Option<HandoffPath>,
}

/// A handoff that the receiver has not asked for yet.
pub(crate) struct HandoffPath {
    pub(crate) handoff: Handoff,
    /// It was asked for by its name: nothing else will do.
    pub(crate) by_name: bool,
}

/// What a route has to fit.
pub(crate) struct SendPathRequest<'a> {
    pub(crate) route: SendRouteChoice,
    pub(crate) wire: WireChoice,
    pub(crate) chunk_bytes: usize,
    /// Whether the peer is reached over a Unix socket.
    pub(crate) unix: bool,
    /// Asked while something that takes its time is prepared.
    pub(crate) cancelled: &'a dyn Fn() -> bool,
}

impl Source {
    /// The route for what was asked. What has to be prepared, such as a range in memory, is prepared here; `None` where
    /// it was cancelled meanwhile.
    ///
    /// Pages that `sendfile` gave to a socket are still the file's: whoever writes to the file changes what a peer has
    /// not read yet. A result tells that it has; on a wire without one, `auto` takes a copy.
    pub(crate) fn send_path(&self, request: &SendPathRequest<'_>) -> Result<Option<SendPath>, Error> {
        let empty = self.meta.byte_len() == 0;
        let chosen = send_route(
            request.route,
            Sending {
                source: self.kind(request.route),
                empty,
                wire: request.wire,
                unix: request.unix,
            },
        )
        .map_err(|reason| Error::Usage(self.why_not(request.route, reason)))?;
        let (base, reason) = (self.base, chosen.reason);
        let route: Box<dyn SendRoute> = match (chosen.route, &self.content) {
            (SendRouteChoice::Handoff, content) => return self.handoff_path(content, request, reason),
            (SendRouteChoice::Copying, _) => Box::new(Copying::new(self.bytes_for_copying()?)),
            (SendRouteChoice::Zerocopy, _) => Box::new(Zerocopy::new(self.frozen()?)),
            (SendRouteChoice::Sendfile, Content::Range(range)) => {
                match range_in_memory(range, base, self.meta.byte_len(), request.cancelled)? {
                    Some(file) => Box::new(Sendfile::new(file, 0)),
                    None => return Ok(None),
                }
            }
            (_, Content::Range(range)) => Box::new(Generated::new(range.clone(), base, request.chunk_bytes)),
            (SendRouteChoice::Sendfile, Content::File { file, .. }) => Box::new(Sendfile::new(Arc::clone(file), base)),
            (_, Content::File { file, .. }) => Box::new(Mapped::new(Arc::clone(file), base)),
            (_, Content::Stream(stream)) => {
                Box::new(Streamed::new(stream.open()?, self.meta.byte_len(), request.chunk_bytes))
            }
        };
        Ok(Some(SendPath {
            route,
            reason,
            handoff: None,
        }))
    }

    /// A handoff, and the route that bytes take where it does not come about.
    fn handoff_path(
        &self,
        content: &Content,
        request: &SendPathRequest<'_>,
        reason: &'static str,
    ) -> Result<Option<SendPath>, Error> {
        let by_name = request.route == SendRouteChoice::Handoff;
        let (file, position) = match content {
            Content::File { file, .. } => (Arc::clone(file), self.base),
            Content::Stream(_) => return Err(Error::Bug("a stream was to be handed over".into())),
            Content::Range(range) => match range_in_memory(range, self.base, self.meta.byte_len(), request.cancelled) {
                Ok(Some(file)) => (file, 0),
                Ok(None) => return Ok(None),
                Err(error) if by_name => return Err(error),
                Err(_) => {
                    return Ok(Some(SendPath {
                        route: Box::new(Generated::new(range.clone(), self.base, request.chunk_bytes)),
                        reason: NoHandoff::NoMemoryFile.reason(),
                        handoff: None,
                    }));
                }
            },
        };
        Ok(Some(SendPath {
            route: Box::new(Sendfile::new(Arc::clone(&file), position)),
            reason,
            handoff: Some(HandoffPath {
                handoff: Handoff::new(file, position),
                by_name,
            }),
        }))
    }

    /// Why it cannot be sent so, with its name where it has one of its own.
    fn why_not(&self, route: SendRouteChoice, reason: &str) -> String {
        match &self.content {
            Content::Stream(stream) => format!("{} {reason}, and not {}", stream.path.display(), route.name()),
            Content::Range(_) | Content::File { .. } => reason.into(),
        }
    }

    fn kind(&self, asked: SendRouteChoice) -> SourceKind {
        let concerns = |route| asked == route || asked == SendRouteChoice::Auto;
        match &self.content {
            Content::Range(_) => SourceKind::Range {
                fits_memory: promise::check(self.meta.byte_len()).is_ok(),
            },
            Content::File { file, .. } if file.is_sealed() => SourceKind::Sealed,
            Content::File { file, .. } => SourceKind::File {
                takes_sendfile: !concerns(SendRouteChoice::Sendfile) || takes_sendfile(file, self.base),
            },
            Content::Stream(_) => SourceKind::Stream,
        }
    }
}
