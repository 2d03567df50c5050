//! The receiving half of every wire, and how a receiver tells them apart.

use std::sync::Arc;

use crate::array::{ArrayMeta, npy};
use crate::error::Error;

use super::native::{Blocks, NativeReceiver, Token};
use super::{ChecksumKind, Offer, WireChoice, native};

/// What a receiver has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Want {
    /// Read up to so many bytes and report them to [`ReceiveWire::hear`].
    Control(usize),
    /// Look at what is offered and call [`ReceiveWire::accept`], or give up.
    Decision,
    /// Let bytes of the array land, up to `len` from `at` on, and report them to [`ReceiveWire::landed`].
    Data {
        /// The first byte.
        at: u64,
        /// How many there are before the next step.
        len: u64,
    },
    /// Nothing: the array is whole.
    Done,
}

/// What was heard from the sender.
#[derive(Debug, PartialEq)]
pub enum Heard {
    /// What is about to come.
    Offer(Box<Offer>),
    /// The array was handed over with a descriptor: it begins at byte `position` of what that is of.
    Handoff {
        /// The array's first byte.
        position: u64,
    },
    /// A handoff was asked for, and blocks follow all the same.
    BlocksInstead,
    /// The sender is still there.
    KeepAlive,
    /// The connection joins a transfer that has begun on another one.
    Join(Token),
}

/// The receiver's side of a wire.
#[derive(Debug)]
pub enum ReceiveWire {
    /// The first bytes will tell.
    Unknown,
    /// Offer, answer, blocks, receipt.
    Native(Box<NativeReceiver>),
    /// A `.npy` header, then the bytes.
    Npy(HeaderReader),
    /// The bytes and nothing else.
    Raw(StreamReceiver),
}

/// Reads a `.npy` header, and then the bytes.
#[derive(Debug, Default)]
pub struct HeaderReader {
    inbox: Vec<u8>,
    stream: Option<StreamReceiver>,
}

/// Takes the bytes of an array of known length.
#[derive(Debug)]
pub struct StreamReceiver {
    offer: Box<Offer>,
    accepted: bool,
    at: u64,
}

/// The first bytes of the two wires that have any: `ARLIFT` and `\x93NUMPY`.
const FIRST_BYTES: usize = 6;

impl ReceiveWire {
    /// The wire for a choice; `auto` listens for the first bytes.
    ///
    /// # Errors
    /// The `raw` wire says nothing of the array, so that it has to be told what comes.
    pub fn new(choice: WireChoice, expect: Option<&ArrayMeta>) -> Result<Self, Error> {
        Ok(match choice {
            WireChoice::Auto => Self::Unknown,
            WireChoice::Native => Self::Native(Box::default()),
            WireChoice::Npy => Self::Npy(HeaderReader::default()),
            WireChoice::Raw => {
                let meta = expect.ok_or_else(|| {
                    Error::Usage("the raw wire does not say what comes: say its count or shape, and its dtype".into())
                })?;
                Self::Raw(StreamReceiver::new(meta.clone()))
            }
        })
    }

    /// The wire's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "auto",
            Self::Native(_) => "native",
            Self::Npy(_) => "npy",
            Self::Raw(_) => "raw",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn want(&self) -> Want {
        match self {
            Self::Unknown => Want::Control(FIRST_BYTES),
            Self::Native(native) => native.want(),
            Self::Npy(HeaderReader {
                stream: Some(stream), ..
            })
            | Self::Raw(stream) => stream.want(),
            Self::Npy(reader) => {
                let need = match npy::read_header(&reader.inbox) {
                    Ok(npy::HeaderProgress::Need(bytes)) => bytes,
                    // A whole or a broken header is dealt with as soon as its bytes are heard.
                    Ok(npy::HeaderProgress::Done { .. }) | Err(_) => reader.inbox.len() + 1,
                };
                Want::Control(need.saturating_sub(reader.inbox.len()))
            }
        }
    }

