//! Reads how the array is moved, and finds routes that contradict the ends.

use super::super::form::{EndpointKind, Field, SinkKind};
use super::super::typed_text;
use super::Checker;
use crate::app::words::{say, translated};
use crate::route::{SendRouteChoice, why_no_handoff};
use crate::transfer::{Endpoint, OptionName, Options, Replace, StatsChoice};
use crate::units::{UnitError, parse_bytes_or_auto, parse_count, parse_limit, parse_time};
use crate::wire::ChecksumKind;

impl Checker<'_> {
    pub(super) fn options(&mut self) -> Option<Options> {
        let form = self.form;
        let checksum = if form.verify {
            ChecksumKind::default()
        } else {
            ChecksumKind::None
        };
        let chunk = self.valid(Field::Chunk, chunk_bytes(&form.chunk, checksum));
        let limit = self.valid(Field::Limit, parse_limit(&form.limit));
        let preview = self.valid(Field::Preview, parse_count(&form.preview)).map(size);
        let timeout = self.valid(Field::Timeout, parse_time(&form.timeout));
        // A receiver takes as many as the sender offers.
        let streams = if form.sends() {
            let streams = self.valid(Field::Streams, parse_count(&form.streams));
            streams.map(|streams| u16::try_from(streams).unwrap_or(u16::MAX))
        } else {
            Some(1)
        };
        let options = Options {
            streams: streams?,
            wire: form.wire,
            send_route: form.send_route,
            receive_route: form.receive_route,
            chunk_bytes: chunk?,
            limit_bytes_per_s: limit?,
            preview_elements: preview?,
            stats: StatsChoice::Live,
            checksum,
            timeout: timeout?,
            sync: form.sync,
            allow_replace: form.may_allow_replace() && form.allow_replace,
            ..Options::default()
        };
        for (name, right) in options.mistakes() {
            self.mistake(field_of(name), typed_text::of_option(name, &right));
        }
        Some(options)
    }

    /// Those of a tree, which goes over one connection of the native wire.
    pub(super) fn options_of_tree(&mut self) -> Option<Options> {
        let form = self.form;
        let limit = self.valid(Field::Limit, parse_limit(&form.limit));
        let timeout = self.valid(Field::Timeout, parse_time(&form.timeout));
        let options = Options {
            limit_bytes_per_s: limit?,
            timeout: timeout?,
            checksum: if form.verify {
                ChecksumKind::default()
            } else {
                ChecksumKind::None
            },
            sync: form.sync,
            // With both ends here who asks for it is who allows it.
            allow_replace: form.endpoint == EndpointKind::ThisMachine && form.replace != Replace::Never,
            ..Options::default()
        };
        for (name, right) in options.mistakes() {
            self.mistake(field_of(name), typed_text::of_option(name, &right));
        }
        Some(options)
    }

    /// Routes that contradict each other, the sink or the endpoint.
    pub(super) fn check_routes(&mut self, options: &Options) {
        let form = self.form;
        let into_file = form.sink == SinkKind::File;
        if form.receives() && options.receive_route.needs_file() && !into_file {
            let text = say!("plan-needs-file", route = form.receive_route.name());
            self.mistake(Field::ReceiveRoute, text);
        }
        if form.sends() && options.send_route == SendRouteChoice::Handoff {
            let unix = match form.endpoint {
                EndpointKind::ThisMachine => true,
                // Any other mistake in it is named beside it.
                _ => !matches!(Endpoint::parse(form.send_to.trim()), Ok(Endpoint::Tcp(_))),
            };
            let receiving = form.receives().then_some((options.receive_route, into_file));
            if let Some(text) = why_no_handoff(options.wire, unix, receiving) {
                self.mistake(Field::SendRoute, translated(text));
            }
        }
    }

    /// The value that was read; an error becomes the field's mistake.
    fn valid<T>(&mut self, field: Field, read: Result<T, impl Into<UnitError>>) -> Option<T> {
        read.map_err(|error| self.mistake(field, typed_text::of_unit(&error.into())))
            .ok()
    }
}

/// The chunk that was typed, or for `auto` the fastest one for this checksum.
fn chunk_bytes(typed: &str, checksum: ChecksumKind) -> Result<usize, UnitError> {
    let chosen = || Options::chunk_bytes_for(checksum);
    Ok(parse_bytes_or_auto(typed)?.map_or_else(chosen, size))
}

/// A number of bytes or elements as memory counts them; what is beyond that is out of any bounds.
fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Where an option is typed; those without a field never leave their bounds here.
fn field_of(name: OptionName) -> Field {
    match name {
        OptionName::Chunk | OptionName::SocketBuffer => Field::Chunk,
        OptionName::Limit | OptionName::WriterPace | OptionName::ReaderPace => Field::Limit,
        OptionName::Preview => Field::Preview,
        OptionName::Timeout => Field::Timeout,
        OptionName::Streams => Field::Streams,
    }
}
