//! The receiving half of the `native` wire.

use std::sync::Arc;

use crate::error::Error;
use crate::ledger::{Claim, Ledger, Span};
use crate::wire::{Checksum, ChecksumKind, Digest, Heard, Want};

use super::Token;
use super::message::{
    BLOCK_HEADER_BYTES, GREETING_BYTES, HEADER_BYTES, Message, Parsed, TRAILER_BYTES, VERSION, greeting, version_of,
};

/// Takes an offer, then blocks, and checks each at its end; or takes some blocks of a transfer that has begun.
#[derive(Debug)]
pub struct NativeReceiver {
    state: State,
    inbox: Vec<u8>,
    /// The array's, from the answer on.
    ledger: Option<Arc<Ledger>>,
    /// Where the next block has to begin; anywhere that is free, where blocks come over several connections.
    due_at: Option<u64>,
    block_index: u64,
    /// Of what has come of the current block.
    digest: Digest,
    /// Ours has been sent, ahead of the answer.
    has_greeted: bool,
    idle_messages: u64,
}

#[derive(Debug)]
enum State {
    Greeting,
    AwaitOffer,
    /// The owner decides.
    Offered,
    /// The array was asked for as a whole, which comes unless a block does.
    AwaitHandoff,
    Between,
    Data(Claim),
    Trailer(Claim),
    /// A block has begun to come that cannot be claimed.
    Refused,
    Whole,
}

impl Default for NativeReceiver {
    fn default() -> Self {
        Self {
            state: State::Greeting,
            inbox: Vec::new(),
            ledger: None,
            due_at: Some(0),
            block_index: 0,
            digest: Digest::new(ChecksumKind::None),
            has_greeted: false,
            idle_messages: 0,
        }
    }
}

impl NativeReceiver {
    /// Takes blocks of a transfer from a connection that has joined it.
    #[must_use]
    pub fn joined() -> Self {
        Self {
            state: State::Offered,
            due_at: None,
            ..Self::default()
        }
    }