    /// Takes bytes that the sender sent, at most as many as were wanted.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<Option<Heard>, Error> {
        match self {
            Self::Unknown => {
                *self = match bytes.first() {
                    Some(first) if *first == native::MAGIC[0] => Self::Native(Box::default()),
                    Some(first) if *first == npy::MAGIC[0] => Self::Npy(HeaderReader::default()),
                    _ => return Err(Error::OtherProtocol(looks_like(bytes))),
                };
                self.hear(bytes)
            }
            Self::Native(native) => native.hear(bytes),
            Self::Npy(reader) => reader.hear(bytes),
            Self::Raw(_) => Ok(None),
        }
    }

    /// What is offered without anything being heard, as on the `raw` wire.
    #[must_use]
    pub fn known_offer(&self) -> Option<Box<Offer>> {
        match self {
            Self::Raw(stream) => Some(stream.offer.clone()),
            _ => None,
        }
    }

    /// Whether a block has begun to come and is not verified yet.
    #[must_use]
    pub fn is_within_block(&self) -> bool {
        matches!(self, Self::Native(native) if native.is_within_block())
    }

    /// Takes blocks from a connection that has joined a transfer.
    #[must_use]
    pub fn joined(blocks: Arc<Blocks>) -> Self {
        Self::Native(Box::new(NativeReceiver::joined(blocks)))
    }

    /// What further connections of this transfer share with this one; on the native wire alone.
    #[must_use]
    pub fn blocks(&self) -> Option<&Arc<Blocks>> {
        match self {
            Self::Native(native) => Some(native.blocks()),
            _ => None,
        }
    }

    /// What is offered is taken; returns the answer to send, which may be empty.
    #[must_use]
    pub fn accept(&mut self, more: Option<(u16, Token)>) -> Vec<u8> {
        match self {
            Self::Native(native) => return native.accept(more),
            Self::Npy(HeaderReader {
                stream: Some(stream), ..
            })
            | Self::Raw(stream) => stream.accepted = true,
            Self::Npy(_) | Self::Unknown => debug_assert!(false, "nothing was offered"),
        }
        Vec::new()
    }

    /// What is offered is taken, and is to be handed over; returns the answer to send. `None` on other wires.
    #[must_use]
    pub fn accept_handoff(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Native(native) => Some(native.accept_handoff()),
            _ => None,
        }
    }

    /// Whether a descriptor may come with what is read next.
    #[must_use]
    pub fn awaits_handoff(&self) -> bool {
        matches!(self, Self::Native(native) if native.awaits_handoff())
    }

    /// Bytes of the array, in order, for the checksum.
    pub fn absorb(&mut self, bytes: &[u8]) {
        if let Self::Native(native) = self {
            native.absorb(bytes);
        }
    }

    /// `len` bytes of the array have landed.
    pub fn landed(&mut self, len: u64) {
        match self {
            Self::Native(native) => native.landed(len),
            Self::Npy(HeaderReader {
                stream: Some(stream), ..
            })
            | Self::Raw(stream) => stream.at += len,
            Self::Npy(_) | Self::Unknown => debug_assert!(false, "nothing was offered"),
        }
    }

    /// What to say when the array is whole and where it belongs; may be empty.
    #[must_use]
    pub fn receipt(&self) -> Vec<u8> {
        match self {
            Self::Native(native) => native.receipt(),
            _ => Vec::new(),
        }
    }

    /// What tells the sender why nothing more is taken; may be empty.
    #[must_use]
    pub fn give_up(&self, reason: &str) -> Vec<u8> {
        match self {
            Self::Native(native) => native.give_up(reason),
            _ => Vec::new(),
        }
    }

    /// What tells the sender that we are still here, where it may be said.
    #[must_use]
    pub fn keep_alive(&mut self) -> Option<Vec<u8>> {
        match self {
            Self::Native(native) => native.keep_alive(),
            _ => None,
        }
    }

    /// Whether a checksum has to be taken, and with it the bytes looked at.
    #[must_use]
    pub fn verified_checksum(&self) -> Option<String> {
        match self {
            Self::Native(native) => native.verified_checksum(),
            _ => None,
        }
    }

    /// Whether the wire ends with the array, so that anything that follows it is surplus.
    #[must_use]
    pub fn ends_with_data(&self) -> bool {
        matches!(self, Self::Npy(_) | Self::Raw(_))
    }
}

