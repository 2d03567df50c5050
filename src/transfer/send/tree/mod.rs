//! Sends a tree of files over one connection: offers run ahead of answers, and what is wanted follows.

mod file;
mod outgoing;
mod walker;

use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, recv};

use crate::checksum::{ChecksumKind, Digest};
use crate::error::Error;
use crate::sys::{Interest, Wake, awake_now};
use crate::telemetry::{Probe, Rest};
use crate::transfer::limits::controls::Controls;
use crate::transfer::limits::limiter::Throttle;
use crate::transfer::machine::context::MachineContext;
use crate::transfer::machine::drive::{Machine, Progress};
use crate::transfer::machine::keep_alive::{IdleMeter, keep_alive_interval};
use crate::transfer::machine::outbox::Outbox;
use crate::transfer::net::connection::Connection;
use crate::transfer::net::socket::{is_broken, would_block};
use crate::transfer::plan::Options;
use crate::transfer::source::tree::TreeSource;
use crate::transfer::source::walk::{self, ReadFault, SMALL_FILE_BYTES_MAX, Step, TreeReader};
use crate::transfer::tell::event::{EventKind, Finished, Side, Started, State};
use crate::transfer::tell::event_sender::EventSender;
use crate::transfer::tree::path::shown_bytes;
use crate::wire::Grain;
use crate::wire::native::{Entry, EntryKind, Message, Parsed, TreeRequest, greeting, version_of};

use file::{Sent, SentFile};
use outgoing::{Again, Outgoing};
use walker::{NextStep, Walker};

/// As much is written ahead of the socket, beside one block.
const OUTBOX_BYTES: usize = 256 << 10;
/// More than any offer of an entry has: two paths and some numbers.
const OFFER_BYTES_MAX: u64 = 16 << 10;
/// The items are told so often.
const ITEMS_INTERVAL: Duration = Duration::from_millis(200);
/// So long is an honest receiver's message: a reason, and some numbers.
const INBOX_BYTES: usize = 64 << 10;

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
    /// A file of several blocks that is on its way.
    file: Option<SentFile>,
    /// A step of the walk for which there was no credit.
    waiting: Option<(Step, Option<u64>)>,
    /// It was said that nothing more is offered.
    has_finished: bool,
    phase: Phase,
    checksum: ChecksumKind,
    throttle: Throttle,
    bytes: u64,
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
    /// A limit.
    Until(Instant, Rest),
}

