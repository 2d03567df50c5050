//! Receives a tree of files. One connection speaks for all, and further ones bring blocks of large files. What comes passes
//! through memory to a disk's thread, which decides and stores in batches: while one is stored the next one comes.

mod disk;
mod further;
mod incoming;
mod junction;

use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rustix::net::{RecvFlags, recv};

use crate::error::Error;
use crate::sys::{Interest, awake_now};
use crate::telemetry::Rest;
use crate::transfer::limits::admission::Applicant;
use crate::transfer::limits::keep_free::KeepFree;
use crate::transfer::machine::drive::Progress;
use crate::transfer::net::expected::Expected;
use crate::transfer::net::listener::Listener;
use crate::transfer::net::socket::{is_broken, would_block};
use crate::transfer::plan::Options;
use crate::transfer::receive::link::{Flushed, Link, compared_at_most, rest_until, wait_to_read};
use crate::transfer::receive::{JoinRequest, Joinable};
use crate::transfer::sink::file_system::Effort;
use crate::transfer::sink::task::Pending;
use crate::transfer::sink::tree::TreePolicy;
use crate::transfer::tell::event::{EventKind, Finished, Side, Started, State};
use crate::transfer::tell::items::Items;
use crate::wire::native::{Message, Token, TreeInbox, TreeRequest, TreeWord};

use disk::{Answer, Task, TreeDisk};
pub(crate) use further::FurtherTreeReceiver;
use incoming::Incoming;
pub(crate) use junction::Junction;

/// While so many bytes wait for the disk no more are read.
const WAITING_BYTES_MAX: usize = 32 << 20;
/// While so many bytes of answers wait for the sender no more is read.
const OUTBOX_BYTES_MAX: usize = 256 << 10;
/// The items are told so often.
const ITEMS_INTERVAL: Duration = Duration::from_millis(200);

/// A tree that is received.
pub(super) struct TreeReceiving {
    root: PathBuf,
    request: TreeRequest,
    disk: Disk,
    inbox: Option<TreeInbox>,
    incoming: Incoming,
    /// For the disk, when it is free.
    tasks: Vec<Task>,
    tasks_bytes: usize,
    /// Where further connections can come in, until it is decided whether they may.
    listener: Option<Listener>,
    requests: Sender<JoinRequest>,
    junction: Arc<Junction>,
    phase: Phase,
    items_told_at: Instant,
    /// Bytes of files that have come over further connections.
    joined_bytes: u64,
    /// Of the others, those that were counted by the probe.
    counted_bytes: u64,
    idle_messages: u64,
    /// Nobody wants to go on with what is half received.
    is_unwanted: Arc<AtomicBool>,
}

/// The disk, and what it has done with items by their numbers.
type Worked = (Box<TreeDisk>, Vec<(u32, Answer)>);

/// What the disk does.
enum Disk {
    /// The folder is opened, and it is looked whether anything of the tree is there.
    Opening(Pending<(Box<TreeDisk>, bool)>),
    Idle(Box<TreeDisk>),
    Working(Pending<Worked>),
    /// All is put on disk.
    Finishing(Pending<()>),
    Done,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Items come.
    Moving,
    /// The last word is on its way, until its reader has had the time for it.
    Confirming { until: Instant },
}

impl TreeReceiving {
    /// Takes the tree that was announced into the folder `root`. Where there is a `listener`, `requests` is told of those
    /// who may join there.
    pub(super) fn begin(
        link: &mut Link,
        root: &Path,
        request: TreeRequest,
        keep_free: Option<KeepFree>,
        listener: Option<Listener>,
        requests: Sender<JoinRequest>,
    ) -> Self {
        let policy = TreePolicy {
            replace: request.replace,
            allow_replace: link.options.allow_replace,
            keep_free,
            checksum: request.compares,
            sync: link.options.sync,
            umask: disk::umask(),
        };
        let (at, name) = (root.to_path_buf(), request.root.clone());
        let is_unwanted = Arc::new(AtomicBool::new(false));
        let unwanted = Arc::clone(&is_unwanted);
        let opening = link.publishing.begin(Effort::MayLast, move || {
            let is_fresh = TreeDisk::is_fresh(&at, &name);
            Ok((Box::new(TreeDisk::open(&at, policy, unwanted)?), is_fresh))
        });
        let now = awake_now();
        link.put_off_keep_alive(now);
        let streams = match &listener {
            Some(_) => link.wire.wished_streams().clamp(1, Options::STREAMS_MAX),
            None => 1,
        };
        Self {
            root: root.into(),
            request,
            disk: Disk::Opening(opening),
            inbox: None,
            incoming: Incoming::over(streams),
            tasks: Vec::new(),
            tasks_bytes: 0,
            listener,
            requests,
            junction: Junction::new(Arc::clone(&link.controls)),
            phase: Phase::Moving,
            items_told_at: now,
            joined_bytes: 0,
            counted_bytes: 0,
            idle_messages: 0,
            is_unwanted,
        }
    }

