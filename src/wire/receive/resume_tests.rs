//! A session that goes on where an earlier one ended, both ends, over several connections and without a socket.

use std::collections::VecDeque;

use super::*;
use crate::array::Dtype;
use crate::wire::{ChecksumKind, Digest, Handoff, SendStep, SendWire};
use proptest::prelude::*;

const KIND: ChecksumKind = ChecksumKind::Crc64Nvme;
const GRAIN: Grain = Grain::MIN;
const BLOCK_BYTES: usize = 64 << 10;
const TOKEN: Token = [7; 16];

/// What a receiver has of a block from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Nothing,
    Right,
    /// Of an earlier version of the source.
    Stale,
}

/// One connection, and what is on its way to the receiver.
struct Connection {
    sender: SendWire,
    receiver: ReceiveWire,
    on_the_way: VecDeque<u8>,
}

/// A whole session.
struct Session<'a> {
    data: &'a [u8],
    /// Bytes are looked at, sent and received so many at a time.
    piece: usize,
    ledger: Arc<Ledger>,
    /// How many connections the receiver takes.
    streams: u16,
    connections: Vec<Connection>,
    /// What the receiver has.
    out: Vec<u8>,
    bytes_sent: u64,
    bytes_compared: u64,
    has_answered: bool,
}

impl<'a> Session<'a> {
    fn new(data: &'a [u8], grain: Grain, ledger: Arc<Ledger>, streams: u16, out: Vec<u8>, piece: usize) -> Self {
        let offer = Offer {
            meta: ArrayMeta::vector(Dtype::u8(), data.len() as u64).expect("small"),
            name: None,
            plain: false,
            identity: Vec::new(),
            checksum: KIND,
            grain: Some(grain),
            streams,
            handoff: None,
        };
        Self {
            data,
            piece,
            ledger,
            streams,
            connections: vec![Connection {
                sender: SendWire::new(WireChoice::Native, offer),
                receiver: ReceiveWire::new(WireChoice::Native, None).expect("native"),
                on_the_way: VecDeque::new(),
            }],
            out,
            bytes_sent: 0,
            bytes_compared: 0,
            has_answered: false,
        }
    }

    /// Lets the sender's end of a connection do something.
    fn send(&mut self, number: usize) -> Result<(), Error> {
        let Connection { sender, on_the_way, .. } = &mut self.connections[number];
        if on_the_way.len() > 2 * BLOCK_BYTES {
            return Ok(());
        }
        let part = |at: u64, len: u64| {
            let at = usize::try_from(at).expect("small");
            &self.data[at..at + usize::try_from(len).expect("small").min(self.piece)]
        };
        match sender.step(Some(1)) {
            SendStep::Write(bytes) => on_the_way.extend(bytes),
            SendStep::Data { at, len } => {
                let bytes = part(at, len);
                sender.digest().update(bytes);
                on_the_way.extend(bytes);
                self.bytes_sent += bytes.len() as u64;
                sender.sent(bytes.len() as u64)?;
            }
            SendStep::Compare { at, len } => {
                assert!(sender.keep_alive().is_some(), "it may take long");
                let bytes = part(at, len);
                sender.digest().update(bytes);
                self.bytes_compared += bytes.len() as u64;
                sender.compared(bytes.len() as u64)?;
            }
            SendStep::LookAgain => on_the_way.extend(sender.unchanged()?),
            SendStep::Await | SendStep::Done | SendStep::HandOver => {}
        }
        if let Some((blocks, streams, token)) = sender.take_more() {
            for _ in 1..streams {
                self.connections.push(Connection {
                    sender: SendWire::joining(token, Arc::clone(&blocks)),
                    receiver: ReceiveWire::new(WireChoice::Native, None)?,
                    on_the_way: VecDeque::new(),
                });
            }
        }
        Ok(())
    }

