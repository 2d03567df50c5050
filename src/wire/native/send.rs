//! The sending half of the `native` wire.

use std::sync::Arc;

use crate::error::Error;
use crate::wire::{Checksum, Digest, Offer, SendStep};

use super::message::{BLOCK_BYTES_MAX, GREETING_BYTES, Message, Parsed, greeting, version_of};
use super::{OutgoingBlocks, Token};

/// Offers an array, sends it in blocks, and waits for the receipt; or joins a transfer and sends some of its blocks.
#[derive(Debug)]
pub struct NativeSender {
    /// What is said first: the offer, or that this connection joins.
    hello: Message,
    blocks: Arc<OutgoingBlocks>,
    state: State,
    /// Where the next byte belongs that this connection sends.
    at: u64,
    /// The first byte of the current block, and its checksum so far.
    block_at: u64,
    block: Digest,
    /// Over how many connections the receiver would take the array, and what the further ones show.
    more: Option<(u16, Token)>,
    /// A receipt; it may come before every connection had noticed that it has sent its last block.
    receipt: Option<Receipt>,
    inbox: Vec<u8>,
    greeted: bool,
    idle_messages: u64,
}

/// What a receipt says of the whole array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Receipt {
    checksum: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Hello,
    AwaitAnswer,
    /// At the boundary between two blocks; a checksum may be owed.
    Between {
        owed: bool,
    },
    Data {
        left: u32,
    },
    /// The receiver wants the array handed over.
    HandOver,
    AwaitReceipt,
    Done,
}

impl NativeSender {
    /// Begins to send what is offered.
    #[must_use]
    pub fn new(offer: Offer) -> Self {
        let blocks = OutgoingBlocks::new(offer.meta.byte_len(), offer.checksum);
        Self::with(Message::Offer(Box::new(offer)), blocks)
    }

    /// Joins the transfer that these blocks are of.
    #[must_use]
    pub fn joining(token: Token, blocks: Arc<OutgoingBlocks>) -> Self {
        Self::with(Message::Join { token }, blocks)
    }

    fn with(hello: Message, blocks: Arc<OutgoingBlocks>) -> Self {
        Self {
            hello,
            block: Digest::new(blocks.checksum_kind()),
            blocks,
            state: State::Hello,
            at: 0,
            block_at: 0,
            more: None,
            receipt: None,
            inbox: Vec::new(),
            greeted: false,
            idle_messages: 0,
        }
    }

    /// What further connections of this transfer share with this one.
    #[must_use]
    pub fn blocks(&self) -> &Arc<OutgoingBlocks> {
        &self.blocks
    }

    /// Over how many connections the receiver would take the array, and what the further ones show; asked once.
    pub fn take_more(&mut self) -> Option<(u16, Token)> {
        self.more.take()
    }

    /// What to do next. A block that begins has at most `block_bytes`; without a length none begins.
    pub fn step(&mut self, block_bytes: Option<u32>) -> Result<SendStep, Error> {
        Ok(match self.state {
            State::Hello => {
                self.state = State::AwaitAnswer;
                let mut out = greeting().to_vec();
                self.hello.encode(&mut out);
                SendStep::Write(out)
            }
            State::AwaitReceipt if self.receipt.is_some() && self.blocks.all_sent() => {
                let checksum = self.blocks.checksum().map(Checksum::value);
                if self.receipt != Some(Receipt { checksum }) {
                    return Err(Error::ReceiptMismatch);
                }
                self.state = State::Done;
                SendStep::Done
            }
            State::AwaitAnswer | State::AwaitReceipt => SendStep::Await,
            State::Between { owed } => {
                let mut out = Vec::new();
                if owed {
                    out.extend(self.block.value().map(u64::to_le_bytes).into_iter().flatten());
                    self.blocks.sent(self.block_at, self.at - self.block_at, &self.block);
                    self.block = Digest::new(self.blocks.checksum_kind());
                    self.state = State::Between { owed: false };
                }
                let next = block_bytes.and_then(|most| self.blocks.give_out(most.clamp(1, BLOCK_BYTES_MAX)));
                if let Some((offset, len)) = next {
                    Message::Block { offset, len }.encode(&mut out);
                    (self.block_at, self.at) = (offset, offset);
                    self.state = State::Data { left: len };
                } else if self.blocks.all_out() {
                    self.state = State::AwaitReceipt;
                }
                SendStep::Write(out)
            }
            State::Data { left } => SendStep::Data {
                at: self.at,
                len: u64::from(left),
            },
            State::HandOver => SendStep::HandOver,
            State::Done => SendStep::Done,
        })
    }

    /// Whether the receiver has asked for the handoff that was offered, which has not been done yet.
    #[must_use]
    pub fn is_asked_for_handoff(&self) -> bool {
        self.state == State::HandOver
    }

    /// The message with which the descriptor travels; the array begins at byte `position` of what it is of.
    #[must_use]
    pub fn handoff(position: u64) -> Vec<u8> {
        encoded(&Message::Handoff { position })
    }

    /// The array was handed over, or could not be, so that blocks follow after all.
    ///
    /// # Errors
    /// Nobody asked for it.
    pub fn handed_over(&mut self, done: bool) -> Result<(), Error> {
        if self.state != State::HandOver {
            return Err(Error::Bug("a handoff that nobody asked for".into()));
        }
        self.state = if done {
            self.blocks.handed_over();
            State::AwaitReceipt
        } else {
            State::Between { owed: false }
        };
        Ok(())
    }

