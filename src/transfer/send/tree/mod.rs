//! Sends a tree of files: offers run ahead of answers, and what is wanted follows. One connection speaks for all, and
//! further ones send blocks of large files.

mod file;
mod further;
mod hearing;
mod offers;
mod outgoing;
mod sending;
mod walker;

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use crate::checksum::{ChecksumKind, Digest};
use crate::error::Error;
use crate::sys::{Interest, Wake, awake_now};
use crate::telemetry::{Probe, Rest};
use crate::transfer::limits::controls::Controls;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::machine::keep_alive::{IdleMeter, keep_alive_interval};
use crate::transfer::machine::outbox::Outbox;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::socket::would_block;
use crate::transfer::plan::Options;
use crate::transfer::source::tree::TreeSource;
use crate::transfer::source::walk::{ReadFault, SMALL_FILE_BYTES_MAX, Step, TreeReader};
use crate::transfer::tell::event::{EventKind, Finished, Side, Started, State};
use crate::transfer::tell::event_sender::EventSender;
use crate::wire::native::{Farewell, Message, Token, TreeRequest, greeting};

use super::{StreamRequest, TreeStreams};
use file::{Blocks, Ending, Sent, SentFile};
pub(crate) use further::FurtherTreeSender;
use offers::offer_bytes_most;
use outgoing::{Again, Outgoing};
pub(crate) use sending::TreeSending;
use walker::Walker;

/// As much is written ahead of the socket, beside one block.
const OUTBOX_BYTES: usize = 256 << 10;
/// Where there are further connections, blocks of a file can be on their way long after its end. So many files of several
/// blocks are sent ahead of their results.
const LARGE_AHEAD_MAX: usize = 128;
/// Before the receiver has taken the tree offers of so many bytes are made, and no more: many a first window of a link.
const EARLY_BYTES: usize = 64 << 10;
/// The items are told so often.
const ITEMS_INTERVAL: Duration = Duration::from_millis(200);

/// Sends what is in a tree.
pub(crate) struct TreeSender {
    connection: Connection,
    controls: Arc<Controls>,
    probe: Probe,
    events: EventSender,
    outbox: Outbox,
    inbox: Vec<u8>,
    source: TreeSource,
    walker: Walker,
    reader: TreeReader,
    outgoing: Outgoing,
    /// What further connections have a part in.
    sending: Arc<TreeSending>,
    /// Over how many connections in all, at most, and who is asked for further ones.
    streams: u16,
    requests: Sender<StreamRequest>,
    /// A step of the walk for which there was no credit.
    waiting: Option<(Step, Option<u64>)>,
    /// Said in offers before the receiver has taken the tree.
    early_bytes: usize,
    /// It was said that nothing more is offered.
    has_finished: bool,
    phase: Phase,
    checksum: ChecksumKind,
    /// Bytes of files that the receiver had from before, and that were not sent.
    kept_bytes: u64,
    /// What the receiver does with the tree, where it is known here because both ends are.
    sink: Option<String>,
    items_told_at: Instant,
    keep_alive_interval: Duration,
    keep_alive_at: Instant,
    idle_messages: u64,
    idle_meter: IdleMeter,
    chunk_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing was said.
    Hello,
    /// The receiver has not greeted.
    AwaitGreeting,
    /// It has not taken the tree.
    AwaitWelcome,
    /// Items move.
    Moving,
    /// Nothing more is offered, and every item has its result.
    AwaitSummary,
    Done,
}

/// Why nothing more can be written now.
enum Pause {
    /// Nobody has anything to do here before the receiver says something.
    ForReceiver,
    /// The walk is slower.
    ForWalk,
    /// Other connections have what is left of a file.
    ForOthers,
    /// A block was compared that the receiver has. There may be more to say at once, but others have their turn before.
    Compared,
    /// A limit.
    Until(Instant, Rest),
}

