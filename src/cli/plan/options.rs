//! From what is typed to how it is done, within the bounds of [`Options::check`].

use std::fmt::Display;

use crate::cli::Failure;
use crate::cli::arguments::{CommonArguments, ReceivingArguments, SendingArguments};
use crate::route::{ReceiveRouteChoice, SendRouteChoice, why_no_handoff};
use crate::transfer::{OptionName, Options, SinkSpec};
use crate::wire::{ChecksumKind, WireChoice};

use super::usage;

/// How `send` and `loopback` send.
pub(super) fn sending(typed: &SendingArguments, common_typed: &CommonArguments) -> Result<Options, Failure> {
    let has_checksums = matches!(common_typed.wire, WireChoice::Auto | WireChoice::Native);
    let checksum = match typed.checksum {
        Some(kind) if kind != ChecksumKind::None && !has_checksums => {
            let wire = common_typed.wire.name();
            return Err(usage(format!(
                "the {wire} wire has no checksums: leave --checksum out, or take --wire native"
            )));
        }
        Some(kind) => kind,
        None if typed.no_verify => ChecksumKind::None,
        None => ChecksumKind::default(),
    };
    checked(Options {
        send_route: typed.send_route,
        writer_pace_bytes_per_s: typed.writer_pace,
        checksum,
        streams: typed.streams,
        ..common(common_typed, checksum)
    })
}

/// How whoever receives into `sink` does.
pub(super) fn receiving(
    typed: &ReceivingArguments,
    common_typed: &CommonArguments,
    sink: &SinkSpec,
) -> Result<Options, Failure> {
    checked(Options {
        receive_route: receive_route(typed, sink)?,
        reader_pace_bytes_per_s: typed.reader_pace,
        sync: !typed.no_sync,
        allow_replace: typed.allow_replace,
        ..common(common_typed, ChecksumKind::default())
    })
}

/// What all commands have; `checksum` is what will be taken, as far as it is known here.
pub(super) fn common(typed: &CommonArguments, checksum: ChecksumKind) -> Options {
    Options {
        wire: typed.wire,
        chunk_bytes: chunk_bytes(typed.chunk.0, checksum),
        limit_bytes_per_s: typed.limit.0,
        socket_buffer_bytes: typed.socket_buffer.map(size),
        preview_elements: size(typed.preview),
        timeout: typed.timeout,
        peer_user: typed.peer_user.unwrap_or_default(),
        ..Options::default()
    }
}

/// A handoff that is asked for is possible as far as can be told before anyone is asked.
pub(super) fn check_handoff(
    options: &Options,
    unix: bool,
    receiving: Option<(ReceiveRouteChoice, bool)>,
) -> Result<(), Failure> {
    let mistake = (options.send_route == SendRouteChoice::Handoff)
        .then(|| why_no_handoff(options.wire, unix, receiving))
        .flatten();
    mistake.map_or(Ok(()), |mistake| Err(usage(mistake)))
}

/// The route by which bytes land, where it leads into this sink.
pub(super) fn receive_route(typed: &ReceivingArguments, sink: &SinkSpec) -> Result<ReceiveRouteChoice, Failure> {
    if typed.receive_route.needs_file() && matches!(sink, SinkSpec::Memory | SinkSpec::Discard) {
        return Err(usage(format!(
            "the {} route leads into a file: add --into PATH, or take another route",
            typed.receive_route.name()
        )));
    }
    Ok(typed.receive_route)
}

/// The same options, where none is out of its bounds and none contradicts another.
pub(super) fn checked(options: Options) -> Result<Options, Failure> {
    match options.mistakes().into_iter().next() {
        None => Ok(options),
        Some((name, text)) => Err(out_of_bounds(flag(name), text)),
    }
}

/// What is typed for `flag` cannot be.
pub(super) fn out_of_bounds(flag: &str, right: impl Display) -> Failure {
    usage(format!("{flag}: {right} (--help tells more)"))
}

/// What is typed for an option.
fn flag(name: OptionName) -> &'static str {
    match name {
        OptionName::Chunk => "--chunk",
        OptionName::SocketBuffer => "--socket-buffer",
        OptionName::Limit => "--limit",
        OptionName::WriterPace => "--writer-pace",
        OptionName::ReaderPace => "--reader-pace",
        OptionName::Preview => "--preview",
        OptionName::Timeout => "--timeout",
        OptionName::Streams => "--streams",
    }
}

/// The chunk that was typed, or else what is fastest here.
pub(super) fn chunk_bytes(typed: Option<u64>, checksum: ChecksumKind) -> usize {
    typed.map_or_else(|| Options::chunk_bytes_for(checksum), size)
}

/// A number of bytes or elements as memory counts them; what is beyond that is out of any bounds.
pub(super) fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
