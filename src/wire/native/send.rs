//! The sending half of the `native` wire.

use std::sync::Arc;

use crate::error::Error;
use crate::wire::{Checksum, ChecksumKind, Digest, Grain, Offer, SendStep};

use super::claims::{BlockClaims, Claimed};
use super::message::{BLOCK_BYTES_MAX, GREETING_BYTES, ItemResult, Message, Parsed, Status, greeting, version_of};
use super::outgoing::{OutgoingBlock, Task};
use super::{ITEM, OutgoingBlocks, Token};

/// Begins a session of one array, sends it in blocks, and waits for the result; or joins a session and sends some of its
/// blocks. What the receiver says that it has is compared, and not sent where it is the same.
#[derive(Debug)]
pub struct NativeSender {
    /// What is said first: that a session begins and the offer, or that this connection joins.
    opening: Opening,
    blocks: Arc<OutgoingBlocks>,
    /// What the receiver has said that it has, until it accepts.
    claimed: Claimed,
    state: State,
    /// The block that this connection sends or compares, its checksum so far, and the next byte of it.
    block: OutgoingBlock,
    digest: Digest,
    at: u64,
    /// Over how many connections the receiver would take the array, and what the further ones show.
    more: Option<(u16, Token)>,
    inbox: Vec<u8>,
    greeted: bool,
    idle_messages: u64,
}

#[derive(Debug)]
enum Opening {
    Offer(Box<Offer>),
    Join(Token),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Hello,
    AwaitWelcome,
    AwaitAnswer,
    /// At the boundary between two blocks; a checksum may be owed.
    Between {
        owed: bool,
    },
    Data {
        left: u32,
    },
    /// The receiver has a block, whose checksum it says is this. The owner looks at ours.
    Compare {
        left: u32,
        checksum: u64,
    },
    /// Ours is another one: it is to be sent.
    Differs,
    /// The receiver wants the array handed over.
    HandOver,
    /// This connection has no block left. The one that speaks for all waits until all are sent.
    AllOut,
    /// All are sent, and the owner looks whether the source is still what was offered.
    LookAgain,
    AwaitResult,
    /// The array is where it belongs.
    AwaitSummary,
    Done,
}

impl NativeSender {
    /// Begins to send what is offered.
    #[must_use]
    pub fn new(offer: Offer) -> Self {
        let blocks = OutgoingBlocks::new(&offer);
        Self::with(Opening::Offer(Box::new(offer)), blocks)
    }

    /// Joins the session that these blocks are of.
    #[must_use]
    pub fn joining(token: Token, blocks: Arc<OutgoingBlocks>) -> Self {
        Self::with(Opening::Join(token), blocks)
    }

