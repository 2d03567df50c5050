//! The sending half of the `native` wire.

use crate::error::Error;
use crate::wire::{Digest, Offer, SendStep};

use super::message::{BLOCK_BYTES_MAX, GREETING_BYTES, Message, Parsed, greeting, version_of};

/// Offers an array, sends it in blocks, and waits for the receipt.
#[derive(Debug)]
pub struct NativeSender {
    offer: Offer,
    state: State,
    /// Bytes of the array that have been sent.
    at: u64,
    /// Of the current block.
    block: Digest,
    /// Of all blocks before it.
    whole: Digest,
    inbox: Vec<u8>,
    greeted: bool,
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
    AwaitReceipt,
    Done,
}

impl NativeSender {
    /// Begins to send what is offered.
    #[must_use]
    pub fn new(offer: Offer) -> Self {
        let digest = Digest::new(offer.checksum);
        Self {
            offer,
            state: State::Hello,
            at: 0,
            block: digest.clone(),
            whole: digest,
            inbox: Vec::new(),
            greeted: false,
        }
    }

    /// What to do next. A block that begins has at most `block_bytes`; without a length none begins.
    pub fn step(&mut self, block_bytes: Option<u32>) -> SendStep {
        match self.state {
            State::Hello => {
                self.state = State::AwaitAnswer;
                let mut out = greeting().to_vec();
                Message::Offer(Box::new(self.offer.clone())).encode(&mut out);
                SendStep::Write(out)
            }
            State::AwaitAnswer | State::AwaitReceipt => SendStep::Await,
            State::Between { owed } => {
                let mut out = Vec::new();
                if owed {
                    out.extend(self.block.value().map(u64::to_le_bytes).into_iter().flatten());
                    self.whole.append(&self.block);
                    self.block = Digest::new(self.offer.checksum);
                    self.state = State::Between { owed: false };
                }
                let left = self.offer.meta.byte_len() - self.at;
                if left == 0 {
                    self.state = State::AwaitReceipt;
                } else if let Some(block_bytes) = block_bytes {
                    let len = u64::from(block_bytes.clamp(1, BLOCK_BYTES_MAX)).min(left);
                    // At most BLOCK_BYTES_MAX, which is a u32.
                    let len = u32::try_from(len).unwrap_or(BLOCK_BYTES_MAX);
                    Message::Block { offset: self.at, len }.encode(&mut out);
                    self.state = State::Data { left: len };
                }
                SendStep::Write(out)
            }
            State::Data { left } => SendStep::Data {
                at: self.at,
                len: u64::from(left),
            },
            State::Done => SendStep::Done,
        }
    }

    /// The checksum that bytes of the current block are to be added to.
    pub fn digest(&mut self) -> &mut Digest {
        &mut self.block
    }

    /// `len` bytes of the current block were sent.
    pub fn sent(&mut self, len: u64) {
        let State::Data { left } = &mut self.state else {
            debug_assert!(false, "data outside a block");
            return;
        };
        self.at += len;
        *left = left.saturating_sub(u32::try_from(len).unwrap_or(u32::MAX));
        if *left == 0 {
            self.state = State::Between { owed: true };
        }
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
        (self.state == State::Done).then(|| self.whole.to_text()).flatten()
    }

    fn between_messages(&self) -> bool {
        matches!(
            self.state,
            State::AwaitAnswer | State::Between { owed: false } | State::AwaitReceipt
        )
    }

    fn take(&mut self, message: Message) -> Result<(), Error> {
        match (self.state, message) {
            (_, Message::KeepAlive | Message::Skipped) => Ok(()),
            (_, Message::Abort { reason }) => Err(Error::Aborted(reason)),
            (State::AwaitAnswer, Message::Refuse { reason }) => Err(Error::Refused(reason)),
            (State::AwaitAnswer, Message::Accept { first_byte: 0 }) => {
                self.state = State::Between { owed: false };
                Ok(())
            }
            (State::AwaitAnswer, Message::Accept { first_byte }) => Err(Error::Protocol(format!(
                "it wants to go on from byte {first_byte}, which was not offered"
            ))),
            // It can come before we have noticed ourselves that nothing is left to send.
            (State::AwaitReceipt | State::Between { .. }, Message::Receipt { bytes, checksum })
                if self.at == self.offer.meta.byte_len() =>
            {
                let total = self.offer.meta.byte_len();
                if bytes != total {
                    return Err(Error::Protocol(format!("a receipt for {bytes} bytes of {total}")));
                }
                if checksum != self.whole.value() {
                    return Err(Error::ReceiptMismatch);
                }
                self.state = State::Done;
                Ok(())
            }
            (_, message) => Err(Error::Protocol(format!("{} out of turn", message.name()))),
        }
    }
}

fn encoded(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out);
    out
}