    /// Lets the receiver's end of a connection do something.
    fn receive(&mut self, number: usize) -> Result<(), Error> {
        let Connection {
            sender,
            receiver,
            on_the_way,
        } = &mut self.connections[number];
        let answer = match receiver.want() {
            Want::Decision => receiver.accept(&self.ledger, (self.streams > 1).then_some((self.streams, TOKEN)))?,
            Want::Control(most) => {
                let bytes: Vec<u8> = on_the_way.drain(..most.min(self.piece).min(on_the_way.len())).collect();
                if let Some(Heard::Join(token)) = receiver.hear(&bytes)? {
                    assert_eq!(token, TOKEN);
                    // The grid of the offer, which the sender knows to be another one by now.
                    *receiver = ReceiveWire::joined(Grain::MAX);
                }
                Vec::new()
            }
            Want::Data { at, len } => {
                if self.ledger.needs_void(at) {
                    self.ledger.voided(at);
                }
                let len = usize::try_from(len).expect("small");
                let bytes: Vec<u8> = on_the_way.drain(..len.min(self.piece).min(on_the_way.len())).collect();
                let at = usize::try_from(at).expect("small");
                self.out[at..at + bytes.len()].copy_from_slice(&bytes);
                receiver.absorb(&bytes);
                receiver.landed(bytes.len() as u64)?;
                Vec::new()
            }
            Want::Done if number == 0 && !std::mem::replace(&mut self.has_answered, true) => {
                receiver.check_whole()?;
                receiver.result()
            }
            Want::Done if number == 0 && receiver.may_go_on() => {
                let bytes: Vec<u8> = on_the_way.drain(..).collect();
                receiver.hear(&bytes)?;
                if receiver.may_go_on() {
                    Vec::new()
                } else {
                    receiver.summary()
                }
            }
            Want::Done => Vec::new(),
        };
        sender.hear(&answer)
    }

    /// Whoever's turn it is, until all is said.
    fn run(&mut self, mut seed: u64) -> Result<(), Error> {
        for _ in 0..1_000_000 {
            // Knuth's generator.
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let number = (seed >> 40) as usize % self.connections.len();
            if seed >> 63 == 0 {
                self.send(number)?;
            } else {
                self.receive(number)?;
            }
            let sender = &mut self.connections[0].sender;
            if sender.has_result() && sender.step(None) == SendStep::Done {
                return Ok(());
            }
        }
        panic!("the session never ends");
    }
}

/// Blocks of which no two are the same.
fn data(bytes: usize) -> Vec<u8> {
    let byte = |at: usize| u8::try_from((at / BLOCK_BYTES * 31 + at % 251) % 256).expect("below 256");
    (0..bytes).map(byte).collect()
}

fn digest(bytes: &[u8]) -> Digest {
    let mut digest = Digest::new(KIND);
    digest.update(bytes);
    digest
}

/// A receiver's bytes and what it has recorded of them.
fn held(data: &[u8], blocks: &[Held]) -> (Vec<u8>, Arc<Ledger>) {
    let mut out = vec![0; data.len()];
    let mut recorded = Vec::new();
    for (index, ((held, from), to)) in (0_u32..).zip(
        blocks
            .iter()
            .zip(data.chunks(BLOCK_BYTES))
            .zip(out.chunks_mut(BLOCK_BYTES)),
    ) {
        if *held != Held::Nothing {
            to.copy_from_slice(from);
            to[0] ^= u8::from(*held == Held::Stale);
            recorded.push((index, digest(to).value().expect("a checksum")));
        }
    }
    let ledger = Ledger::resumed(data.len() as u64, KIND, GRAIN, 4, recorded).expect("its own blocks");
    (out, ledger)
}