    /// What to do next.
    #[must_use]
    pub fn want(&self) -> Want {
        let have = self.inbox.len();
        match &self.state {
            State::Greeting => Want::Control(GREETING_BYTES - have),
            State::Offered => Want::Decision,
            // Another connection has brought the last block.
            State::Between if self.is_whole() => Want::Done,
            State::AwaitOffer | State::AwaitHandoff | State::Between => Want::Control(self.message_bytes_missing()),
            State::Data(block) => Want::Data {
                at: block.at(),
                len: block.left(),
            },
            State::Trailer(block) => {
                // Whatever message follows a checksum has at least a header, and a block's header is as long as
                // two: reading both at once never reaches into data.
                let next = if self.is_last(block) { 0 } else { BLOCK_HEADER_BYTES };
                Want::Control(TRAILER_BYTES + next - have)
            }
            // Its owner gives up; it is never whole.
            State::Refused => Want::Control(1),
            State::Whole => Want::Done,
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
                        Some(VERSION) => self.state = State::AwaitOffer,
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
                State::AwaitOffer | State::AwaitHandoff | State::Between => {
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
                        let (index, start, end) = (self.block_index, block.start(), block.end());
                        return Err(Error::DamagedBlock { index, start, end });
                    }
                    if let State::Trailer(block) = std::mem::replace(&mut self.state, State::Between) {
                        self.end_block(block);
                    }
                }
                State::Offered | State::Data(_) | State::Refused | State::Whole => break,
            }
        }
        Ok(heard)
    }

    /// What was offered is taken, and its blocks are claimed in this ledger; returns the answer to send. `more` is over how
    /// many connections in all, and what the further ones have to show.
    ///
    /// # Errors
    /// Nothing was offered.
    pub fn accept(&mut self, ledger: &Arc<Ledger>, more: Option<(u16, Token)>) -> Result<Vec<u8>, Error> {
        if more.is_some() {
            self.due_at = None;
        }
        let answer = self.acceptance(ledger, more, false)?;
        self.state = self.after_block();
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

    /// Whether a descriptor may come with what is read next.
    #[must_use]
    pub fn awaits_handoff(&self) -> bool {
        matches!(self.state, State::AwaitHandoff)
    }

    /// What tells the sender why nothing more is taken: a refusal before the answer, else an abort.
    #[must_use]
    pub fn give_up(&self, reason: &str) -> Vec<u8> {
        let reason = reason.into();
        let mut out = Vec::new();
        if matches!(self.state, State::Greeting | State::AwaitOffer | State::Offered) {
            if !self.has_greeted {
                out.extend_from_slice(&greeting());
            }
            Message::Refuse { reason }.encode(&mut out);
        } else {
            Message::Abort { reason }.encode(&mut out);
        }
        out
    }

    /// What tells the sender that we are still here; only once there is an offer.
    #[must_use]
    pub fn keep_alive(&mut self) -> Option<Vec<u8>> {
        if matches!(self.state, State::Greeting | State::AwaitOffer) {
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
            State::Data(block) => block.take_span(),
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
        block.landed(len);
        if block.left() > 0 {
            return Ok(());
        }
        let has_trailer = self.digest.value().is_some();
        match std::mem::replace(&mut self.state, State::Between) {
            State::Data(block) if has_trailer => self.state = State::Trailer(block),
            State::Data(block) => self.end_block(block),
            _ => {}
        }
        Ok(())
    }

    /// The receipt for a whole array.
    #[must_use]
    pub fn receipt(&self) -> Vec<u8> {
        let mut out = Vec::new();
        Message::Receipt {
            bytes: self
                .ledger
                .as_ref()
                .and_then(|ledger| ledger.total_bytes())
                .unwrap_or(0),
            checksum: self.checksum().map(Checksum::value),
        }
        .encode(&mut out);
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
        let is_due = matches!(self.state, State::Offered) && !std::mem::replace(&mut self.has_greeted, true);
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
        self.digest = Digest::new(ledger.checksum_kind());
        self.ledger = Some(Arc::clone(ledger));
        let mut out = self.greeting_if_due();
        Message::Accept {
            first_byte: 0,
            more,
            handoff,
        }
        .encode(&mut out);
        Ok(out)
    }

    fn is_whole(&self) -> bool {
        self.ledger.as_ref().is_some_and(|ledger| ledger.is_whole())
    }

    fn checksum(&self) -> Option<Checksum> {
        self.ledger.as_ref()?.checksum()
    }

    /// Whether all is verified once this block is.
    fn is_last(&self, block: &Claim) -> bool {
        let ledger = self.ledger.as_ref();
        ledger
            .is_some_and(|ledger| Some(ledger.verified_bytes() + (block.end() - block.start())) == ledger.total_bytes())
    }

    fn end_block(&mut self, block: Claim) {
        block.verified(&self.digest);
        self.digest = Digest::new(self.digest.kind());
        self.block_index += 1;
        self.state = self.after_block();
    }

    fn after_block(&self) -> State {
        if self.is_whole() { State::Whole } else { State::Between }
    }

    /// How many bytes may be read without reaching into a block's data.
    fn message_bytes_missing(&self) -> usize {
        let need = match Message::parse(&self.inbox) {
            Ok(Parsed::Need(HEADER_BYTES)) if !matches!(self.state, State::AwaitOffer) => BLOCK_HEADER_BYTES,
            Ok(Parsed::Need(need)) => need,
            // A whole or a broken message is dealt with as soon as its bytes are heard.
            Ok(Parsed::Message(..)) | Err(_) => HEADER_BYTES,
        };
        need.saturating_sub(self.inbox.len())
    }

    fn take(&mut self, message: Message) -> Result<Option<Heard>, Error> {
        match (&self.state, message) {
            (_, Message::KeepAlive | Message::Skipped) => {
                self.idle_messages += 1;
                Ok(Some(Heard::KeepAlive))
            }
            (_, Message::Abort { reason }) => Err(Error::Aborted(reason)),
            (State::AwaitOffer, Message::Offer(offer)) => {
                self.state = State::Offered;
                Ok(Some(Heard::Offer(offer)))
            }
            (State::AwaitOffer, Message::Join { token }) => {
                self.state = State::Offered;
                Ok(Some(Heard::Join(token)))
            }
            (State::Between, Message::Block { offset, len }) => {
                self.begin_block(offset, len)?;
                Ok(None)
            }
            (State::AwaitHandoff, Message::Block { offset, len }) => {
                self.begin_block(offset, len)?;
                Ok(Some(Heard::BlocksInstead))
            }
            (State::AwaitHandoff, Message::Handoff { position }) => {
                self.state = State::Whole;
                Ok(Some(Heard::Handoff { position }))
            }
            (_, message) => Err(Error::Protocol(format!("{} out of turn", message.name()))),
        }
    }

    /// Claims a block whose header has come.
    fn begin_block(&mut self, at: u64, len: u32) -> Result<(), Error> {
        if let Some(due_at) = self.due_at.filter(|due_at| *due_at != at) {
            return Err(Error::Protocol(format!(
                "a block that begins at byte {at} where {due_at} was due"
            )));
        }
        let early = || Error::Bug("blocks are taken before there is a ledger".into());
        let ledger = self.ledger.as_ref().ok_or_else(early)?;
        self.state = State::Refused;
        let block = ledger.claim(at, len.into())?;
        self.due_at = self.due_at.map(|_| block.end());
        self.state = State::Data(block);
        Ok(())
    }
}