impl TreeSender {
    /// Sends `source` to whoever is at the other end; `wake` ends this thread's waits.
    ///
    /// # Errors
    /// The system gives no thread for the walk.
    pub(crate) fn new(
        connection: Connection,
        source: TreeSource,
        options: &Options,
        sink: Option<String>,
        wake: &Arc<Wake>,
        mut context: MachineContext,
    ) -> Result<Self, Error> {
        context.probe.watch(connection.as_fd());
        context.probe.begin_transfer();
        let now = awake_now();
        let kind = source.compares.then_some(options.checksum);
        Ok(Self {
            connection,
            controls: context.controls,
            probe: context.probe,
            events: context.events,
            outbox: Outbox::default(),
            inbox: Vec::new(),
            walker: Walker::begin(source.walk(), source.reader(), kind, wake)?,
            reader: source.reader(),
            source,
            outgoing: Outgoing::new(),
            file: None,
            waiting: None,
            has_finished: false,
            phase: Phase::Hello,
            checksum: options.checksum,
            throttle: Throttle::new(now),
            bytes: 0,
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
            _ => Pause::ForReceiver,
        };
        if !self.outbox.is_empty() {
            return match self.outbox.flush(self.connection.as_fd(), false, &mut self.probe) {
                Ok(()) => Ok(Progress::Moved),
                Err(error) if would_block(&error) => Ok(wait(true, None, true)),
                Err(_) => Err(self.broken(now)),
            };
        }
        Ok(self.rest(&pause, now))
    }

    /// Nothing can be written now.
    fn rest(&mut self, pause: &Pause, now: Instant) -> Progress {
        let is_paused = self.phase == Phase::Moving && self.controls.is_paused();
        let peer_owes = matches!(pause, Pause::ForReceiver) && !is_paused;
        if now >= self.keep_alive_at && !matches!(self.phase, Phase::AwaitGreeting | Phase::AwaitWelcome) {
            self.keep_alive_at = now + self.keep_alive_interval;
            Message::KeepAlive.encode(self.outbox.buffer());
            return Progress::Moved;
        }
        let mut until = self.keep_alive_at;
        match pause {
            _ if is_paused => self.probe.rests(Rest::Pause),
            Pause::ForReceiver => {}
            Pause::ForWalk => self.probe.rests(Rest::Disk),
            Pause::Until(then, rest) => {
                until = until.min(*then);
                self.probe.rests(*rest);
            }
        }
        wait(false, Some(until), peer_owes)
    }

    fn say_hello(&mut self) {
        let hello = Message::Hello {
            streams: 1,
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
                self.say_end(item, 0, None);
                continue;
            }
            if self.file.is_some() {
                match self.send_block(limit, now) {
                    Ok(()) => continue,
                    Err(pause) => return Ok(pause),
                }
            }
            let pace = self.controls.pace_bytes_per_s(Side::Sender);
            if let Err((then, rest)) = self.throttle.allow(limit, pace, 1, now) {
                return Ok(Pause::Until(then, rest));
            }
            if let Some(item) = self.outgoing.take_accepted() {
                self.begin_file(item);
                continue;
            }
            if self.outgoing.may_offer(OFFER_BYTES_MAX)
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

    /// Takes the walk a step further. Says why it cannot.
    fn offer_next(&mut self, limit: Option<u64>, now: Instant) -> Option<Pause> {
        let waiting = self.waiting.take().map(|(step, content)| NextStep::Step(step, content));
        let (step, content) = match waiting.unwrap_or_else(|| self.walker.next()) {
            NextStep::Step(step, content) => (step, content),
            NextStep::NotYet => return Some(Pause::ForWalk),
            NextStep::Over => {
                self.outgoing.items.are_all_known = true;
                // A file that has changed when it is its turn is offered once more.
                if !self.has_finished && !self.outgoing.may_offer_again() {
                    self.has_finished = true;
                    Message::Finish.encode(self.outbox.buffer());
                    return None;
                }
                if self.is_settled() {
                    self.phase = Phase::AwaitSummary;
                    self.events.state(State::Verifying);
                }
                return Some(Pause::ForReceiver);
            }
        };
        let at_once = match &step {
            Step::File(entry) if self.sends_at_once(entry.bytes) => entry.bytes,
            _ => 0,
        };
        if !matches!(step, Step::FolderEnd(_) | Step::Failed { .. }) {
            if !self.outgoing.may_offer(OFFER_BYTES_MAX + at_once) {
                self.waiting = Some((step, content));
                return Some(Pause::ForReceiver);
            }
            if at_once > 0
                && let Err((then, rest)) = self.throttle.allow(limit, None, at_once, now)
            {
                self.waiting = Some((step, content));
                return Some(Pause::Until(then, rest));
            }
        }
        match step {
            Step::Folder(entry) => {
                let item = self.outgoing.offer_folder(entry.path.clone());
                self.say_offer(item, &entry, EntryKind::Folder);
            }
            Step::Link { entry, target } => {
                let item = self.outgoing.offer_link(entry.path.clone());
                self.say_offer(item, &entry, EntryKind::Link { target });
            }
            Step::File(entry) => self.offer_file(&entry, content),
            Step::FolderEnd(_) => self.outgoing.leave_folder(),
            Step::Failed { path, reason } => {
                let path = shown_bytes(&path);
                self.outgoing.fail(path, reason.to_string());
            }
        }
        None
    }

    /// Whether a file of so many bytes goes with its offer.
    fn sends_at_once(&self, bytes: u64) -> bool {
        self.outgoing.is_eager && bytes <= Grain::MIN.bytes()
    }

    fn offer_file(&mut self, entry: &walk::Entry, content: Option<u64>) {
        let item = self.outgoing.offer_file(entry.clone());
        self.say_offer(item, entry, self.file_kind(entry, content));
        if self.sends_at_once(entry.bytes) {
            let before = self.outbox.len();
            self.send_small(item);
            self.outgoing.spend(self.outbox.len() - before);
        }
    }

    /// Offers a file once more that had changed.
    fn offer_again(&mut self, again: &Again) {
        match self.reader.look_again(&again.path) {
            Ok(entry) => {
                let item = self.outgoing.offer_again(entry.clone(), again);
                self.say_offer(item, &entry, self.file_kind(&entry, None));
            }
            Err(fault) => self.outgoing.fail_again(again, fault.to_string()),
        }
    }

    fn file_kind(&self, entry: &walk::Entry, content: Option<u64>) -> EntryKind {
        EntryKind::File {
            bytes: entry.bytes,
            grain: file::grain(entry.bytes),
            checksum: self.checksum,
            is_sparse: entry.is_sparse,
            content,
        }
    }

    fn say_offer(&mut self, item: u32, entry: &walk::Entry, what: EntryKind) {
        let entry = Box::new(Entry {
            path: entry.path.as_bytes().to_vec(),
            mode: entry.mode,
            mtime: entry.modified,
            what,
        });
        let out = self.outbox.buffer();
        let before = out.len();
        Message::OfferEntry { item, entry }.encode(out);
        let said = out.len() - before;
        self.outgoing.spend(said);
    }

    fn say_end(&mut self, item: u32, bytes: u64, checksum: Option<u64>) {
        let kept = 0;
        let end = Message::End {
            item,
            bytes,
            checksum,
            kept,
        };
        end.encode(self.outbox.buffer());
    }

    /// A file that the receiver wants is next.
    fn begin_file(&mut self, item: u32) {
        let Some(entry) = self.outgoing.entry(item) else { return };
        if entry.bytes <= SMALL_FILE_BYTES_MAX.min(file::GRAIN_MAX.bytes()) {
            self.send_small(item);
            return;
        }
        let grain = file::grain(entry.bytes);
        let opened = self.reader.open(&entry.path, entry.identity);
        match opened {
            Ok(opened) => self.file = Some(SentFile::new(item, opened, entry.bytes, grain, self.checksum)),
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
            self.say_end(item, bytes, checksum);
        }
        self.moved(bytes);
        self.outgoing.sent(item);
    }

    /// Sends the next block of the file that is on its way.
    fn send_block(&mut self, limit: Option<u64>, now: Instant) -> Result<(), Pause> {
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        let pace = self.controls.pace_bytes_per_s(Side::Sender);
        if let Err((then, rest)) = self.throttle.allow(limit, pace, file.next_bytes().max(1), now) {
            self.file = Some(file);
            return Err(Pause::Until(then, rest));
        }
        let item = file.item();
        if self.outgoing.entry(item).is_none() {
            // It has a result already, which can only be a failure.
            return Ok(());
        }
        match file.send(self.outbox.buffer()) {
            Ok(Sent::Block(bytes)) => {
                self.moved(bytes);
                self.file = Some(file);
            }
            Ok(Sent::Last(bytes, checksum)) => {
                self.say_end(item, bytes, checksum);
                self.outgoing.sent(item);
            }
            Err(fault) => self.drop_item(item, &fault),
        }
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
        self.throttle.spend(bytes);
        self.bytes += bytes;
        self.probe.moved(bytes);
    }

    /// Takes what the receiver has said, and whether it has said something.
    fn hear(&mut self, now: Instant) -> Result<bool, Error> {
        let before = self.inbox.len();
        self.inbox.resize(before + INBOX_BYTES, 0);
        let received = recv(self.connection.as_fd(), &mut self.inbox[before..], RecvFlags::DONTWAIT);
        let received = received.map(|(received, _)| received).map_err(std::io::Error::from);
        self.inbox.truncate(before + *received.as_ref().unwrap_or(&0));
        match received {
            Ok(0) => return Err(self.closed()),
            Ok(_) => {}
            Err(error) if would_block(&error) => return Ok(false),
            Err(error) if is_broken(&error) => return Err(self.closed()),
            Err(error) => return Err(Error::system("cannot hear the receiver", &error)),
        }
        let mut at = 0;
        if self.phase == Phase::AwaitGreeting {
            let Some(first) = self.inbox.first_chunk::<8>() else {
                return Ok(true);
            };
            if version_of(first).is_none() {
                return Err(Error::OtherProtocol("its answer is not a native receiver's".into()));
            }
            at = first.len();
            self.phase = Phase::AwaitWelcome;
        }
        while let Parsed::Message(message, len) = Message::parse(&self.inbox[at..])? {
            at += len;
            self.take(message)?;
        }
        self.inbox.drain(..at);
        self.idle_meter.check(self.idle_messages, now)?;
        Ok(true)
    }

    fn take(&mut self, message: Message) -> Result<(), Error> {
        match (self.phase, message) {
            (_, Message::KeepAlive | Message::Skipped) => self.idle_messages += 1,
            (_, Message::Abort { reason }) => return Err(Error::Aborted(reason)),
            (Phase::AwaitWelcome, Message::Refuse { reason }) => return Err(Error::Refused(reason)),
            (Phase::AwaitWelcome, Message::Welcome { is_fresh, .. }) => {
                self.outgoing.is_eager = is_fresh && self.source.is_single();
                self.phase = Phase::Moving;
                self.tell_started();
            }
            (Phase::AwaitWelcome, Message::Hello { .. }) => {
                return Err(Error::OtherProtocol(
                    "it sends back what it gets, as an echo service does: a receiver is needed there".into(),
                ));
            }
            (Phase::Moving, Message::Credit(credit)) => self.outgoing.give(credit),
            (
                Phase::Moving,
                Message::Accept {
                    item,
                    handoff: false,
                    grain: None,
                },
            ) => self.outgoing.accept(item)?,
            (Phase::Moving, Message::Result(result)) => self.outgoing.settle(&result)?,
            // Between the last result and our noticing that it was the last one.
            (Phase::Moving | Phase::AwaitSummary, Message::Summary) if self.is_settled() => self.phase = Phase::Done,
            (Phase::AwaitSummary, Message::Credit(_)) => {}
            (_, message) => return Err(Error::Protocol(format!("{} out of turn", message.name()))),
        }
        Ok(())
    }

    fn is_settled(&self) -> bool {
        self.has_finished && self.outgoing.is_settled()
    }

    /// The error for a socket that takes nothing more: what the peer said last tells why, if it said anything.
    fn broken(&mut self, now: Instant) -> Error {
        loop {
            match self.hear(now) {
                Ok(true) => {}
                Ok(false) => return self.closed(),
                Err(error) => return error,
            }
        }
    }

    fn closed(&self) -> Error {
        match self.phase {
            Phase::Hello | Phase::AwaitGreeting | Phase::AwaitWelcome => {
                Error::ClosedWhile("before it answered the offer")
            }
            _ => Error::ClosedWhile("before it had said what became of every file"),
        }
    }

    fn tell_started(&mut self) {
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
            streams: 1,
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
        let items = std::mem::take(&mut self.outgoing.items);
        Finished {
            bytes: self.bytes,
            rate_bytes_per_s: self.probe.mean_rate(self.bytes, self.events.paused_for()),
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

    fn give_up(&mut self, reason: &str) -> bool {
        if self.phase == Phase::Hello {
            return false;
        }
        // Behind what waits there, which is whole messages.
        Message::Abort { reason: reason.into() }.encode(self.outbox.buffer());
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
        self.bytes
    }
}

fn wait(write: bool, until: Option<Instant>, peer_owes: bool) -> Progress {
    Progress::Wait {
        interest: Interest { read: true, write },
        until,
        peer_owes,
    }
}
