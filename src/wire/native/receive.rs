//! The receiving half of the `native` wire.

use std::sync::Arc;

use crate::error::Error;
use crate::wire::{ChecksumKind, Digest, Heard, Want};

use super::message::{
    BLOCK_HEADER_BYTES, GREETING_BYTES, HEADER_BYTES, Message, Parsed, TRAILER_BYTES, VERSION, greeting, version_of,
};
use super::{Blocks, Token};

/// Takes an offer, then blocks, and checks each at its end; or takes some blocks of a transfer that has begun.
#[derive(Debug)]
pub struct NativeReceiver {
    state: State,
    inbox: Vec<u8>,
    blocks: Arc<Blocks>,
    /// Blocks come over several connections, and on each of them with gaps.
    is_shared: bool,
    /// Where the next byte belongs that comes.
    at: u64,
    block_index: u64,
    block_start: u64,
    block: Digest,
    /// The array was asked for as a whole, which comes unless a block does.
    awaits_handoff: bool,
    /// Ours has been sent, ahead of the answer.
    has_greeted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Greeting,
    AwaitOffer,
    /// The owner decides.
    Offered,
    Between,
    Data {
        left: u32,
    },
    Trailer,
    Whole,
}

impl Default for NativeReceiver {
    fn default() -> Self {
        Self {
            state: State::Greeting,
            inbox: Vec::new(),
            blocks: Blocks::new(0, ChecksumKind::None),
            is_shared: false,
            at: 0,
            block_index: 0,
            block_start: 0,
            block: Digest::new(ChecksumKind::None),
            awaits_handoff: false,
            has_greeted: false,
        }
    }
}

impl NativeReceiver {
    /// Takes blocks of a transfer from a connection that has joined it.
    #[must_use]
    pub fn joined(blocks: Arc<Blocks>) -> Self {
        Self {
            state: State::Offered,
            block: Digest::new(blocks.checksum_kind()),
            blocks,
            is_shared: true,
            ..Self::default()
        }
    }

    /// What further connections of this transfer share with this one.
    #[must_use]
    pub fn blocks(&self) -> &Arc<Blocks> {
        &self.blocks
    }

    /// What to do next.
    #[must_use]
    pub fn want(&self) -> Want {
        let have = self.inbox.len();
        match self.state {
            State::Greeting => Want::Control(GREETING_BYTES - have),
            State::Offered => Want::Decision,
            // Another connection has brought the last block.
            State::Between if self.blocks.is_whole() => Want::Done,
            State::AwaitOffer | State::Between => Want::Control(self.message_bytes_missing()),
            State::Data { left } => Want::Data {
                at: self.at,
                len: u64::from(left),
            },
            State::Trailer => {
                // Whatever message follows a checksum has at least a header, and a block's header is as long as
                // two: reading both at once never reaches into data.
                let next = if self.is_last_block() { 0 } else { BLOCK_HEADER_BYTES };
                Want::Control(TRAILER_BYTES + next - have)
            }
            State::Whole => Want::Done,
        }
    }

