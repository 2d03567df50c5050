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
        grain: None,
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
    tamper: impl FnMut(u64, &mut [u8]),
) -> Result<(Vec<u8>, Option<String>), Error> {
    moved_on(None, choice, data, checksum, piece, block_bytes, tamper)
}

/// The same with blocks that lie on a grid.
fn moved_on(
    grain: Option<Grain>,
    choice: WireChoice,
    data: &[u8],
    checksum: ChecksumKind,
    piece: usize,
    block_bytes: u32,
    mut tamper: impl FnMut(u64, &mut [u8]),
) -> Result<(Vec<u8>, Option<String>), Error> {
    let meta = ArrayMeta::vector(Dtype::u8(), data.len() as u64).expect("small");
    let offer = Offer {
        grain,
        ..offer(meta.clone(), checksum)
    };
    let mut sender = SendWire::new(choice, offer);
    let (known, choice) = if choice == WireChoice::Raw {
        (Some(meta), choice)
    } else {
        (None, WireChoice::Auto)
    };
    let mut receiver = ReceiveWire::new(choice, known.as_ref())?;
    let ledger = Ledger::new(data.len() as u64, checksum, 1);
    let (mut on_the_way, mut out) = (std::collections::VecDeque::new(), vec![0; data.len()]);
    let (mut bytes_sent, mut has_answered) = (0, false);
    for _ in 0..100_000 {
        match sender.step(Some(block_bytes)) {
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
            SendStep::LookAgain => on_the_way.extend(sender.unchanged()?),
            SendStep::Await | SendStep::Done | SendStep::HandOver | SendStep::Compare { .. } => {}
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
            Want::Done if sender.step(Some(block_bytes)) == SendStep::Done => {
                assert_eq!(receiver.verified_checksum(), sender.verified_checksum());
                assert!(on_the_way.is_empty());
                return Ok((out, sender.verified_checksum()));
            }
            Want::Done if !std::mem::replace(&mut has_answered, true) => receiver.result(),
            Want::Done if receiver.may_go_on() => {
                let bytes: Vec<u8> = on_the_way.drain(..piece.min(on_the_way.len())).collect();
                receiver.hear(&bytes)?;
                if receiver.may_go_on() {
                    Vec::new()
                } else {
                    receiver.summary()
                }
            }
            Want::Done => Vec::new(),
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
fn blocks_on_a_grid_arrive_where_they_belong_and_a_flipped_bit_names_its_block() {
    let data: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
    let grain = Some(Grain::MIN);
    let kind = ChecksumKind::Crc64Nvme;
    for len in [0, 1, 65_536, 65_537, 200_000] {
        let data = &data[..len];
        let (out, _) = moved_on(grain, WireChoice::Native, data, kind, 1000, 1, |_, _| {}).expect("moved");
        assert!(out == data, "{len}");
    }
    let flip = |at: u64, bytes: &mut [u8]| bytes[0] ^= u8::from(at == 70_536);
    let error = moved_on(grain, WireChoice::Native, &data, kind, 5000, 1, flip).expect_err("a flipped bit");
    let (index, start, end) = (1, 65_536, 131_072);
    assert_eq!(error, Error::DamagedBlock { index, start, end });
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
    sender.step(Some(1));
    let refused = sender.hear(&wire.give_up("no version 7")).expect_err("a refusal");
    assert_eq!(refused, Error::Refused("no version 7".into()));
}

/// The first words of a sender of an array of so many bytes: greeting, hello and offer.
fn first_words(bytes: u64, grain: Option<Grain>) -> Vec<u8> {
    let array = ArrayMeta::vector(Dtype::u8(), bytes).expect("small");
    let offer = Offer {
        grain,
        ..offer(array, ChecksumKind::None)
    };
    match SendWire::new(WireChoice::Native, offer).step(Some(1)) {
        SendStep::Write(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_result_before_the_last_byte_was_sent_is_not_taken() {
    let array = ArrayMeta::vector(Dtype::u8(), 10).expect("10");
    let mut sender = SendWire::new(WireChoice::Native, offer(array, ChecksumKind::None));
    sender.step(Some(4));
    let mut receiver = ReceiveWire::new(WireChoice::Native, None).expect("native");
    receiver.hear(&first_words(10, None)).expect("an offer");
    let ledger = Ledger::new(10, ChecksumKind::None, 1);
    sender
        .hear(&receiver.accept(&ledger, None).expect("an answer"))
        .expect("heard");
    assert!(sender.agreed());
    assert!(matches!(sender.hear(&receiver.result()), Err(Error::Protocol(_))));
}

#[test]
fn a_block_out_of_place_or_beyond_the_end_or_of_another_item_is_an_error() {
    let grain = Some(Grain::MIN);
    for (grain, item, index, len) in [
        (None, 1_u32, 1_u32, 1_u32),
        (None, 1, 0, 11),
        (None, 2, 0, 1),
        (grain, 1, 0, 9),
        (grain, 1, 1, 10),
        (grain, 1, u32::MAX, 10),
    ] {
        let mut wire = ReceiveWire::new(WireChoice::Native, None).expect("native");
        wire.hear(&first_words(10, grain)).expect("an offer");
        let ledger = Ledger::new(10, ChecksumKind::None, 1);
        wire.accept(&ledger, None).expect("an answer");
        let block = [[4, 0, 0, 0], len.to_le_bytes(), item.to_le_bytes(), index.to_le_bytes()].concat();
        assert!(
            matches!(wire.hear(&block), Err(Error::Protocol(_))),
            "{item} {index} {len}"
        );
    }
}

#[test]
fn an_array_is_not_whole_before_its_sender_has_looked_again_and_its_end_must_be_true() {
    let accepted = || {
        let mut wire = ReceiveWire::new(WireChoice::Native, None).expect("native");
        wire.hear(&first_words(0, None)).expect("an offer");
        let ledger = Ledger::new(0, ChecksumKind::None, 1);
        wire.accept(&ledger, None).expect("an answer");
        assert!(matches!(wire.want(), Want::Control(_)));
        wire
    };
    let end = |bytes: u64| {
        let mut end = vec![15, 0, 0, 0, 20, 0, 0, 0, 9, 0, 4, 0, 1, 0, 0, 0, 4, 0, 8, 0];
        end.extend(bytes.to_le_bytes());
        end
    };
    assert!(matches!(accepted().hear(&end(1)), Err(Error::Protocol(_))));
    let mut wire = accepted();
    assert!(matches!(wire.hear(&[19, 0, 0, 0, 0, 0, 0, 0]), Err(Error::Protocol(_))));
    wire = accepted();
    wire.hear(&end(0)).expect("an end");
    assert_eq!((wire.want(), wire.may_go_on()), (Want::Done, true));
    wire.hear(&[19, 0, 0, 0, 0, 0, 0, 0]).expect("a finish");
    assert!(!wire.may_go_on());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_never_make_a_receiver_want_without_bound(
        bytes in proptest::collection::vec(any::<u8>(), 1..300), magic in 0..3_u8
    ) {
        let mut stream = match magic { 0 => b"ARLIFT\x02\x00".to_vec(), 1 => b"\x93NUMPY\x01\x00".to_vec(), _ => Vec::new() };
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