    /// Bytes of files that have come.
    pub(super) fn bytes(&self) -> u64 {
        self.incoming.bytes
    }

    /// Bytes of files, and of offers: of a tree that is there already nothing else comes. And of what was there before as
    /// much as the sender may have compared by now: meanwhile it only says that it is still there.
    pub(super) fn progress_bytes(&self) -> u64 {
        let compared = self.incoming.claimed_bytes.min(compared_at_most(self.idle_messages));
        self.incoming.bytes + self.incoming.items.offered_bytes + compared
    }

    /// Nobody wants to go on with what is half received.
    pub(super) fn discard(&self) {
        self.is_unwanted.store(true, Ordering::SeqCst);
    }

    /// Whether it can still be called off.
    pub(super) fn recall(&self) -> bool {
        self.phase == Phase::Moving
    }

    /// Steps as the machine does.
    /// Files need room of the `applicant`, where there is one.
    pub(super) fn step(
        &mut self,
        link: &mut Link,
        applicant: &mut Option<Applicant>,
        now: Instant,
    ) -> Result<Progress, Error> {
        if let Phase::Confirming { until } = self.phase {
            return Ok(self.confirm(link, until, now));
        }
        let mut has_moved = self.hear_disk(link)?;
        if let Some(applicant) = applicant {
            let (kept_bytes, left_bytes) = self.incoming.take_settled_bytes();
            applicant.keep(kept_bytes);
            applicant.give_back(left_bytes);
        }
        has_moved |= self.give_work(link);
        has_moved |= self.take_joined(link)?;
        has_moved |= self.read(link, applicant, now)?;
        let (bytes, progress) = (self.bytes(), self.progress_bytes());
        self.junction.bytes.store(bytes, Ordering::Relaxed);
        self.junction.progress_bytes.store(progress, Ordering::Relaxed);
        self.tell_items(link, now);
        if self.inbox.is_some() {
            let out = link.outbox.buffer();
            self.incoming.say_results(out);
            self.incoming.give_credit(out);
        }
        if self.incoming.is_over() && self.tasks.is_empty() {
            has_moved |= self.end(link);
        }
        if !link.outbox.is_empty() {
            match link.flush() {
                Flushed::Sent => has_moved = true,
                Flushed::Waits => {}
                Flushed::Broken => return Err(closed()),
            }
        }
        if has_moved || matches!(self.phase, Phase::Confirming { .. }) {
            return Ok(Progress::Moved);
        }
        Ok(self.wait(link, now))
    }

    /// Takes what the disk has done; whether it has done something.
    fn hear_disk(&mut self, link: &mut Link) -> Result<bool, Error> {
        match &self.disk {
            Disk::Opening(pending) => {
                let Some(opened) = pending.take() else { return Ok(false) };
                let (disk, is_fresh) = opened?;
                self.disk = Disk::Idle(disk);
                let more = self.let_join()?;
                let (welcome, read) = link.wire.accept_tree(is_fresh, more)?;
                link.outbox.push(&welcome);
                self.inbox = Some(TreeInbox::after(&read));
                self.tell_started(link);
            }
            Disk::Working(pending) => {
                let Some(done) = pending.take() else { return Ok(false) };
                let (disk, answers) = done?;
                self.disk = Disk::Idle(disk);
                for (number, answer) in answers {
                    self.incoming.answer(number, answer, link.outbox.buffer())?;
                }
                self.add_due();
            }
            Disk::Finishing(pending) => {
                let Some(done) = pending.take() else { return Ok(false) };
                done?;
                self.disk = Disk::Done;
            }
            Disk::Idle(_) | Disk::Done => return Ok(false),
        }
        Ok(true)
    }

    /// Lets further connections in, where the sender wishes that and they can come in: how many in all, and what they show.
    fn let_join(&mut self) -> Result<Option<(u16, Token)>, Error> {
        let streams = self.incoming.streams();
        let Some(listener) = self.listener.take().filter(|_| streams > 1) else {
            return Ok(None);
        };
        // Before it is held for those who join.
        let is_sole = listener.is_sole();
        let expected = Expected::at(&listener, usize::from(streams) - 1)?;
        let token = expected.token;
        // There is room: a transfer asks once.
        let _ = self.requests.try_send(JoinRequest {
            transfer: Joinable::Tree(Arc::clone(&self.junction)),
            expected,
            is_sole,
        });
        Ok(Some((streams, token)))
    }

