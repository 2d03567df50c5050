//! What the sender of a tree says, out of its bytes.

use crate::error::Error;

use super::message::{BLOCK_HEADER_BYTES, HEADER_BYTES, Message, Parsed, TRAILER_BYTES};

/// So many bytes are read at once, at most. There is room for no more of a block than has come of it, and so many.
const BUFFER_BYTES: usize = 256 << 10;

/// Takes what comes over the control connection of a session and gives it out message by message.
#[derive(Debug)]
pub(crate) struct TreeInbox {
    /// What was read, from `begin` to `end`, and is not given out.
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
    block: Option<ComingBlock>,
}

/// What has come.
#[derive(Debug, PartialEq)]
pub(crate) enum TreeWord {
    /// A message that is no block, and how many bytes it had.
    Message(Message, usize),
    /// A block with its data.
    Block(TreeBlock),
}

/// A block, all of which has come.
#[derive(Debug, PartialEq)]
pub(crate) struct TreeBlock {
    pub(crate) item: u32,
    pub(crate) index: u32,
    /// It is the item's only one, and an end is in it.
    pub(crate) ends: bool,
    pub(crate) data: Vec<u8>,
    /// What the sender says is the checksum of the data.
    pub(crate) checksum: u64,
}

/// A block whose data come.
#[derive(Debug)]
struct ComingBlock {
    item: u32,
    index: u32,
    ends: bool,
    /// How many data it has.
    len: usize,
    /// Those that have come, and room for the next ones.
    data: Vec<u8>,
    /// How many have come.
    have: usize,
}

impl TreeInbox {
    /// Goes on after these bytes, which were read and belong to it.
    pub(crate) fn after(read: &[u8]) -> Self {
        let mut buffer = read.to_vec();
        buffer.resize(BUFFER_BYTES.max(read.len()), 0);
        Self {
            buffer,
            begin: 0,
            end: read.len(),
            block: None,
        }
    }

    /// Where the next bytes are to be read to: never empty, once [`TreeInbox::next`] has had nothing more.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if let Some(block) = &mut self.block
            && block.have < block.len
        {
            return block.room();
        }
        if self.begin > 0 {
            self.buffer.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        if self.end == self.buffer.len() {
            // An offer may be longer than the buffer; its length is bounded.
            self.buffer.resize(2 * self.buffer.len(), 0);
        }
        &mut self.buffer[self.end..]
    }

    /// So many bytes were read to where there was [room](TreeInbox::room).
    pub(crate) fn filled(&mut self, count: usize) {
        match &mut self.block {
            Some(block) if block.have < block.len => block.have += count,
            _ => self.end += count,
        }
    }

    /// Whether a message or a block has begun to come, and not all of it has.
    pub(crate) fn is_within_message(&self) -> bool {
        self.block.is_some() || self.begin < self.end
    }

    /// The next thing that has come whole; `None` where more has to be read.
    ///
    /// # Errors
    /// What came is no message.
    pub(crate) fn next(&mut self) -> Result<Option<TreeWord>, Error> {
        loop {
            if let Some(block) = self.block.take() {
                return Ok(match self.finish(block) {
                    Ok(block) => Some(TreeWord::Block(block)),
                    Err(block) => {
                        self.block = Some(block);
                        None
                    }
                });
            }
            let unread = &self.buffer[self.begin..self.end];
            match Message::parse(unread)? {
                Parsed::Need(_) => return Ok(None),
                Parsed::Message(Message::Block { item, index, len, ends }, bytes) => {
                    self.begin += bytes;
                    let len = usize::try_from(len).unwrap_or(usize::MAX);
                    let have = len.min(self.end - self.begin);
                    let data = self.buffer[self.begin..self.begin + have].to_vec();
                    self.begin += have;
                    self.block = Some(ComingBlock {
                        item,
                        index,
                        ends,
                        len,
                        data,
                        have,
                    });
                }
                Parsed::Message(message, bytes) => {
                    self.begin += bytes;
                    return Ok(Some(TreeWord::Message(message, bytes)));
                }
            }
        }
    }

    /// The block, if all of it has come.
    fn finish(&mut self, block: ComingBlock) -> Result<TreeBlock, ComingBlock> {
        let trailer = self.buffer[self.begin..self.end].first_chunk::<TRAILER_BYTES>();
        let Some(trailer) = trailer.filter(|_| block.have == block.len) else {
            return Err(block);
        };
        let checksum = u64::from_le_bytes(*trailer);
        self.begin += TRAILER_BYTES;
        Ok(TreeBlock {
            item: block.item,
            index: block.index,
            ends: block.ends,
            data: block.data,
            checksum,
        })
    }
}