    fn with(opening: Opening, blocks: Arc<OutgoingBlocks>) -> Self {
        Self {
            opening,
            digest: Digest::new(blocks.checksum_kind()),
            blocks,
            claimed: Claimed::default(),
            state: State::Hello,
            block: OutgoingBlock::default(),
            at: 0,
            more: None,
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

    /// Over how many connections the receiver would take the array, and what the further ones show; once, when the
    /// receiver has accepted.
    pub fn take_more(&mut self) -> Option<(u16, Token)> {
        // Before that nobody knows yet which blocks there are to share.
        if self.accepted() { self.more.take() } else { None }
    }

    /// What to do next. Where no grid says how long blocks are, one that begins has at most `block_bytes`; without a
    /// length none begins.
    pub fn step(&mut self, block_bytes: Option<u32>) -> SendStep {
        match self.state {
            State::Hello => {
                self.state = State::AwaitWelcome;
                SendStep::Write(self.first_words())
            }
            State::AllOut if self.speaks_for_all() && self.blocks.all_sent() => {
                self.state = State::LookAgain;
                SendStep::LookAgain
            }
            State::LookAgain => SendStep::LookAgain,
            State::AwaitWelcome | State::AwaitAnswer | State::AllOut | State::AwaitResult | State::AwaitSummary => {
                SendStep::Await
            }
            State::Between { owed } => SendStep::Write(self.between(owed, block_bytes)),
            State::Differs => SendStep::Write(block_bytes.map_or_else(Vec::new, |_| self.begin(self.block))),
            State::Compare { left, .. } => SendStep::Compare {
                at: self.at,
                len: u64::from(left),
            },
            State::Data { left } => SendStep::Data {
                at: self.at,
                len: u64::from(left),
            },
            State::HandOver => SendStep::HandOver,
            State::Done => SendStep::Done,
        }
    }

    /// The source is still what was offered: says so, and that nothing more is.
    ///
    /// # Errors
    /// Nobody was to look.
    pub fn unchanged(&mut self) -> Result<Vec<u8>, Error> {
        if self.state != State::LookAgain {
            return Err(Error::Bug("the end of an array that is not sent".into()));
        }
        self.state = State::AwaitResult;
        let mut out = Vec::new();
        Message::End {
            item: ITEM,
            bytes: self.blocks.total_bytes(),
            checksum: self.blocks.checksum().map(Checksum::value),
            kept: self.blocks.kept_bytes(),
        }
        .encode(&mut out);
        Message::Finish.encode(&mut out);
        Ok(out)
    }

    /// Whether the receiver has asked for the handoff that was offered, which has not been done yet.
    #[must_use]
    pub fn is_asked_for_handoff(&self) -> bool {
        self.state == State::HandOver
    }

    /// The message with which the descriptor travels; the array begins at byte `position` of what it is of.
    #[must_use]
    pub fn handoff(position: u64) -> Vec<u8> {
        encoded(&Message::Handoff { item: ITEM, position })
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
            State::AllOut
        } else {
            State::Between { owed: false }
        };
        Ok(())
    }

    /// The checksum that bytes of the current block are to be added to, whether they are sent or compared.
    pub fn digest(&mut self) -> &mut Digest {
        &mut self.digest
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

    /// `len` bytes more of the current block were added to its checksum, and not sent.
    ///
    /// # Errors
    /// No block is to be compared.
    pub fn compared(&mut self, len: u64) -> Result<(), Error> {
        let State::Compare { left, checksum } = &mut self.state else {
            return Err(Error::Bug("bytes were compared that nobody claims".into()));
        };
        self.at += len;
        *left = left.saturating_sub(u32::try_from(len).unwrap_or(u32::MAX));
        if *left == 0 {
            let checksum = *checksum;
            let digest = std::mem::replace(&mut self.digest, Digest::new(self.blocks.checksum_kind()));
            self.state = if digest.value() == Some(checksum) {
                self.blocks.kept(self.block, &digest);
                State::Between { owed: false }
            } else {
                State::Differs
            };
        }
        Ok(())
    }

    /// Bytes that no connection has sent, as the receiver has them.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.blocks.kept_bytes()
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
        self.between_messages().then(|| encoded(&Message::Abort(reason.into())))
    }

    /// The receiver has accepted and bytes of the array can follow.
    #[must_use]
    pub fn accepted(&self) -> bool {
        !matches!(self.state, State::Hello | State::AwaitWelcome | State::AwaitAnswer)
    }

    /// The checksum of the whole array, once it is where it belongs; `None` also where nothing is verified.
    #[must_use]
    pub fn verified_checksum(&self) -> Option<String> {
        let whole = self.has_result().then(|| self.blocks.checksum()).flatten();
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

    /// Whether the receiver has said that the array is where it belongs.
    #[must_use]
    pub fn has_result(&self) -> bool {
        matches!(self.state, State::AwaitSummary | State::Done)
    }

    /// Whether blocks are left that no connection has been given, or this one has not sent or compared whole.
    #[must_use]
    pub fn has_more(&self) -> bool {
        matches!(self.state, State::Data { .. } | State::Compare { .. } | State::Differs) || !self.blocks.all_out()
    }

    /// Greeting and opening.
    fn first_words(&self) -> Vec<u8> {
        let mut out = greeting().to_vec();
        match &self.opening {
            Opening::Offer(offer) => {
                let streams = offer.streams;
                Message::Hello { streams, tree: None }.encode(&mut out);
                let offer = offer.clone();
                Message::Offer { item: ITEM, offer }.encode(&mut out);
            }
            Opening::Join(token) => Message::Join { token: *token }.encode(&mut out),
        }
        out
    }

    /// What is written between two blocks: the checksum of the one, if owed, and the header of the other, if it begins.
    fn between(&mut self, owed: bool, block_bytes: Option<u32>) -> Vec<u8> {
        let mut out = Vec::new();
        if owed {
            out.extend_from_slice(&self.digest.value().unwrap_or_default().to_le_bytes());
            self.blocks.sent(self.block.at, self.at - self.block.at, &self.digest);
            self.digest = Digest::new(self.blocks.checksum_kind());
            self.state = State::Between { owed: false };
        }
        match block_bytes.and_then(|most| self.blocks.give_out(most.clamp(1, BLOCK_BYTES_MAX))) {
            Some(Task::Send(block)) => out.extend_from_slice(&self.begin(block)),
            Some(Task::Compare(block, checksum)) => {
                (self.block, self.at) = (block, block.at);
                self.state = State::Compare {
                    left: block.len,
                    checksum,
                };
            }
            None if self.blocks.all_out() => self.state = State::AllOut,
            None => {}
        }
        out
    }

    /// Begins to send a block: its header.
    fn begin(&mut self, block: OutgoingBlock) -> Vec<u8> {
        (self.block, self.at) = (block, block.at);
        self.state = State::Data { left: block.len };
        encoded(&Message::Block {
            item: ITEM,
            index: block.index,
            len: block.len,
            ends: false,
        })
    }

    fn speaks_for_all(&self) -> bool {
        matches!(self.opening, Opening::Offer(_))
    }

    fn between_messages(&self) -> bool {
        !matches!(
            self.state,
            State::Hello | State::Between { owed: true } | State::Data { .. } | State::Done
        )
    }

    fn take(&mut self, message: Message) -> Result<(), Error> {
        match (self.state, message) {
            (_, Message::KeepAlive | Message::Skipped) => {
                self.idle_messages += 1;
                Ok(())
            }
            (_, Message::Abort(farewell)) => Err(farewell.into_error(Error::Aborted)),
            (State::AwaitWelcome, Message::Refuse(farewell)) => Err(farewell.into_error(Error::Refused)),
            (State::AwaitWelcome, Message::Welcome { more, .. }) => {
                if self.speaks_for_all() {
                    self.more = more;
                    self.state = State::AwaitAnswer;
                } else {
                    self.state = State::Between { owed: false };
                }
                Ok(())
            }
            (State::AwaitAnswer, Message::Claim { item: ITEM, claims }) => self.claim(&claims),
            (
                State::AwaitAnswer,
                Message::Accept {
                    item: ITEM,
                    handoff,
                    grain,
                },
            ) => self.accept(handoff, grain),
            (State::AwaitAnswer, Message::Result(result)) if result.item == ITEM && result.status != Status::Stored => {
                Err(Error::Refused(
                    result.reason.unwrap_or_else(|| "it gave no reason".into()),
                ))
            }
            (State::AwaitResult, Message::Result(result)) if result.item == ITEM => {
                if result.status == Status::Stored {
                    return self.take_result(&result);
                }
                let reason = result.reason.unwrap_or_else(|| "it could not keep the array".into());
                Err(Error::Aborted(reason))
            }
            (State::AwaitSummary, Message::Summary) => {
                self.state = State::Done;
                Ok(())
            }
            (State::AwaitWelcome, Message::Hello { .. }) => Err(Error::OtherProtocol(
                "it sends back what it gets, as an echo service does: a receiver is needed there".into(),
            )),
            (_, message) => Err(Error::Protocol(format!("{} out of turn", message.name()))),
        }
    }

    /// The receiver has some blocks.
    fn claim(&mut self, claims: &BlockClaims) -> Result<(), Error> {
        let offer = self.offer()?;
        if offer.grain.is_none() || offer.checksum == ChecksumKind::None {
            return Err(Error::Protocol(
                "a claim of blocks that lie on no grid or have no checksum".into(),
            ));
        }
        claims.fit(offer.meta.byte_len())?;
        self.claimed.add(claims)
    }

    /// The array is taken; as a whole, where a handoff is asked for; with the receiver's blocks, where it says how long
    /// these are.
    fn accept(&mut self, handoff: bool, grain: Option<Grain>) -> Result<(), Error> {
        let claimed = std::mem::take(&mut self.claimed);
        let offer = self.offer()?;
        let wrong = match grain {
            None if !claimed.is_empty() => Some("it claims blocks and does not say how long they are"),
            Some(_) if offer.grain.is_none() => Some("it says how long blocks are that lie on no grid"),
            Some(_) if handoff => Some("it asks for a handoff of what it has"),
            _ if handoff && offer.handoff.is_none() => Some("it asks for a handoff that was not offered"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(Error::Protocol(wrong.into()));
        }
        if let Some(grain) = grain {
            let claimed = claimed.on(grain, offer.meta.byte_len())?;
            self.blocks = OutgoingBlocks::resumed(offer, grain, claimed);
        }
        self.state = if handoff {
            State::HandOver
        } else {
            State::Between { owed: false }
        };
        Ok(())
    }

    /// What this connection has offered.
    fn offer(&self) -> Result<&Offer, Error> {
        match &self.opening {
            Opening::Offer(offer) => Ok(offer),
            Opening::Join(_) => Err(Error::Bug("an answer to an offer that was not made".into())),
        }
    }

    /// The array is where it belongs, with these bytes.
    fn take_result(&mut self, result: &ItemResult) -> Result<(), Error> {
        let (bytes, total) = (result.bytes.unwrap_or_default(), self.blocks.total_bytes());
        if bytes != total {
            return Err(Error::Protocol(format!("a result of {bytes} bytes of {total}")));
        }
        if result.checksum != self.blocks.checksum().map(Checksum::value) {
            return Err(Error::ResultMismatch);
        }
        self.state = State::AwaitSummary;
        Ok(())
    }
}

fn encoded(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out);
    out
}