    /// Takes blocks that have come over further connections; whether there were some.
    fn take_joined(&mut self, link: &Link) -> Result<bool, Error> {
        if self.inbox.is_none() || self.is_full(link) || !self.junction.has_blocks() {
            return Ok(false);
        }
        let before = self.incoming.bytes;
        for block in self.junction.take() {
            if let Some(task) = self.incoming.joined_block(block)? {
                self.add(task);
            }
        }
        self.add_due();
        self.joined_bytes += self.incoming.bytes - before;
        Ok(true)
    }

    /// Gives the disk what waits for it, if it is free; whether it was.
    fn give_work(&mut self, link: &Link) -> bool {
        if self.tasks.is_empty() || !matches!(self.disk, Disk::Idle(_)) {
            return false;
        }
        if let Disk::Idle(mut disk) = std::mem::replace(&mut self.disk, Disk::Done) {
            let tasks = std::mem::take(&mut self.tasks);
            self.tasks_bytes = 0;
            self.disk = Disk::Working(link.publishing.begin(Effort::MayLast, move || {
                let answers = disk.run(tasks);
                Ok((disk, answers))
            }));
        }
        true
    }

    /// Reads what has come, and makes tasks of it; whether anything has come.
    fn read(&mut self, link: &mut Link, applicant: &mut Option<Applicant>, now: Instant) -> Result<bool, Error> {
        if self.inbox.is_none() || self.is_full(link) || self.incoming.is_over() {
            return Ok(false);
        }
        let mut has_moved = self.take_words(applicant)?;
        if link.tell_pause() {
            return Ok(has_moved);
        }
        let Some(inbox) = &mut self.inbox else {
            return Ok(has_moved);
        };
        let room = inbox.room();
        let limit = link.controls.limit_bytes_per_s();
        let pace = link.controls.pace_bytes_per_s(Side::Receiver);
        link.events.limit(limit);
        let allowance = self.junction.throttle().allow(limit, pace, room.len() as u64, now);
        let allowed = match allowance {
            Ok(allowed) => usize::try_from(allowed).unwrap_or(room.len()),
            Err((_, rest)) => {
                link.probe.rests(rest);
                return Ok(has_moved);
            }
        };
        let room = &mut room[..allowed];
        let wanted = room.len();
        let received = recv(link.connection.as_fd(), room, RecvFlags::DONTWAIT);
        match received.map(|(received, _)| received).map_err(std::io::Error::from) {
            Ok(0) => return Err(closed()),
            Ok(received) => {
                link.probe.syscall(wanted, received);
                self.junction.throttle().spend(received as u64);
                inbox.filled(received);
                self.take_words(applicant)?;
                has_moved = true;
            }
            Err(error) if would_block(&error) => {}
            Err(error) if is_broken(&error) => return Err(closed()),
            Err(error) => return Err(Error::system("cannot take bytes from the connection", &error)),
        }
        let bytes = self.incoming.bytes - self.joined_bytes;
        link.probe
            .moved(bytes - std::mem::replace(&mut self.counted_bytes, bytes));
        link.check_idle(self.idle_messages)?;
        Ok(has_moved)
    }

    fn is_full(&self, link: &Link) -> bool {
        self.tasks_bytes >= WAITING_BYTES_MAX || link.outbox.len() >= OUTBOX_BYTES_MAX
    }

    /// Makes tasks of what has come whole; whether there was something.
    fn take_words(&mut self, applicant: &mut Option<Applicant>) -> Result<bool, Error> {
        let mut has_moved = false;
        while let Some(word) = self.inbox.as_mut().map_or(Ok(None), TreeInbox::next)? {
            has_moved = true;
            let task = match word {
                TreeWord::Block(block) => self.incoming.block(block)?,
                TreeWord::Message(message, bytes) => self.take(message, bytes)?,
            };
            let task = task.filter(|task| self.incoming.is_admitted(task, applicant));
            match (task, self.tasks.last_mut()) {
                (None, _) => {}
                // It came with its offer.
                (
                    Some(Task::Whole { number, data }),
                    Some(Task::Offer {
                        number: offered,
                        data: with,
                        ..
                    }),
                ) if number == *offered && with.is_none() => {
                    self.tasks_bytes += data.len();
                    *with = Some(data);
                }
                (Some(task), _) => self.add(task),
            }
        }
        self.add_due();
        Ok(has_moved)
    }

    /// Adds what waited for something that has come.
    fn add_due(&mut self) {
        for task in self.incoming.take_due() {
            self.add(task);
        }
    }

    fn add(&mut self, task: Task) {
        // Also where no byte of a file is in it: a peer can end and drop as often as it likes.
        self.tasks_bytes += task.memory_bytes();
        self.tasks.push(task);
    }

