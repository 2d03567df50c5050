//! What each cause is called, and the sentence on it alone.

use super::say;
use crate::telemetry::Cause;

/// Its name in a key to colours.
#[must_use]
pub(crate) fn name(cause: Cause) -> &'static str {
    match cause {
        Cause::SenderDisk => say!("cause-sender-disk"),
        Cause::WriterPace => say!("cause-writer-pace"),
        Cause::Sender => say!("cause-sender"),
        Cause::Limit => say!("cause-limit"),
        Cause::Paused => say!("cause-paused"),
        Cause::Buffers => say!("cause-buffers"),
        Cause::Network => say!("cause-network"),
        Cause::OtherEnd => say!("cause-other-end"),
        Cause::Receiver => say!("cause-receiver"),
        Cause::ReaderPace => say!("cause-reader-pace"),
        Cause::ReceiverDisk => say!("cause-receiver-disk"),
        Cause::Stopped => say!("cause-stopped"),
    }
}

/// What it is called within a sentence.
#[must_use]
pub(crate) fn in_a_sentence(cause: Cause) -> &'static str {
    match cause {
        Cause::SenderDisk => say!("cause-the-sender-disk"),
        Cause::WriterPace => say!("cause-the-writer-pace"),
        Cause::Sender => say!("cause-the-sender"),
        Cause::Limit => say!("cause-the-limit"),
        Cause::Paused => say!("cause-the-pause"),
        Cause::Buffers => say!("cause-the-buffers"),
        Cause::Network => say!("cause-the-network"),
        Cause::OtherEnd => say!("cause-the-other-end"),
        Cause::Receiver => say!("cause-the-receiver"),
        Cause::ReaderPace => say!("cause-the-reader-pace"),
        Cause::ReceiverDisk => say!("cause-the-receiver-disk"),
        Cause::Stopped => say!("cause-a-stop"),
    }
}

/// A sentence that says that it is the limit now.
#[must_use]
pub(crate) fn now(cause: Cause) -> &'static str {
    match cause {
        Cause::SenderDisk => say!("cause-now-sender-disk"),
        Cause::WriterPace => say!("cause-now-writer-pace"),
        Cause::Sender => say!("cause-now-sender"),
        Cause::Limit => say!("cause-now-limit"),
        Cause::Paused => say!("cause-now-paused"),
        Cause::Buffers => say!("cause-now-buffers"),
        Cause::Network => say!("cause-now-network"),
        Cause::OtherEnd => say!("cause-now-other-end"),
        Cause::Receiver => say!("cause-now-receiver"),
        Cause::ReaderPace => say!("cause-now-reader-pace"),
        Cause::ReceiverDisk => say!("cause-now-receiver-disk"),
        Cause::Stopped => say!("cause-now-stopped"),
    }
}