    /// Takes bytes that the sender sent, at most as many as were wanted.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<Option<Heard>, Error> {
        self.inbox.extend_from_slice(bytes);
        let mut heard = None;
        loop {
            match self.state {
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
                State::AwaitOffer | State::Between => {
                    let Parsed::Message(message, len) = Message::parse(&self.inbox)? else {
                        break;
                    };
                    self.inbox.drain(..len);
                    heard = self.take(message)?.or(heard);
                }
                State::Trailer => {
                    let Some(trailer) = self.inbox.first_chunk() else {
                        break;
                    };
                    let trailer = u64::from_le_bytes(*trailer);
                    self.inbox.drain(..TRAILER_BYTES);
                    if self.block.value().is_some_and(|value| value != trailer) {
                        let (index, start, end) = (self.block_index, self.block_start, self.at);
                        return Err(Error::DamagedBlock { index, start, end });
                    }
                    self.end_block();
                }
                State::Offered | State::Data { .. } | State::Whole => break,
            }
        }
        Ok(heard)
    }

    /// What was offered is taken; returns the answer to send. `more` is over how many connections in all, and what the
    /// further ones have to show.
    pub fn accept(&mut self, more: Option<(u16, Token)>) -> Vec<u8> {
        debug_assert_eq!(self.state, State::Offered, "there must be an offer");
        self.is_shared |= more.is_some();
        let answer = self.acceptance(more, false);
        self.state = self.after_block();
        answer
    }

    /// What was offered is taken, and is to be handed over; returns the answer to send.
    pub fn accept_handoff(&mut self) -> Vec<u8> {
        debug_assert_eq!(self.state, State::Offered, "there must be an offer");
        let answer = self.acceptance(None, true);
        self.state = State::Between;
        self.awaits_handoff = true;
        answer
    }

    /// Whether a descriptor may come with what is read next.
    #[must_use]
    pub fn awaits_handoff(&self) -> bool {
        self.awaits_handoff
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

    /// Bytes of the current block, in order, for its checksum.
    pub fn absorb(&mut self, bytes: &[u8]) {
        self.block.update(bytes);
    }

    /// `len` bytes of the current block have landed.
    pub fn landed(&mut self, len: u64) {
        let State::Data { left } = &mut self.state else {
            debug_assert!(false, "data outside a block");
            return;
        };
        self.at += len;
        *left = left.saturating_sub(u32::try_from(len).unwrap_or(u32::MAX));
        if *left == 0 {
            if self.block.value().is_some() {
                self.state = State::Trailer;
            } else {
                self.end_block();
            }
        }
    }

    /// The receipt for a whole array.
    #[must_use]
    pub fn receipt(&self) -> Vec<u8> {
        let mut out = Vec::new();
        Message::Receipt {
            bytes: self.blocks.total_bytes(),
            checksum: self.blocks.digest().and_then(|digest| digest.value()),
        }
        .encode(&mut out);
        out
    }

    /// The checksum of the whole array, with its kind; `None` where nothing is verified, or not yet.
    #[must_use]
    pub fn verified_checksum(&self) -> Option<String> {
        self.blocks.digest()?.to_text()
    }

    /// Whether a block has begun to come and is not verified yet.
    #[must_use]
    pub fn is_within_block(&self) -> bool {
        matches!(self.state, State::Data { .. } | State::Trailer)
    }

    /// Our greeting, right before the first message.
    fn greeting_if_due(&mut self) -> Vec<u8> {
        let is_due = self.state == State::Offered && !std::mem::replace(&mut self.has_greeted, true);
        if is_due { greeting().to_vec() } else { Vec::new() }
    }

    /// The answer that takes an offer.
    fn acceptance(&mut self, more: Option<(u16, Token)>, handoff: bool) -> Vec<u8> {
        let mut out = self.greeting_if_due();
        Message::Accept {
            first_byte: 0,
            more,
            handoff,
        }
        .encode(&mut out);
        out
    }

    fn is_last_block(&self) -> bool {
        self.blocks.done_bytes() + (self.at - self.block_start) == self.blocks.total_bytes()
    }

    fn end_block(&mut self) {
        self.blocks
            .done(self.block_start, self.at - self.block_start, &self.block);
        self.block = Digest::new(self.blocks.checksum_kind());
        self.block_index += 1;
        self.state = self.after_block();
    }

    fn after_block(&self) -> State {
        if self.blocks.is_whole() {
            State::Whole
        } else {
            State::Between
        }
    }

    /// How many bytes may be read without reaching into a block's data.
    fn message_bytes_missing(&self) -> usize {
        let need = match Message::parse(&self.inbox) {
            Ok(Parsed::Need(HEADER_BYTES)) if self.state == State::Between => BLOCK_HEADER_BYTES,
            Ok(Parsed::Need(need)) => need,
            // A whole or a broken message is dealt with as soon as its bytes are heard.
            Ok(Parsed::Message(..)) | Err(_) => HEADER_BYTES,
        };
        need.saturating_sub(self.inbox.len())
    }

    fn take(&mut self, message: Message) -> Result<Option<Heard>, Error> {
        match (self.state, message) {
            (_, Message::KeepAlive | Message::Skipped) => Ok(Some(Heard::KeepAlive)),
            (_, Message::Abort { reason }) => Err(Error::Aborted(reason)),
            (State::AwaitOffer, Message::Offer(offer)) => {
                self.block = Digest::new(offer.checksum);
                self.blocks = Blocks::new(offer.meta.byte_len(), offer.checksum);
                self.state = State::Offered;
                Ok(Some(Heard::Offer(offer)))
            }
            (State::AwaitOffer, Message::Join { token }) => {
                self.state = State::Offered;
                Ok(Some(Heard::Join(token)))
            }
            (State::Between, Message::Block { offset, len }) => {
                let total = self.blocks.total_bytes();
                let fits = offset.checked_add(len.into()).is_some_and(|end| end <= total);
                if !fits || (offset != self.at && !self.is_shared) {
                    let text = format!(
                        "a block of bytes {offset} and {len} more where {} of {total} was due",
                        self.at
                    );
                    return Err(Error::Protocol(text));
                }
                (self.block_start, self.at) = (offset, offset);
                self.state = State::Data { left: len };
                let instead = std::mem::take(&mut self.awaits_handoff);
                Ok(instead.then_some(Heard::BlocksInstead))
            }
            (State::Between, Message::Handoff { position }) if self.awaits_handoff => {
                self.awaits_handoff = false;
                self.blocks.handed_over();
                self.state = State::Whole;
                Ok(Some(Heard::Handoff { position }))
            }
            (_, message) => Err(Error::Protocol(format!("{} out of turn", message.name()))),
        }
    }
}
