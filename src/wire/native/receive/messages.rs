//! What follows from the messages of a sender.

use crate::error::Error;
use crate::wire::Heard;

use super::super::ITEM;
use super::super::message::Message;
use super::grid::Grid;
use super::{IncomingBlock, NativeReceiver, Role, State};

impl NativeReceiver {
    pub(super) fn take(&mut self, message: Message) -> Result<Option<Heard>, Error> {
        match (&self.state, message) {
            (_, Message::KeepAlive | Message::Skipped) => {
                self.idle_messages += 1;
                Ok(Some(Heard::KeepAlive))
            }
            (_, Message::Abort(farewell)) => Err(farewell.into_error(Error::Aborted)),
            (State::AwaitHello, Message::Hello { streams, tree: None }) => {
                self.streams = streams;
                self.state = State::AwaitOffer;
                Ok(None)
            }
            (
                State::AwaitHello,
                Message::Hello {
                    streams,
                    tree: Some(tree),
                },
            ) => {
                self.streams = streams;
                self.state = State::Tree;
                Ok(Some(Heard::Tree(Box::new(tree))))
            }
            (State::AwaitHello, Message::Join { token }) => {
                self.state = State::Offered;
                Ok(Some(Heard::Join(token)))
            }
            (State::AwaitOffer, Message::Offer { item: ITEM, mut offer }) => {
                // Without a grid nobody could tell where a block of another connection belongs.
                offer.streams = offer.grain.map_or(1, |_| self.streams);
                if let Some(grain) = offer.grain {
                    self.grid = Grid::Every(grain);
                }
                self.state = State::Offered;
                Ok(Some(Heard::Offer(offer)))
            }
            (State::Between, block @ Message::Block { .. }) => {
                self.begin_block(&block)?;
                Ok(None)
            }
            (State::AwaitHandoff, block @ Message::Block { .. }) => {
                self.begin_block(&block)?;
                Ok(Some(Heard::BlocksInstead))
            }
            (State::AwaitHandoff, Message::Handoff { item: ITEM, position }) => {
                self.state = State::Handed { position };
                Ok(None)
            }
            (
                State::Handed { position },
                Message::End {
                    item: ITEM,
                    bytes,
                    checksum,
                    kept: kept @ 0,
                },
            ) => {
                let position = *position;
                self.end(bytes, checksum, kept)?;
                Ok(Some(Heard::Handoff { position }))
            }
            (
                State::Between,
                Message::End {
                    item: ITEM,
                    bytes,
                    checksum,
                    kept,
                },
            ) if self.role == Role::Control => {
                self.end(bytes, checksum, kept)?;
                Ok(None)
            }
            (State::Ended, Message::Finish) if !self.has_finished => {
                self.has_finished = true;
                Ok(None)
            }
            (State::Between | State::Ended, Message::Offer { .. }) => Err(Error::Protocol(
                "a second array in one session, where one was to come".into(),
            )),
            (_, message) => Err(Error::Protocol(format!("{} out of turn", message.name()))),
        }
    }

    /// Claims a block whose header has come.
    fn begin_block(&mut self, block: &Message) -> Result<(), Error> {
        let &Message::Block {
            item: ITEM,
            index,
            len,
            ends: false,
        } = block
        else {
            return Err(Error::Protocol("a block that is none of the array's".into()));
        };
        let early = || Error::Bug("blocks are taken before there is a ledger".into());
        let ledger = self.ledger.as_ref().ok_or_else(early)?;
        self.state = State::Refused;
        let at = self.grid.place(index, len, ledger.total_bytes().unwrap_or(0))?;
        let claim = ledger.claim(at, len.into())?;
        self.state = State::Data(IncomingBlock { index, claim });
        Ok(())
    }

    /// The sender has sent all of it but what is kept, and this is what it has.
    fn end(&mut self, bytes: u64, checksum: Option<u64>, kept: u64) -> Result<(), Error> {
        let early = || Error::Bug("an end is taken before there is a ledger".into());
        let ledger = self.ledger.as_ref().ok_or_else(early)?;
        let total = ledger.total_bytes();
        if total != Some(bytes) {
            return Err(Error::Protocol(format!(
                "an end after {bytes} bytes of {}",
                total.unwrap_or(0)
            )));
        }
        ledger.keep(kept)?;
        self.told = checksum;
        self.state = State::Ended;
        // Blocks that are still on their way over other connections are part of the whole.
        if self.is_whole() { self.check_whole() } else { Ok(()) }
    }
}