proptest! {
    #[test]
    fn only_what_is_missing_or_stale_is_sent_over_however_many_connections(
        blocks in prop::collection::vec(
            prop_oneof![Just(Held::Nothing), Just(Held::Right), Just(Held::Right), Just(Held::Stale)], 1..14,
        ),
        last_bytes in 1..=BLOCK_BYTES,
        streams in 1_u16..4,
        offered in prop_oneof![Just(GRAIN), Just(Grain::MAX)],
        seed in any::<u64>(),
    ) {
        let data = data((blocks.len() - 1) * BLOCK_BYTES + last_bytes);
        let (out, ledger) = held(&data, &blocks);
        let recorded_bytes = ledger.recorded_bytes();
        let mut session = Session::new(&data, offered, Arc::clone(&ledger), streams, out, 10_000);
        let ended = session.run(seed);
        prop_assert!(ended.is_ok(), "{:?}", ended);
        prop_assert!(session.out == data);
        let bytes_of = |wanted: &[Held]| -> u64 {
            let all = blocks.iter().zip(data.chunks(BLOCK_BYTES));
            all.filter(|(held, _)| wanted.contains(held)).map(|(_, bytes)| bytes.len() as u64).sum()
        };
        prop_assert_eq!(session.bytes_sent, bytes_of(&[Held::Nothing, Held::Stale]));
        prop_assert_eq!(session.bytes_compared, recorded_bytes);
        let control = &session.connections[0];
        prop_assert_eq!(control.sender.kept_bytes(), bytes_of(&[Held::Right]));
        let whole = digest(&data).checksum().map(|checksum| checksum.to_string());
        prop_assert_eq!(control.sender.verified_checksum(), whole.clone());
        prop_assert_eq!(control.receiver.verified_checksum(), whole);
        // What a record on disk gains is what came.
        let came = blocks.iter().filter(|held| **held != Held::Right).count();
        prop_assert_eq!(ledger.newly_verified_count(), came);
    }
}

#[test]
fn an_end_that_keeps_what_is_not_here_is_an_error_and_one_that_keeps_less_waits_for_the_rest() {
    let end = |kept: u64, checksum: u64| {
        let fields = [
            &[9, 0, 4, 0, 1, 0, 0, 0][..],
            &[4, 0, 8, 0],
            &(2 * BLOCK_BYTES as u64).to_le_bytes(),
            &[10, 0, 8, 0],
            &checksum.to_le_bytes(),
            &[33, 0, 8, 0],
            &kept.to_le_bytes(),
        ];
        [&[15, 0, 0, 0, 44, 0, 0, 0][..], &fields.concat()].concat()
    };
    let data = data(2 * BLOCK_BYTES);
    let checksum = digest(&data).value().expect("a checksum");
    let accepted = || {
        let (out, ledger) = held(&data, &[Held::Right, Held::Right]);
        let mut session = Session::new(&data, GRAIN, ledger, 1, out, usize::MAX);
        session.send(0).expect("first words");
        while session.connections[0].receiver.want() != Want::Decision {
            session.receive(0).expect("first words");
        }
        session.receive(0).expect("an answer");
        session.connections.remove(0).receiver
    };
    let total = data.len() as u64;
    assert!(matches!(
        accepted().hear(&end(total + 1, checksum)),
        Err(Error::Protocol(_))
    ));
    let mut receiver = accepted();
    assert!(
        matches!(receiver.want(), Want::Control(_)),
        "nothing is whole before its end"
    );
    receiver.hear(&end(total, checksum)).expect("an end");
    assert_eq!(receiver.want(), Want::Done);
    let mut receiver = accepted();
    assert!(matches!(
        receiver.hear(&end(total, checksum ^ 1)),
        Err(Error::Protocol(_))
    ));
    receiver = accepted();
    receiver.hear(&end(BLOCK_BYTES as u64, checksum)).expect("an end");
    assert!(
        matches!(receiver.want(), Want::Control(_)),
        "a block is on its way elsewhere"
    );
}

/// An offer of three blocks of 64 KiB.
fn offer(grain: Option<Grain>, checksum: ChecksumKind, handoff: Option<Handoff>) -> Offer {
    Offer {
        meta: ArrayMeta::vector(Dtype::u8(), 3 * BLOCK_BYTES as u64).expect("small"),
        name: None,
        plain: false,
        identity: Vec::new(),
        checksum,
        grain,
        streams: 1,
        handoff,
    }
}