impl TreeSender {
    /// Sends `source` to whoever is at the other end; `wake` ends this thread's waits. `requests` is asked for further
    /// connections.
    ///
    /// # Errors
    /// The system gives no thread for the walk.
    pub(crate) fn new(
        connection: Connection,
        source: TreeSource,
        options: &Options,
        sink: Option<String>,
        requests: Sender<StreamRequest>,
        wake: &Arc<Wake>,
        mut context: MachineContext,
    ) -> Result<Self, Error> {
        context.probe.watch(connection.as_fd());
        context.probe.begin_transfer();
        let now = awake_now();
        let kind = source.compares.then_some(options.checksum);
        Ok(Self {
            connection,
            sending: TreeSending::new(Arc::clone(&context.controls)),
            streams: options.streams.clamp(1, Options::STREAMS_MAX),
            requests,
            controls: context.controls,
            probe: context.probe,
            events: context.events,
            outbox: Outbox::default(),
            inbox: Vec::new(),
            walker: Walker::begin(source.walk(), source.reader(), kind, wake)?,
            reader: source.reader(),
            source,
            outgoing: Outgoing::new(),
            waiting: None,
            early_bytes: 0,
            has_finished: false,
            phase: Phase::Hello,
            checksum: options.checksum,
            kept_bytes: 0,
            sink,
            items_told_at: now,
            keep_alive_interval: keep_alive_interval(options.timeout),
            keep_alive_at: now,
            idle_messages: 0,
            idle_meter: IdleMeter::new(now),
            chunk_bytes: options.chunk_bytes.max(1),
        })
    }

    fn advance(&mut self, now: Instant) -> Result<Progress, Error> {
        if self.phase == Phase::Hello {
            self.say_hello();
        }
        // Whoever has said the last word may have left.
        if self.phase == Phase::Done {
            return Ok(Progress::Done(Box::new(self.conclude())));
        }
        if self.hear(now)? {
            return Ok(Progress::Moved);
        }
        self.tell_items(now);
        let pause = match self.phase {
            Phase::Moving => self.fill(now)?,
            Phase::AwaitGreeting | Phase::AwaitWelcome => self.fill_early(now),
            Phase::Hello | Phase::AwaitSummary | Phase::Done => Pause::ForReceiver,
        };
        if !self.outbox.is_empty() {
            return match self.outbox.flush(self.connection.as_fd(), false, &mut self.probe) {
                Ok(()) => Ok(Progress::Moved),
                Err(error) if would_block(&error) => Ok(wait(true, None, true)),
                Err(_) => Err(self.broken(now)),
            };
        }
        self.rest(&pause, now)
    }

    /// Nothing can be written now.
    fn rest(&mut self, pause: &Pause, now: Instant) -> Result<Progress, Error> {
        let is_paused = self.phase == Phase::Moving && self.controls.is_paused();
        let peer_owes = matches!(pause, Pause::ForReceiver) && !is_paused;
        if now >= self.keep_alive_at && !matches!(self.phase, Phase::AwaitGreeting | Phase::AwaitWelcome) {
            self.keep_alive_at = now + self.keep_alive_interval;
            Message::KeepAlive.encode(self.outbox.buffer());
            // That we are there says nothing of the peer: it may still owe a word.
            match self.outbox.flush(self.connection.as_fd(), false, &mut self.probe) {
                Ok(()) => {}
                Err(error) if would_block(&error) => return Ok(wait(true, None, true)),
                Err(_) => return Err(self.broken(now)),
            }
        }
        let mut until = self.keep_alive_at;
        match pause {
            _ if is_paused => self.probe.rests(Rest::Pause),
            Pause::ForReceiver => {}
            Pause::Compared => return Ok(Progress::Moved),
            Pause::ForWalk => self.probe.rests(Rest::Disk),
            Pause::ForOthers => self.probe.rests(Rest::Others),
            Pause::Until(then, rest) => {
                until = until.min(*then);
                self.probe.rests(*rest);
            }
        }
        Ok(wait(false, Some(until), peer_owes))
    }

    fn say_hello(&mut self) {
        let hello = Message::Hello {
            streams: self.streams,
            tree: Some(TreeRequest {
                root: self.source.title(),
                replace: self.source.replace,
                compares: self.source.compares,
            }),
        };
        let out = self.outbox.buffer();
        out.extend_from_slice(&greeting());
        hello.encode(out);
        self.events.state(State::Connecting);
        self.phase = Phase::AwaitGreeting;
    }