impl HeaderReader {
    fn hear(&mut self, bytes: &[u8]) -> Result<Option<Heard>, Error> {
        self.inbox.extend_from_slice(bytes);
        let matching = npy::MAGIC.iter().zip(&self.inbox).all(|(magic, byte)| magic == byte);
        if !matching {
            return Err(Error::OtherProtocol(looks_like(&self.inbox)));
        }
        match npy::read_header(&self.inbox).map_err(|error| Error::BadOffer(error.to_string()))? {
            npy::HeaderProgress::Need(_) => Ok(None),
            npy::HeaderProgress::Done { meta, .. } => {
                let stream = StreamReceiver::new(meta);
                let offer = stream.offer.clone();
                self.stream = Some(stream);
                Ok(Some(Heard::Offer(offer)))
            }
        }
    }
}

impl StreamReceiver {
    fn new(meta: ArrayMeta) -> Self {
        let offer = Offer {
            meta,
            name: None,
            plain: false,
            identity: Vec::new(),
            checksum: ChecksumKind::None,
            streams: 1,
            handoff: None,
        };
        Self {
            offer: Box::new(offer),
            accepted: false,
            at: 0,
        }
    }

    fn want(&self) -> Want {
        let total = self.offer.meta.byte_len();
        match self.accepted {
            false => Want::Decision,
            true if self.at < total => Want::Data {
                at: self.at,
                len: total - self.at,
            },
            true => Want::Done,
        }
    }
}