impl ComingBlock {
    /// Where its next data are to be read to. A header alone takes nothing.
    fn room(&mut self) -> &mut [u8] {
        let end = self.len.min(self.have + BUFFER_BYTES);
        if end > self.data.len() {
            self.data.reserve_exact(end - self.data.len());
            self.data.resize(end, 0);
        }
        &mut self.data[self.have..]
    }
}

/// How many bytes a block takes beside its data.
pub(crate) const BLOCK_OVERHEAD_BYTES: usize = BLOCK_HEADER_BYTES + TRAILER_BYTES;
const _: () = assert!(HEADER_BYTES < BLOCK_HEADER_BYTES);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::native::message::{Credit, ItemResult, Status};
    use proptest::prelude::*;

    fn words() -> (Vec<u8>, Vec<TreeWord>) {
        let block = |item: u32, len: usize, checksum: u64| TreeBlock {
            item,
            index: 0,
            ends: len == 1,
            data: vec![u8::try_from(item).expect("small"); len],
            checksum,
        };
        let messages = [
            Message::Credit(Credit::FIRST),
            Message::KeepAlive,
            Message::Result(ItemResult {
                item: 1,
                count: 3,
                status: Status::Stored,
                is_durable: true,
                bytes: None,
                checksum: None,
                reason: None,
            }),
        ];
        let (mut bytes, mut words) = (Vec::new(), Vec::new());
        for (number, message) in messages.into_iter().enumerate() {
            let before = bytes.len();
            message.encode(&mut bytes);
            words.push(TreeWord::Message(message, bytes.len() - before));
            let block = block(u32::try_from(number).expect("small") + 1, 1 + 999 * number, 7);
            Message::Block {
                item: block.item,
                index: 0,
                len: u32::try_from(block.data.len()).expect("small"),
                ends: block.ends,
            }
            .encode(&mut bytes);
            bytes.extend_from_slice(&block.data);
            bytes.extend_from_slice(&block.checksum.to_le_bytes());
            words.push(TreeWord::Block(block));
        }
        (bytes, words)
    }

    #[test]
    fn a_block_takes_memory_as_its_bytes_come_and_not_as_its_header_says() {
        let len = 4 << 20;
        let mut header = Vec::new();
        Message::Block {
            item: 1,
            index: 0,
            len,
            ends: false,
        }
        .encode(&mut header);
        let mut inbox = TreeInbox::after(&header);
        assert_eq!(inbox.next(), Ok(None));
        let mut come = 0;
        while come < len as usize {
            let block = inbox.block.as_ref().expect("begun");
            assert!(block.data.capacity() <= come + BUFFER_BYTES, "{come}");
            // Less than there is room for, as a socket gives it.
            let count = inbox.room().len().min(100_000);
            inbox.filled(count);
            come += count;
            assert_eq!(inbox.next(), Ok(None));
        }
        let room = inbox.room();
        room[..TRAILER_BYTES].copy_from_slice(&7_u64.to_le_bytes());
        inbox.filled(TRAILER_BYTES);
        let Ok(Some(TreeWord::Block(block))) = inbox.next() else {
            panic!("it has come");
        };
        assert_eq!((block.data.len(), block.checksum), (4 << 20, 7));
    }

    proptest! {
        #[test]
        fn in_whatever_pieces_it_comes_each_word_is_given_out_once_and_whole(
            pieces in prop::collection::vec(1_usize..600, 1..40),
            first in 0_usize..100,
        ) {
            let (bytes, expected) = words();
            let mut inbox = TreeInbox::after(&bytes[..first]);
            let (mut at, mut got, mut pieces) = (first, Vec::new(), pieces.into_iter().cycle());
            loop {
                while let Some(word) = inbox.next().expect("right") {
                    got.push(word);
                }
                if at == bytes.len() {
                    break;
                }
                let room = inbox.room();
                let count = pieces.next().unwrap_or(1).min(room.len()).min(bytes.len() - at);
                room[..count].copy_from_slice(&bytes[at..at + count]);
                inbox.filled(count);
                at += count;
            }
            prop_assert_eq!(got, expected);
        }
    }
}