    /// Writes into the outbox what can be said now, until there is enough. Says why there is no more.
    fn fill(&mut self, now: Instant) -> Result<Pause, Error> {
        if self.controls.is_paused() {
            self.events.state(State::Paused);
            return Ok(Pause::ForReceiver);
        }
        self.events.state(State::Transferring);
        let limit = self.controls.limit_bytes_per_s();
        self.events.limit(limit);
        loop {
            if self.outbox.len() >= OUTBOX_BYTES {
                return Ok(Pause::ForReceiver);
            }
            if let Some(item) = self.outgoing.take_due_end() {
                self.say_end(item, 0, None, 0);
                continue;
            }
            if let Some(file) = self.sending.file() {
                match self.send_block(&file, limit, now) {
                    Ok(()) => continue,
                    Err(pause) => return Ok(pause),
                }
            }
            let pace = self.controls.pace_bytes_per_s(Side::Sender);
            let allowance = self.sending.throttle().allow(limit, pace, 1, now);
            if let Err((then, rest)) = allowance {
                return Ok(Pause::Until(then, rest));
            }
            if self.sending.is_shared() && self.outgoing.large_unsettled() >= LARGE_AHEAD_MAX {
                return Ok(Pause::ForReceiver);
            }
            if let Some((item, claimed)) = self.outgoing.take_accepted() {
                self.begin_file(item, claimed);
                continue;
            }
            let may_offer_again = |again: &Again| self.outgoing.may_offer(offer_bytes_most(&again.path));
            if self.outgoing.next_again().is_some_and(may_offer_again)
                && let Some(again) = self.outgoing.take_again()
            {
                self.offer_again(&again);
                continue;
            }
            if let Some(pause) = self.offer_next(limit, now) {
                return Ok(pause);
            }
        }
    }

    /// Offers some items while the hello is on its way, so that answers come with the welcome. No file goes with its offer
    /// before it is known that the receiver has none.
    fn fill_early(&mut self, now: Instant) -> Pause {
        let limit = self.controls.limit_bytes_per_s();
        while self.early_bytes < EARLY_BYTES && !self.controls.is_paused() {
            let before = self.outbox.len();
            if self.offer_next(limit, now).is_some() {
                break;
            }
            self.early_bytes += self.outbox.len() - before;
        }
        Pause::ForReceiver
    }

    fn say_end(&mut self, item: u32, bytes: u64, checksum: Option<u64>, kept: u64) {
        let end = Message::End {
            item,
            bytes,
            checksum,
            kept,
        };
        end.encode(self.outbox.buffer());
    }

    /// A file that the receiver wants is next.
    fn begin_file(&mut self, item: u32, claimed: Option<Blocks>) {
        let Some(entry) = self.outgoing.entry(item) else { return };
        if entry.bytes <= SMALL_FILE_BYTES_MAX.min(file::GRAIN_MAX.bytes()) {
            self.send_small(item);
            return;
        }
        let blocks = claimed.unwrap_or_else(|| (file::grain(entry.bytes), Vec::new()));
        let opened = self.reader.open(&entry.path, entry.identity);
        match opened {
            Ok(opened) => {
                let file = SentFile::new(item, opened, entry.bytes, blocks, self.checksum);
                self.outgoing.moves(item);
                self.sending.set_file(Some(Arc::new(file)));
            }
            Err(fault) => self.drop_item(item, &fault),
        }
    }

    /// Sends a file that is one block, or none.
    fn send_small(&mut self, item: u32) {
        let Some(entry) = self.outgoing.entry(item) else { return };
        let (bytes, out) = (entry.bytes, self.outbox.buffer());
        let before = out.len();
        if bytes > 0 {
            Message::Block {
                item,
                index: 0,
                // At most a block's.
                len: u32::try_from(bytes).unwrap_or(u32::MAX),
                ends: true,
            }
            .encode(out);
        }
        let begin = out.len();
        if let Err(fault) = self.reader.read_small(entry, out) {
            out.truncate(before);
            self.drop_item(item, &fault);
            return;
        }
        let mut digest = Digest::new(self.checksum);
        digest.update(&out[begin..]);
        let checksum = digest.value();
        if bytes > 0 {
            out.extend_from_slice(&checksum.unwrap_or_default().to_le_bytes());
        } else {
            self.say_end(item, bytes, checksum, 0);
        }
        self.moved(bytes);
        self.outgoing.moves(item);
        self.outgoing.sent(item);
    }

    /// Sends the next block of the file that is on its way, or its end.
    fn send_block(&mut self, file: &SentFile, limit: Option<u64>, now: Instant) -> Result<(), Pause> {
        let item = file.item();
        if self.outgoing.entry(item).is_none() {
            // It has a result already, which can only be a failure.
            self.sending.set_file(None);
            return Ok(());
        }
        let pace = self.controls.pace_bytes_per_s(Side::Sender);
        let allowance = self.sending.throttle().allow(limit, pace, 1, now);
        allowance.map_err(|(then, rest)| Pause::Until(then, rest))?;
        let sent = file.send(self.outbox.buffer());
        let ending = match sent {
            Ok(Sent::Block(bytes)) => {
                self.moved(bytes);
                return Ok(());
            }
            Ok(Sent::Kept) => return Err(Pause::Compared),
            Ok(Sent::Nothing) => file.ending(),
            Err(fault) => Err(fault),
        };
        match ending {
            Ok(None) => return Err(Pause::ForOthers),
            Ok(Some(Ending {
                bytes,
                checksum,
                kept_bytes,
            })) => {
                self.kept_bytes += kept_bytes;
                self.say_end(item, bytes, checksum, kept_bytes);
                self.outgoing.sent(item);
            }
            Err(fault) => self.drop_item(item, &fault),
        }
        self.sending.set_file(None);
        Ok(())
    }

