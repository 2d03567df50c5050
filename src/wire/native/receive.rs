//! The receiving half of the `native` wire.

mod grid;
mod messages;

use std::sync::Arc;

use crate::error::Error;
use crate::ledger::{Claim, Ledger, Span};
use crate::wire::{Checksum, ChecksumKind, Digest, Grain, Heard, Want};

use super::claims::BlockClaims;
use super::message::{
    BLOCK_HEADER_BYTES, Farewell, GREETING_BYTES, HEADER_BYTES, ItemResult, Message, Parsed, Status, TRAILER_BYTES,
    VERSION, greeting, version_of,
};
use super::{ITEM, Token};

use grid::Grid;

/// Behind the last block come an end and a finish, and no block: so many bytes are read at once then.
const LAST_BYTES: usize = 256;

/// Takes a session of one array: the offer, then blocks, and checks each at its end; or takes some blocks of a session
/// that has begun.
#[derive(Debug)]
pub struct NativeReceiver {
    role: Role,
    state: State,
    inbox: Vec<u8>,
    /// Over how many connections the sender would move what it has.
    streams: u16,
    /// The array's, from the answer on.
    ledger: Option<Arc<Ledger>>,
    grid: Grid,
    /// Of what has come of the current block.
    digest: Digest,
    /// Ours has been sent, ahead of the answer.
    has_greeted: bool,
    /// The session was taken.
    has_welcomed: bool,
    /// The checksum of the whole array, as the sender told it at the end.
    told: Option<u64>,
    /// The sender has said that nothing more is offered.
    has_finished: bool,
    idle_messages: u64,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It began the session.
    Control,
    /// It brings blocks.
    Joined,
}

#[derive(Debug)]
enum State {
    Greeting,
    AwaitHello,
    AwaitOffer,
    /// The owner decides.
    Offered,
    /// A tree is to come. The owner decides, and takes over what follows.
    Tree,
    /// The array was asked for as a whole, which comes unless a block does.
    AwaitHandoff,
    /// It has come, and its end has not.
    Handed {
        position: u64,
    },
    Between,
    Data(IncomingBlock),
    Trailer(IncomingBlock),
    /// A block has begun to come that cannot be claimed.
    Refused,
    /// The sender has looked again, and all is as it offered. Other connections may still bring blocks.
    Ended,
}

/// A block that is on its way.
#[derive(Debug)]
struct IncomingBlock {
    index: u32,
    claim: Claim,
}

impl Default for NativeReceiver {
    fn default() -> Self {
        Self {
            role: Role::Control,
            state: State::Greeting,
            inbox: Vec::new(),
            streams: 1,
            ledger: None,
            grid: Grid::InOrder { index: 0, at: 0 },
            digest: Digest::new(ChecksumKind::None),
            has_greeted: false,
            has_welcomed: false,
            told: None,
            has_finished: false,
            idle_messages: 0,
        }
    }
}

impl NativeReceiver {
    /// Takes blocks of an array with such blocks from a connection that has joined its session.
    #[must_use]
    pub fn joined(grain: Grain) -> Self {
        Self {
            role: Role::Joined,
            state: State::Offered,
            grid: Grid::Every(grain),
            ..Self::default()
        }
    }

    /// Answers a connection that has joined a tree's session: see [`NativeReceiver::accept_tree`].
    #[must_use]
    pub fn joined_to_tree() -> Self {
        Self {
            role: Role::Joined,
            state: State::Tree,
            ..Self::default()
        }
    }

    /// Over how many connections the sender would move what it has.
    pub(crate) fn wished_streams(&self) -> u16 {
        self.streams
    }