    fn take(&mut self, message: Message, bytes: usize) -> Result<Option<Task>, Error> {
        match message {
            Message::KeepAlive | Message::Skipped => {
                self.idle_messages += 1;
                Ok(None)
            }
            Message::Abort(farewell) => Err(farewell.into_error(Error::Aborted)),
            Message::OfferEntry { item, entry } => self.incoming.offer(item, *entry, bytes),
            Message::End {
                item,
                bytes,
                checksum,
                kept,
            } => self.incoming.end(item, bytes, checksum, kept),
            Message::Drop { item, .. } => self.incoming.drop_item(item),
            Message::Finish => self.incoming.finish().map(|()| None),
            message => Err(Error::Protocol(format!("{} out of turn", message.name()))),
        }
    }

    /// Every item has its result: puts on disk what is not, and says so. Whether anything was done.
    fn end(&mut self, link: &mut Link) -> bool {
        match std::mem::replace(&mut self.disk, Disk::Done) {
            Disk::Idle(mut disk) => {
                link.events.state(State::Verifying);
                self.disk = Disk::Finishing(link.publishing.begin(Effort::MayLast, move || disk.finish()));
                true
            }
            Disk::Done => {
                Message::Summary.encode(link.outbox.buffer());
                self.junction.end();
                let until = awake_now() + link.options.timeout;
                self.phase = Phase::Confirming { until };
                true
            }
            busy => {
                self.disk = busy;
                false
            }
        }
    }

    /// Everything is where it belongs, and the sender hears so if it listens.
    fn confirm(&mut self, link: &mut Link, until: Instant, now: Instant) -> Progress {
        if !link.outbox.is_empty() && matches!(link.flush(), Flushed::Waits) && now < until {
            return Progress::Wait {
                interest: Interest::WRITE,
                until: Some(until),
                peer_owes: false,
            };
        }
        let items: Items = std::mem::take(&mut self.incoming.items);
        let kept_bytes = self.incoming.kept_bytes;
        Progress::Done(Box::new(Finished {
            bytes: kept_bytes + self.incoming.bytes,
            resumed_bytes: kept_bytes,
            rate_bytes_per_s: link.probe.mean_rate(self.incoming.bytes, link.events.paused_for()),
            verified: self.incoming.is_verified.then_some(true),
            durable: self.incoming.is_durable,
            path: Some(match self.incoming.only_name() {
                Some(name) => self.root.join(name),
                None => self.root.clone(),
            }),
            items: Some(Box::new(items)),
            ..Finished::default()
        }))
    }

    fn wait(&mut self, link: &mut Link, now: Instant) -> Progress {
        let is_working = matches!(self.disk, Disk::Opening(_) | Disk::Working(_) | Disk::Finishing(_));
        if self.inbox.is_none() || self.is_full(link) || matches!(self.disk, Disk::Finishing(_)) {
            return link.wait_for_disk(now, Rest::Disk);
        }
        if link.controls.is_paused() {
            if link.keep_alive(now) {
                return Progress::Moved;
            }
            link.probe.rests(Rest::Pause);
            return link.rest();
        }
        let limit = link.controls.limit_bytes_per_s();
        let pace = link.controls.pace_bytes_per_s(Side::Receiver);
        if (limit.is_some() || pace.is_some()) && link.outbox.is_empty() && link.keep_alive(now) {
            return Progress::Moved;
        }
        if (limit.is_some() || pace.is_some())
            && let Err((then, rest)) = self.junction.throttle().allow(limit, pace, 1, now)
        {
            link.probe.rests(rest);
            return rest_until(Some(then));
        }
        if is_working && link.outbox.is_empty() && link.keep_alive(now) {
            return Progress::Moved;
        }
        if link.outbox.is_empty() {
            return wait_to_read(!is_working);
        }
        Progress::Wait {
            interest: Interest {
                read: true,
                write: true,
            },
            until: None,
            peer_owes: true,
        }
    }

    fn tell_started(&self, link: &Link) {
        let connection = &link.connection;
        link.events.tell(EventKind::Started(Box::new(Started {
            source: Some(self.request.root.clone()),
            sink: Some(self.root.display().to_string()),
            peer: connection.peer().into(),
            own_address: connection.own_address().ok().flatten(),
            peer_process: connection.peer_process(),
            wire: link.wire.name().into(),
            receive_route: Some("files".into()),
            route_reason: "files of a tree are stored in batches".into(),
            streams: self.incoming.streams(),
            is_tree: true,
            congestion_control: connection.congestion_control().map(Into::into),
            chunk_bytes: link.options.chunk_bytes.max(1),
            send_buffer_bytes: connection.buffers().send,
            receive_buffer_bytes: connection.buffers().receive,
            ..Started::default()
        })));
    }

    fn tell_items(&mut self, link: &Link, now: Instant) {
        if now < self.items_told_at || self.inbox.is_none() {
            return;
        }
        self.items_told_at = now + ITEMS_INTERVAL;
        link.events
            .tell(EventKind::Items(Box::new(self.incoming.items.counts())));
    }
}

fn closed() -> Error {
    Error::ClosedWhile("before it had sent every file")
}