/// What some first bytes are the beginning of, for people.
fn looks_like(bytes: &[u8]) -> String {
    let known: [(&[u8], &str); 8] = [
        (&[0x16, 0x03], "this looks like TLS"),
        (b"GET ", "this looks like HTTP"),
        (b"POST", "this looks like HTTP"),
        (b"HEAD", "this looks like HTTP"),
        (b"PUT ", "this looks like HTTP"),
        (b"PRI *", "this looks like HTTP/2"),
        (b"SSH-", "this looks like SSH"),
        (b"\x80\x04", "this looks like a Python pickle"),
    ];
    let begins = |(begin, _): &&(&[u8], &str)| bytes.starts_with(begin);
    match known.iter().find(begins) {
        Some((_, name)) => (*name).into(),
        None => format!(
            "it begins with {}; for the bytes alone choose the raw wire",
            bytes[..bytes.len().min(6)].escape_ascii()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::{ArrayMeta, Dtype};
    use crate::wire::{SendStep, SendWire};
    use proptest::prelude::*;

    fn offer(meta: ArrayMeta, checksum: ChecksumKind) -> Offer {
        Offer {
            meta,
            name: Some("a.npy".into()),
            plain: false,
            identity: Vec::new(),
            checksum,
            streams: 1,
            handoff: None,
        }
    }

    /// Moves `data` over a wire whose bytes come `piece` at a time; `tamper` may change what is on the way.
    fn moved(
        choice: WireChoice,
        data: &[u8],
        checksum: ChecksumKind,
        piece: usize,
        block_bytes: u32,
        mut tamper: impl FnMut(u64, &mut [u8]),
    ) -> Result<(Vec<u8>, Option<String>), Error> {
        let meta = ArrayMeta::vector(Dtype::u8(), data.len() as u64).expect("small");
        let mut sender = SendWire::new(choice, offer(meta.clone(), checksum));
        let (known, choice) = if choice == WireChoice::Raw {
            (Some(meta), choice)
        } else {
            (None, WireChoice::Auto)
        };
        let mut receiver = ReceiveWire::new(choice, known.as_ref())?;
        let (mut on_the_way, mut out) = (std::collections::VecDeque::new(), vec![0; data.len()]);
        let mut bytes_sent = 0;
        for _ in 0..100_000 {
            match sender.step(Some(block_bytes))? {
                SendStep::Write(bytes) => on_the_way.extend(bytes),
                SendStep::Data { at, len } => {
                    let at = usize::try_from(at).expect("small");
                    let len = usize::try_from(len).expect("small").min(piece);
                    let mut bytes = data[at..at + len].to_vec();
                    sender.digest().update(&bytes);
                    tamper(bytes_sent, &mut bytes);
                    bytes_sent += len as u64;
                    on_the_way.extend(bytes);
                    sender.sent(len as u64);
                }
                SendStep::Await | SendStep::Done | SendStep::HandOver => {}
            }
            let answer = match receiver.want() {
                Want::Decision => receiver.accept(None),
                Want::Control(max) => {
                    assert!(max > 0, "a receiver that wants nothing waits for ever");
                    let bytes: Vec<u8> = on_the_way.drain(..max.min(piece).min(on_the_way.len())).collect();
                    if !bytes.is_empty() {
                        receiver.hear(&bytes)?;
                    }
                    Vec::new()
                }
                Want::Data { at, len } => {
                    let len = usize::try_from(len).expect("small").min(piece).min(on_the_way.len());
                    let bytes: Vec<u8> = on_the_way.drain(..len).collect();
                    let at = usize::try_from(at).expect("small");
                    out[at..at + len].copy_from_slice(&bytes);
                    receiver.absorb(&bytes);
                    receiver.landed(len as u64);
                    Vec::new()
                }
                Want::Done if sender.step(Some(block_bytes))? == SendStep::Done => {
                    assert_eq!(receiver.verified_checksum(), sender.verified_checksum());
                    assert!(on_the_way.is_empty());
                    return Ok((out, sender.verified_checksum()));
                }
                Want::Done => receiver.receipt(),
            };
            sender.hear(&answer)?;
        }
        panic!("the wire never ends");
    }

    #[test]
    fn every_wire_moves_every_byte_whatever_the_pieces() {
        let data: Vec<u8> = (0..1000_u32).map(|i| (i % 251) as u8).collect();
        for choice in WireChoice::ALL {
            for len in [0, 1, 7, 1000] {
                for (piece, block) in [(1, 1), (3, 7), (16, 64), (4096, 1 << 20)] {
                    let (out, _) = moved(choice, &data[..len], ChecksumKind::Crc64Nvme, piece, block, |_, _| {})
                        .unwrap_or_else(|error| panic!("{} {len} {piece} {block}: {error}", choice.name()));
                    assert_eq!(out, data[..len], "{} {len} {piece} {block}", choice.name());
                }
            }
        }
    }

    #[test]
    fn a_flipped_bit_is_found_at_its_block_and_the_block_is_named() {
        let data = vec![5; 1000];
        for kind in [ChecksumKind::Crc64Nvme, ChecksumKind::Crc32] {
            let flip = |at: u64, bytes: &mut [u8]| {
                if at == 650 {
                    bytes[0] ^= 1;
                }
            };
            let error = moved(WireChoice::Native, &data, kind, 50, 100, flip).expect_err("a flipped bit");
            assert_eq!(
                error,
                Error::DamagedBlock {
                    index: 6,
                    start: 600,
                    end: 700
                }
            );
        }
    }

    #[test]
    fn without_a_checksum_nothing_is_called_verified() {
        let (_, checksum) = moved(WireChoice::Native, &[1; 10], ChecksumKind::None, 4, 8, |_, _| {}).expect("moved");
        assert_eq!(checksum, None);
    }

    #[test]
    fn the_checksum_of_the_whole_is_that_of_its_bytes_whatever_the_blocks() {
        let data: Vec<u8> = b"123456789".repeat(10);
        let mut digest = crate::wire::Digest::new(ChecksumKind::Crc64Nvme);
        digest.update(&data);
        for block in [1, 9, 1000] {
            let (_, checksum) =
                moved(WireChoice::Native, &data, ChecksumKind::Crc64Nvme, 5, block, |_, _| {}).expect("moved");
            assert_eq!(checksum, digest.to_text());
        }
    }

    #[test]
    fn other_protocols_are_named() {
        for (bytes, name) in [
            (&b"GET / HTTP/1.1"[..], "HTTP"),
            (&[0x16, 3, 1, 0, 5][..], "TLS"),
            (b"SSH-2.0-x", "SSH"),
            (b"hello", "hello"),
            (b"\x93nump", "nump"),
            (b"ARRIVE12", "greeting"),
        ] {
            let mut wire = ReceiveWire::new(WireChoice::Auto, None).expect("auto");
            let mut heard = wire.hear(&bytes[..bytes.len().min(6)]);
            if heard.is_ok() {
                heard = wire.hear(&bytes[6..]);
            }
            let message = heard.expect_err("not ours").to_string();
            assert!(message.contains(name), "{message}");
        }
    }

    #[test]
    fn a_later_version_is_refused_by_its_number() {
        let mut wire = ReceiveWire::new(WireChoice::Auto, None).expect("auto");
        assert_eq!(wire.hear(b"ARLIFT"), Ok(None));
        let error = wire.hear(&[7, 0]).expect_err("version 7");
        assert!(error.to_string().contains("version 7"), "{error}");
        let mut sender = SendWire::new(
            WireChoice::Native,
            offer(ArrayMeta::vector(Dtype::u8(), 1).expect("1"), ChecksumKind::None),
        );
        sender.step(Some(1)).expect("offer");
        let refused = sender.hear(&wire.give_up("no version 7")).expect_err("a refusal");
        assert_eq!(refused, Error::Refused("no version 7".into()));
    }

    #[test]
    fn a_receipt_before_the_last_byte_was_sent_is_not_taken() {
        let array = ArrayMeta::vector(Dtype::u8(), 10).expect("10");
        let mut sender = SendWire::new(WireChoice::Native, offer(array, ChecksumKind::Crc64Nvme));
        sender.step(Some(4)).expect("block");
        let mut answer = b"ARLIFT\x01\x00".to_vec();
        answer.extend([2, 0, 0, 0, 12, 0, 0, 0, 9, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        sender.hear(&answer).expect("an acceptance");
        let mut receipt = vec![5, 0, 0, 0, 24, 0, 0, 0, 4, 0, 8, 0, 10, 0, 0, 0, 0, 0, 0, 0];
        receipt.extend([10, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!(matches!(sender.hear(&receipt), Err(Error::Protocol(_))));
    }

    #[test]
    fn a_block_out_of_place_or_beyond_the_end_is_an_error() {
        for (offset, len) in [(1_u64, 1_u32), (0, 11), (u64::MAX, 4)] {
            let mut wire = ReceiveWire::new(WireChoice::Native, None).expect("native");
            let mut sender = SendWire::new(
                WireChoice::Native,
                offer(ArrayMeta::vector(Dtype::u8(), 10).expect("10"), ChecksumKind::None),
            );
            let Ok(SendStep::Write(bytes)) = sender.step(Some(1)) else {
                panic!("an offer")
            };
            wire.hear(&bytes).expect("an offer");
            let _ = wire.accept(None);
            let mut block = vec![4, 0, 0, 0];
            block.extend_from_slice(&len.to_le_bytes());
            block.extend_from_slice(&offset.to_le_bytes());
            assert!(matches!(wire.hear(&block), Err(Error::Protocol(_))), "{offset} {len}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_never_make_a_receiver_want_without_bound(
            bytes in proptest::collection::vec(any::<u8>(), 1..300), magic in 0..3_u8
        ) {
            let mut stream = match magic { 0 => b"ARLIFT\x01\x00".to_vec(), 1 => b"\x93NUMPY\x01\x00".to_vec(), _ => Vec::new() };
            stream.extend(bytes);
            let mut wire = ReceiveWire::new(WireChoice::Auto, None).expect("auto");
            let mut at = 0;
            while at < stream.len() {
                let Want::Control(max) = wire.want() else { break };
                prop_assert!(max <= 65_536 + 16);
                let end = (at + max.max(1)).min(stream.len());
                if wire.hear(&stream[at..end]).is_err() { break }
                at = end;
            }
        }
    }
}
