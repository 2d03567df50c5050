//! All wires, both ends, without a socket.

use super::*;
use crate::array::{ArrayMeta, Dtype};
use crate::wire::{ChecksumKind, SendStep, SendWire};
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
    let ledger = Ledger::new(data.len() as u64, checksum, 1);
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
                sender.sent(len as u64)?;
            }
            SendStep::Await | SendStep::Done | SendStep::HandOver => {}
        }
        let answer = match receiver.want() {
            Want::Decision => receiver.accept(&ledger, None)?,
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
                receiver.landed(len as u64)?;
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
        assert_eq!(checksum, digest.checksum().map(|checksum| checksum.to_string()));
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
        let ledger = Ledger::new(10, ChecksumKind::None, 1);
        wire.accept(&ledger, None).expect("an answer");
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
            prop_assert!(max <= (320 << 10) + 16);
            let end = (at + max.max(1)).min(stream.len());
            if wire.hear(&stream[at..end]).is_err() { break }
            at = end;
        }
    }
}
