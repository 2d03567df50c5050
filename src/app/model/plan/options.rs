//! Reads how the array is moved, and finds routes that contradict the ends.

use super::super::form::{EndpointKind, Field, SinkKind};
use super::super::format;
use super::Checker;
use crate::array::parse_count;
use crate::route::{SendRouteChoice, why_no_handoff};
use crate::transfer::{Endpoint, Options};
use crate::wire::ChecksumKind;

/// Nobody means less: a number without a unit is bytes a second.
const LIMIT_MIN_BYTES_PER_S: u64 = 1000;
/// More first elements are not shown.
const PREVIEW_MAX: usize = 1000;

impl Checker<'_> {
    pub(super) fn options(&mut self) -> Option<Options> {
        let form = self.form;
        let checksum = if form.verify {
            ChecksumKind::default()
        } else {
            ChecksumKind::None
        };
        let chunk = self.valid(Field::Chunk, chunk_bytes(&form.chunk, checksum));
        let limit = self.valid(Field::Limit, limit_bytes_per_s(&form.limit));
        let preview = self.valid(Field::Preview, preview_elements(&form.preview));
        let timeout = self.valid(Field::Timeout, format::parse_duration(&form.timeout));
        // A receiver takes as many as the sender offers.
        let streams = if form.sends() {
            self.valid(Field::Streams, streams(&form.streams))
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
            checksum,
            timeout: timeout?,
            ..Options::default()
        };
        let checked = options.check();
        self.valid(Field::Streams, checked)?;
        Some(options)
    }

    /// Routes that contradict each other, the sink or the endpoint.
    pub(super) fn check_routes(&mut self, options: &Options) {
        let form = self.form;
        let into_file = form.sink == SinkKind::File;
        if form.receives() && options.receive_route.needs_file() && !into_file {
            let text = format!(
                "{} leads into a file: receive into one, or choose auto",
                form.receive_route.name()
            );
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
                self.mistake(Field::SendRoute, text);
            }
        }
    }

    /// What was read, or a mistake beside its field.
    fn valid<T>(&mut self, field: Field, read: Result<T, impl std::fmt::Display>) -> Option<T> {
        read.map_err(|error| self.mistake(field, error)).ok()
    }
}

/// The chunk that was typed, or where it is left to us the one that suits.
fn chunk_bytes(typed: &str, checksum: ChecksumKind) -> Result<usize, String> {
    if matches!(typed.trim(), "" | "auto") {
        return Ok(Options::chunk_bytes_for(checksum));
    }
    match usize::try_from(format::parse_bytes(typed)?) {
        Ok(bytes) if (4096..=1 << 30).contains(&bytes) => Ok(bytes),
        _ => Err("a chunk is between 4 KiB and 1 GiB, or auto".to_owned()),
    }
}

fn limit_bytes_per_s(typed: &str) -> Result<Option<u64>, String> {
    match format::parse_rate(typed)? {
        Some(limit) if limit < LIMIT_MIN_BYTES_PER_S => Err(format!(
            "that is {}: add a unit, such as {limit} MB/s",
            format::rate(limit as f64)
        )),
        limit => Ok(limit),
    }
}

fn preview_elements(typed: &str) -> Result<usize, String> {
    let count = parse_count(typed.trim())
        .ok()
        .and_then(|count| usize::try_from(count).ok());
    count
        .filter(|count| *count <= PREVIEW_MAX)
        .ok_or_else(|| format!("a number from 0 to {PREVIEW_MAX} is needed"))
}

fn streams(typed: &str) -> Result<u16, String> {
    let most = Options::STREAMS_MAX;
    let streams = typed.trim().parse().ok();
    streams
        .filter(|streams| (1..=most).contains(streams))
        .ok_or_else(|| format!("a number from 1 to {most} is needed"))
}