    /// The checksum that bytes of the current block are to be added to.
    pub fn digest(&mut self) -> &mut Digest {
        &mut self.block
    }

    /// `len` bytes of the current block were sent.
    ///
    /// # Errors
    /// There is no block.
    pub fn sent(&mut self, len: u64) -> Result<(), Error> {
        let State::Data { left } = &mut self.state else {
            return Err(Error::Bug("bytes were sent outside a block".into()));
        };
        self.at += len;
        *left = left.saturating_sub(u32::try_from(len).unwrap_or(u32::MAX));
        if *left == 0 {
            self.state = State::Between { owed: true };
        }
        Ok(())
    }

    /// Takes bytes that the receiver sent.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.inbox.extend_from_slice(bytes);
        if !self.greeted {
            let Some(first) = self.inbox.first_chunk::<GREETING_BYTES>() else {
                return Ok(());
            };
            // Another version's refusal names the versions; greeting and refusal keep their form in all of them.
            if version_of(first).is_none() {
                return Err(Error::OtherProtocol("its answer is not a native receiver's".into()));
            }
            self.greeted = true;
            self.inbox.drain(..GREETING_BYTES);
        }
        while let Parsed::Message(message, len) = Message::parse(&self.inbox)? {
            self.inbox.drain(..len);
            self.take(message)?;
        }
        Ok(())
    }

    /// What tells the receiver that we are still here, where it may be said now.
    #[must_use]
    pub fn keep_alive(&self) -> Option<Vec<u8>> {
        self.between_messages().then(|| encoded(&Message::KeepAlive))
    }

    /// What tells the receiver that we give up, where it may be said now.
    #[must_use]
    pub fn abort(&self, reason: &str) -> Option<Vec<u8>> {
        self.between_messages()
            .then(|| encoded(&Message::Abort { reason: reason.into() }))
    }

    /// The receiver has accepted and bytes of the array can follow.
    #[must_use]
    pub fn accepted(&self) -> bool {
        !matches!(self.state, State::Hello | State::AwaitAnswer)
    }

    /// The checksum of the whole array, once the receipt has come; `None` also where nothing is verified.
    #[must_use]
    pub fn verified_checksum(&self) -> Option<String> {
        let whole = (self.state == State::Done).then(|| self.blocks.checksum()).flatten();
        whole.map(|checksum| checksum.to_string())
    }

    /// How many messages have come that only say that the receiver is there.
    #[must_use]
    pub fn idle_messages(&self) -> u64 {
        self.idle_messages
    }

    /// Whether the greeting has been given out to be written.
    #[must_use]
    pub fn has_greeted(&self) -> bool {
        self.state != State::Hello
    }

    /// Whether the receipt has come.
    #[must_use]
    pub fn has_receipt(&self) -> bool {
        self.receipt.is_some()
    }

    /// Whether blocks are left that no connection has been given, or this one has not sent whole.
    #[must_use]
    pub fn has_more(&self) -> bool {
        matches!(self.state, State::Data { .. }) || !self.blocks.all_out()
    }

    /// Whether the block that this connection sends ends with the byte before `end`, and no other one begins after it.
    #[must_use]
    pub fn ends_with(&self, end: u64) -> bool {
        matches!(self.state, State::Data { left } if self.at + u64::from(left) == end) && self.blocks.all_out()
    }

    fn between_messages(&self) -> bool {
        matches!(
            self.state,
            State::AwaitAnswer | State::Between { owed: false } | State::HandOver | State::AwaitReceipt
        )
    }

    fn take(&mut self, message: Message) -> Result<(), Error> {
        match (self.state, message) {
            (_, Message::KeepAlive | Message::Skipped) => {
                self.idle_messages += 1;
                Ok(())
            }
            (_, Message::Abort { reason }) => Err(Error::Aborted(reason)),
            (State::AwaitAnswer, Message::Refuse { reason }) => Err(Error::Refused(reason)),
            (
                State::AwaitAnswer,
                Message::Accept {
                    first_byte: 0,
                    handoff: true,
                    ..
                },
            ) => {
                if !matches!(&self.hello, Message::Offer(offer) if offer.handoff.is_some()) {
                    return Err(Error::Protocol("it asks for a handoff that was not offered".into()));
                }
                self.state = State::HandOver;
                Ok(())
            }
            (
                State::AwaitAnswer,
                Message::Accept {
                    first_byte: 0, more, ..
                },
            ) => {
                self.state = State::Between { owed: false };
                self.more = more;
                Ok(())
            }
            (State::AwaitAnswer, Message::Accept { first_byte, .. }) => Err(Error::Protocol(format!(
                "it wants to go on from byte {first_byte}, which was not offered"
            ))),
            // It can come before we have noticed ourselves that nothing is left to send.
            (State::AwaitReceipt | State::Between { .. }, Message::Receipt { bytes, checksum })
                if self.blocks.all_out() && matches!(self.hello, Message::Offer(_)) =>
            {
                let total = self.blocks.total_bytes();
                if bytes != total {
                    return Err(Error::Protocol(format!("a receipt for {bytes} bytes of {total}")));
                }
                self.receipt = Some(Receipt { checksum });
                Ok(())
            }
            (State::AwaitAnswer, Message::Offer(_)) => Err(Error::OtherProtocol(
                "it sends back what it gets, as an echo service does: a receiver is needed there".into(),
            )),
            (_, message) => Err(Error::Protocol(format!("{} out of turn", message.name()))),
        }
    }
}

fn encoded(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out);
    out
}