fn field(tag: u8, value: &[u8]) -> Vec<u8> {
    let len = u8::try_from(value.len()).expect("short");
    [&[tag, 0, len, 0], value].concat()
}

/// A message about item 1.
fn message(kind: u8, fields: &[Vec<u8>]) -> Vec<u8> {
    let body = [field(9, &[1, 0, 0, 0]), fields.concat()].concat();
    let len = u8::try_from(body.len()).expect("short");
    [&[kind, 0, 0, 0, len, 0, 0, 0][..], &body].concat()
}

/// A claim of one block.
fn claim(index: u8) -> Vec<u8> {
    let first = field(30, &[index, 0, 0, 0]);
    message(
        13,
        &[first, field(19, &[1, 0, 0, 0]), field(31, &[1]), field(32, &[0; 8])],
    )
}

fn grain(bytes: u32) -> Vec<u8> {
    field(16, &bytes.to_le_bytes())
}

fn accept(fields: &[Vec<u8>]) -> Vec<u8> {
    message(2, fields)
}

/// A greeting and a welcome.
const WELCOME: &[u8] = b"ARLIFT\x02\0\x0b\0\0\0\0\0\0\0";

/// What comes of a receiver that says this after its welcome.
fn answer(offer: Offer, said: &[Vec<u8>]) -> Result<(), Error> {
    let mut sender = SendWire::new(WireChoice::Native, offer);
    sender.step(None);
    sender.hear(&[WELCOME, &said.concat()].concat())
}

#[test]
fn a_sender_takes_no_claims_that_do_not_fit_its_offer() {
    let plain = || offer(Some(Grain::MAX), KIND, None);
    let right = [claim(0), claim(2), accept(&[grain(64 << 10)])];
    assert_eq!(answer(plain(), &right), Ok(()));
    assert_eq!(
        answer(plain(), &[accept(&[grain(64 << 10)])]),
        Ok(()),
        "no claim, and another grid"
    );
    let sealed = || offer(Some(Grain::MAX), KIND, Some(Handoff::Sealed));
    for (what, offer, said) in [
        ("no grain", plain(), vec![claim(0), accept(&[])]),
        ("downwards", plain(), vec![claim(2), claim(0)]),
        ("twice", plain(), vec![claim(2), claim(2)]),
        ("beyond the last", plain(), vec![claim(3)]),
        (
            "beyond the last on that grid",
            plain(),
            vec![claim(2), accept(&[grain(128 << 10)])],
        ),
        ("no grain there is", plain(), vec![claim(0), accept(&[grain(65 << 10)])]),
        (
            "too late",
            plain(),
            vec![claim(0), accept(&[grain(64 << 10)]), claim(1)],
        ),
        (
            "another item",
            plain(),
            vec![[&claim(0)[..12], &[2], &claim(0)[13..]].concat()],
        ),
        ("no grid", offer(None, KIND, None), vec![claim(0)]),
        (
            "a grain for no grid",
            offer(None, KIND, None),
            vec![accept(&[grain(64 << 10)])],
        ),
        (
            "no checksum",
            offer(Some(GRAIN), ChecksumKind::None, None),
            vec![claim(0)],
        ),
        (
            "a handoff",
            sealed(),
            vec![claim(0), accept(&[grain(64 << 10), field(12, &[1])])],
        ),
    ] {
        let heard = answer(offer, &said);
        assert!(matches!(heard, Err(Error::Protocol(_))), "{what}: {heard:?}");
    }
    // Nor before the welcome.
    let mut sender = SendWire::new(WireChoice::Native, plain());
    sender.step(None);
    let heard = sender.hear(&[&WELCOME[..8], &claim(0)].concat());
    assert!(matches!(heard, Err(Error::Protocol(_))), "{heard:?}");
}