    /// What to do next.
    #[must_use]
    pub fn want(&self) -> Want {
        let have = self.inbox.len();
        match &self.state {
            State::Greeting => Want::Control(GREETING_BYTES - have),
            State::Offered | State::Tree => Want::Decision,
            // Another connection has brought the last block.
            State::Between if self.role == Role::Joined && self.is_whole() => Want::Done,
            State::Between if self.is_whole() => Want::Control(LAST_BYTES),
            State::Ended if self.is_whole() => Want::Done,
            State::Ended | State::Handed { .. } => Want::Control(LAST_BYTES),
            State::AwaitHello | State::AwaitOffer | State::AwaitHandoff | State::Between => {
                Want::Control(self.message_bytes_missing())
            }
            State::Data(block) => Want::Data {
                at: block.claim.at(),
                len: block.claim.left(),
            },
            // Whatever message follows a checksum has at least a header, and a block's header is as long as two:
            // reading both at once never reaches into data.
            State::Trailer(_) => Want::Control(TRAILER_BYTES + BLOCK_HEADER_BYTES - have),
            // Its owner gives up; it is never whole.
            State::Refused => Want::Control(1),
        }
    }

    /// Takes bytes that the sender sent, at most as many as were wanted.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<Option<Heard>, Error> {
        self.inbox.extend_from_slice(bytes);
        let mut heard = None;
        loop {
            match &self.state {
                State::Greeting => {
                    let Some(first) = self.inbox.first_chunk::<GREETING_BYTES>() else {
                        break;
                    };
                    match version_of(first) {
                        Some(VERSION) => self.state = State::AwaitHello,
                        Some(other) => {
                            let reason =
                                format!("version {other} of the native wire is unknown here, version {VERSION} is");
                            return Err(Error::OtherProtocol(reason));
                        }
                        None => {
                            return Err(Error::OtherProtocol("its greeting is not a native sender's".into()));
                        }
                    }
                    self.inbox.drain(..GREETING_BYTES);
                }
                State::AwaitHello
                | State::AwaitOffer
                | State::AwaitHandoff
                | State::Handed { .. }
                | State::Between
                | State::Ended => {
                    let Parsed::Message(message, len) = Message::parse(&self.inbox)? else {
                        break;
                    };
                    self.inbox.drain(..len);
                    // An offer can be long, and what it took is kept for nothing.
                    self.inbox.shrink_to(HEADER_BYTES);
                    heard = self.take(message)?.or(heard);
                }
                State::Trailer(block) => {
                    let Some(trailer) = self.inbox.first_chunk() else {
                        break;
                    };
                    let trailer = u64::from_le_bytes(*trailer);
                    self.inbox.drain(..TRAILER_BYTES);
                    if self.digest.value().is_some_and(|value| value != trailer) {
                        let (start, end) = (block.claim.start(), block.claim.end());
                        let index = block.index.into();
                        return Err(Error::DamagedBlock { index, start, end });
                    }
                    if let State::Trailer(block) = std::mem::replace(&mut self.state, State::Between) {
                        block.claim.verified(&self.digest);
                        self.digest = Digest::new(self.digest.kind());
                    }
                }
                State::Offered | State::Tree | State::Data(_) | State::Refused => break,
            }
        }
        Ok(heard)
    }

    /// What was offered is taken, and its blocks are claimed in this ledger; returns the answer to send. `more` is over how
    /// many connections in all, and what the further ones have to show. Blocks lie on the grid of the ledger, where it and
    /// the offer have one, and the sender is told of those that are recorded there.
    ///
    /// # Errors
    /// Nothing was offered, or nothing of it can be recorded.
    pub fn accept(&mut self, ledger: &Arc<Ledger>, more: Option<(u16, Token)>) -> Result<Vec<u8>, Error> {
        let answer = self.acceptance(ledger, more, false)?;
        self.state = State::Between;
        Ok(answer)
    }

    /// What was offered is taken, and is to be handed over; returns the answer to send.
    ///
    /// # Errors
    /// Nothing was offered.
    pub fn accept_handoff(&mut self, ledger: &Arc<Ledger>) -> Result<Vec<u8>, Error> {
        let answer = self.acceptance(ledger, None, true)?;
        self.state = State::AwaitHandoff;
        Ok(answer)
    }

    /// The tree is taken, of which nothing is there where it is `fresh`: the answer to send, and what was read beyond the
    /// hello, which whoever takes the tree goes on after. `more` is over how many connections in all, and what the further
    /// ones have to show.
    ///
    /// # Errors
    /// No tree is to come.
    pub fn accept_tree(&mut self, is_fresh: bool, more: Option<(u16, Token)>) -> Result<(Vec<u8>, Vec<u8>), Error> {
        if !matches!(self.state, State::Tree) || self.has_welcomed {
            return Err(Error::Bug("a tree is taken that nobody sends".into()));
        }
        let mut out = self.greeting_if_due();
        Message::Welcome { more, is_fresh }.encode(&mut out);
        self.has_welcomed = true;
        Ok((out, std::mem::take(&mut self.inbox)))
    }

    /// Whether a descriptor may come with what is read next.
    #[must_use]
    pub fn awaits_handoff(&self) -> bool {
        matches!(self.state, State::AwaitHandoff | State::Handed { .. })
    }

    /// What tells the sender why nothing more is taken: a refusal before the answer, else an abort.
    #[must_use]
    pub fn give_up(&self, farewell: &Farewell) -> Vec<u8> {
        let farewell = farewell.clone();
        let mut out = Vec::new();
        if matches!(
            self.state,
            State::Greeting | State::AwaitHello | State::AwaitOffer | State::Offered | State::Tree
        ) && !self.has_welcomed
        {
            if !self.has_greeted {
                out.extend_from_slice(&greeting());
            }
            Message::Refuse(farewell).encode(&mut out);
        } else {
            Message::Abort(farewell).encode(&mut out);
        }
        out
    }

    /// What tells the sender that we are still here; only once there is an offer.
    #[must_use]
    pub fn keep_alive(&mut self) -> Option<Vec<u8>> {
        if matches!(self.state, State::Greeting | State::AwaitHello | State::AwaitOffer) {
            return None;
        }
        let mut out = self.greeting_if_due();
        Message::KeepAlive.encode(&mut out);
        Some(out)
    }

    /// How many messages have come that only say that the sender is there.
    pub(crate) fn idle_messages(&self) -> u64 {
        self.idle_messages
    }

    /// The proof that the current block's bytes are this connection's; once a block.
    pub(crate) fn take_span(&mut self) -> Option<Span> {
        match &mut self.state {
            State::Data(block) => block.claim.take_span(),
            _ => None,
        }
    }

    /// Bytes of the current block, in order, for its checksum.
    pub fn absorb(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
    }

    /// `len` bytes of the current block have landed.
    ///
    /// # Errors
    /// There is no block.
    pub fn landed(&mut self, len: u64) -> Result<(), Error> {
        let State::Data(block) = &mut self.state else {
            return Err(Error::Bug("bytes landed outside a block".into()));
        };
        block.claim.landed(len);
        if block.claim.left() == 0
            && let State::Data(block) = std::mem::replace(&mut self.state, State::Between)
        {
            self.state = State::Trailer(block);
        }
        Ok(())
    }

    /// Every block is verified, and the end has come: whether what the sender told of the whole is right.
    ///
    /// # Errors
    /// The peer's fault: its checksum of the whole is another one, or is there where none is taken.
    pub fn check_whole(&self) -> Result<(), Error> {
        if self.told == self.checksum().map(Checksum::value) {
            return Ok(());
        }
        Err(Error::Protocol(
            "its checksum of the whole array is not that of the blocks that it sent".into(),
        ))
    }

    /// What tells the sender that the array is where it belongs, and that all is said, if it has said so itself.
    #[must_use]
    pub fn result(&self) -> Vec<u8> {
        let total = self.ledger.as_ref().and_then(|ledger| ledger.total_bytes());
        let mut out = Vec::new();
        Message::Result(ItemResult {
            item: ITEM,
            count: 1,
            status: Status::Stored,
            is_durable: false,
            bytes: total,
            checksum: self.checksum().map(Checksum::value),
            reason: None,
        })
        .encode(&mut out);
        if self.has_finished {
            Message::Summary.encode(&mut out);
        }
        out
    }

    /// Whether the sender may still offer something.
    #[must_use]
    pub fn may_go_on(&self) -> bool {
        !self.has_finished
    }

    /// What tells the sender that all is said.
    #[must_use]
    pub fn summary() -> Vec<u8> {
        let mut out = Vec::new();
        Message::Summary.encode(&mut out);
        out
    }

    /// The checksum of the whole array, with its kind; `None` where nothing is verified, or not yet.
    #[must_use]
    pub fn verified_checksum(&self) -> Option<String> {
        self.checksum().map(|checksum| checksum.to_string())
    }

    /// Whether a block has begun to come and is not verified yet.
    #[must_use]
    pub fn is_within_block(&self) -> bool {
        matches!(self.state, State::Data(_) | State::Trailer(_) | State::Refused)
    }

    /// Our greeting, right before the first message.
    fn greeting_if_due(&mut self) -> Vec<u8> {
        let is_due =
            matches!(self.state, State::Offered | State::Tree) && !std::mem::replace(&mut self.has_greeted, true);
        if is_due { greeting().to_vec() } else { Vec::new() }
    }

    /// The answer that takes an offer.
    fn acceptance(
        &mut self,
        ledger: &Arc<Ledger>,
        more: Option<(u16, Token)>,
        handoff: bool,
    ) -> Result<Vec<u8>, Error> {
        if !matches!(self.state, State::Offered) {
            return Err(Error::Bug("an answer before an offer".into()));
        }
        let recorded = match self.role {
            Role::Control => ledger.recorded(),
            Role::Joined => Vec::new(),
        };
        let offered = self.grid.grain();
        let grain = ledger.grain().filter(|_| offered.is_some() && !handoff);
        if grain.is_none() && !recorded.is_empty() {
            return Err(Error::Bug(
                "blocks are recorded of what does not come in such blocks".into(),
            ));
        }
        if let Some(grain) = grain {
            self.grid = Grid::Every(grain);
        }
        // Where nothing is here, and the sender's blocks are as long as ours, it need not know.
        let grain = grain.filter(|_| !recorded.is_empty() || grain != offered);
        self.digest = Digest::new(ledger.checksum_kind());
        self.ledger = Some(Arc::clone(ledger));
        let mut out = self.greeting_if_due();
        Message::Welcome { more, is_fresh: false }.encode(&mut out);
        self.has_welcomed = true;
        if self.role == Role::Control {
            for claims in BlockClaims::of(&recorded) {
                Message::Claim { item: ITEM, claims }.encode(&mut out);
            }
            Message::Accept {
                item: ITEM,
                handoff,
                grain,
            }
            .encode(&mut out);
        }
        Ok(out)
    }

    fn is_whole(&self) -> bool {
        self.ledger.as_ref().is_some_and(|ledger| ledger.is_whole())
    }

    fn checksum(&self) -> Option<Checksum> {
        self.ledger.as_ref()?.checksum()
    }

    /// How many bytes may be read without reaching into a block's data.
    fn message_bytes_missing(&self) -> usize {
        let need = match Message::parse(&self.inbox) {
            Ok(Parsed::Need(HEADER_BYTES)) if !matches!(self.state, State::AwaitHello | State::AwaitOffer) => {
                BLOCK_HEADER_BYTES
            }
            Ok(Parsed::Need(need)) => need,
            // A whole or a broken message is dealt with as soon as its bytes are heard.
            Ok(Parsed::Message(..)) | Err(_) => HEADER_BYTES,
        };
        need.saturating_sub(self.inbox.len())
    }
}