    /// A file is not what was offered, or cannot be read.
    fn drop_item(&mut self, item: u32, fault: &ReadFault) {
        let reason = fault.to_string();
        self.outgoing
            .dropped(item, *fault == ReadFault::Changed, reason.clone());
        Message::Drop { item, reason }.encode(self.outbox.buffer());
    }

    fn moved(&mut self, bytes: u64) {
        self.sending.moved(bytes);
        self.probe.moved(bytes);
    }

    /// The receiver has taken the tree, and lets further connections join that show the token.
    fn begin(&mut self, more: Option<(u16, Token)>) {
        self.phase = Phase::Moving;
        let streams = more.map_or(1, |(most, _)| most.min(self.streams));
        if let Some((_, token)) = more.filter(|_| streams > 1) {
            self.sending.share();
            // There is room: a transfer asks once.
            let _ = self.requests.try_send(StreamRequest::Tree(TreeStreams {
                sending: Arc::clone(&self.sending),
                token,
                count: streams - 1,
            }));
        }
        self.tell_started(streams);
    }

    fn tell_started(&mut self, streams: u16) {
        let connection = &self.connection;
        self.events.tell(EventKind::Started(Box::new(Started {
            source: Some(self.source.title()),
            sink: self.sink.clone(),
            peer: connection.peer().into(),
            own_address: connection.own_address().ok().flatten(),
            peer_process: connection.peer_process(),
            wire: "native".into(),
            send_route: Some("files".into()),
            receive_route: None,
            route_reason: "files of a tree are read and sent one after the other".into(),
            streams,
            is_tree: true,
            congestion_control: connection.congestion_control().map(Into::into),
            chunk_bytes: self.chunk_bytes,
            send_buffer_bytes: connection.buffers().send,
            receive_buffer_bytes: connection.buffers().receive,
            connect_s: connection.connect_time().map(|time| time.as_secs_f64()),
            ..Started::default()
        })));
    }

    fn tell_items(&mut self, now: Instant) {
        if now < self.items_told_at || self.phase != Phase::Moving {
            return;
        }
        self.items_told_at = now + ITEMS_INTERVAL;
        self.events
            .tell(EventKind::Items(Box::new(self.outgoing.items.counts())));
    }

    fn conclude(&mut self) -> Finished {
        let (items, bytes) = (std::mem::take(&mut self.outgoing.items), self.sending.bytes());
        Finished {
            bytes: self.kept_bytes + bytes,
            resumed_bytes: self.kept_bytes,
            rate_bytes_per_s: self.probe.mean_rate(bytes, self.events.paused_for()),
            verified: (self.checksum != ChecksumKind::None).then_some(true),
            items: Some(Box::new(items)),
            ..Finished::default()
        }
    }
}

impl Machine for TreeSender {
    fn socket(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }

    fn step(&mut self, now: Instant, _ready: bool) -> Result<Progress, Error> {
        self.advance(now)
    }

    fn give_up(&mut self, farewell: &Farewell) -> bool {
        if self.phase == Phase::Hello {
            return false;
        }
        // Behind what waits there, which is whole messages.
        Message::Abort(farewell.clone()).encode(self.outbox.buffer());
        // The peer learns of the end by the closing connection all the same.
        let flushed = self.outbox.flush(self.connection.as_fd(), false, &mut self.probe);
        flushed.is_ok()
    }

    fn silence(&self, timeout: Duration) -> Error {
        match self.phase {
            Phase::Hello | Phase::AwaitGreeting | Phase::AwaitWelcome => Error::Unanswered(timeout),
            _ => Error::Silent(timeout),
        }
    }

    fn probe(&mut self) -> &mut Probe {
        &mut self.probe
    }

    fn bytes(&self) -> u64 {
        self.sending.bytes()
    }
}

fn wait(write: bool, until: Option<Instant>, peer_owes: bool) -> Progress {
    Progress::Wait {
        interest: Interest { read: true, write },
        until,
        peer_owes,
    }
}
