//! Every message, there and back, and what is refused.

use super::*;
use crate::array::{ArrayMeta, Dtype, Order, Shape};
use crate::wire::native::claims::BlockClaims;
use crate::wire::native::entry::{EntryKind, Timestamp};
use crate::wire::native::fields::{Fields, put, tag};
use crate::wire::{ChecksumKind, Grain, Handoff};
use proptest::prelude::*;

fn offer() -> Offer {
    Offer {
        meta: ArrayMeta::new(Dtype::f64(), Shape::new(vec![3, 4]).expect("shape"), Order::Fortran).expect("meta"),
        name: Some("Größe.npy".into()),
        plain: false,
        identity: vec![1, 2, 3],
        checksum: ChecksumKind::Crc32,
        grain: Grain::new(64 << 10),
        streams: 1,
        handoff: Some(Handoff::Unsealed),
    }
}

fn offered(offer: Offer) -> Message {
    Message::Offer {
        item: 1,
        offer: Box::new(offer),
    }
}

fn encoded(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out);
    out
}

/// One of each, and of some more.
#[expect(clippy::too_many_lines, reason = "one of each kind of message")]
fn messages() -> Vec<Message> {
    let stored = |checksum, reason| {
        Message::Result(ItemResult {
            item: 1,
            count: 1,
            status: Status::Stored,
            is_durable: true,
            bytes: Some(96),
            checksum,
            reason,
        })
    };
    let entry = |what| Message::OfferEntry {
        item: 9,
        entry: Box::new(Entry {
            path: b"runs/a \xff".to_vec(),
            mode: 0o640,
            mtime: Timestamp {
                seconds: -1,
                nanoseconds: 999_999_999,
            },
            what,
        }),
    };
    vec![
        Message::Hello { streams: 4, tree: None },
        Message::Hello {
            streams: 1,
            tree: Some(TreeRequest {
                root: "runs".into(),
                replace: Replace::Older,
                compares: true,
            }),
        },
        Message::Welcome {
            more: None,
            is_fresh: true,
        },
        Message::Welcome {
            more: Some((8, [7; 16])),
            is_fresh: false,
        },
        Message::Credit(Credit::FIRST),
        entry(EntryKind::File {
            bytes: 1 << 40,
            grain: Grain::MAX,
            checksum: ChecksumKind::None,
            is_sparse: true,
            content: Some(7),
        }),
        entry(EntryKind::Folder),
        entry(EntryKind::Link {
            target: b"../b".to_vec(),
        }),
        Message::Drop {
            item: 7,
            reason: "the source has changed".into(),
        },
        Message::Result(ItemResult {
            item: 2,
            count: 500,
            status: Status::Had,
            is_durable: false,
            bytes: None,
            checksum: None,
            reason: None,
        }),
        Message::Refuse {
            reason: "no room".into(),
        },
        Message::Join { token: [9; 16] },
        offered(offer()),
        offered(Offer { grain: None, ..offer() }),
        Message::Accept {
            item: 1,
            handoff: false,
            grain: Grain::new(128 << 10),
        },
        Message::Claim {
            item: 1,
            claims: BlockClaims::of(&[(3, 7), (9, 8)]).next().expect("of two blocks"),
        },
        Message::Accept {
            item: u32::MAX,
            handoff: true,
            grain: None,
        },
        Message::Handoff { item: 1, position: 128 },
        Message::Block {
            item: 1,
            index: 7,
            len: BLOCK_BYTES_MAX,
            ends: true,
        },
        Message::End {
            item: 1,
            bytes: 96,
            checksum: Some(5),
            kept: 0,
        },
        Message::End {
            item: 1,
            bytes: 96,
            checksum: Some(5),
            kept: 32,
        },
        stored(Some(5), None),
        stored(None, Some("no room".into())),
        Message::Finish,
        Message::Summary,
        Message::Abort {
            reason: "cancelled".into(),
        },
        Message::KeepAlive,
    ]
}

#[test]
fn every_message_survives_the_wire_and_is_awaited_whole() {
    for message in messages() {
        let bytes = encoded(&message);
        for len in 0..bytes.len() {
            let parsed = Message::parse(&bytes[..len]).expect("a beginning");
            assert!(
                matches!(parsed, Parsed::Need(n) if n > len && n <= bytes.len()),
                "{message:?} cut at {len}"
            );
        }
        assert_eq!(Message::parse(&bytes), Ok(Parsed::Message(message, bytes.len())));
    }
}

#[test]
fn unknown_fields_and_later_kinds_are_skipped_and_unknown_low_kinds_are_not() {
    let mut body = Vec::new();
    put(&mut body, 999, b"from the future");
    put(&mut body, tag::ITEM, &4_u32.to_le_bytes());
    let accept = Message::Accept {
        item: 4,
        handoff: false,
        grain: None,
    };
    assert_eq!(Message::decode(kind::ACCEPT, &body), Ok(accept));
    assert_eq!(Message::decode(0x99, b"not fields"), Ok(Message::Skipped));
    assert!(Message::decode(99, &body).is_err());
}

#[test]
fn what_changes_the_meaning_of_a_message_and_is_unknown_is_an_error() {
    let mut body = Vec::new();
    put(&mut body, 0x8000, b"compressed");
    put(&mut body, tag::ITEM, &4_u32.to_le_bytes());
    assert!(Message::decode(kind::ACCEPT, &body).is_err());
    let mut flagged = encoded(&Message::KeepAlive);
    flagged[1] = 1;
    assert!(Message::parse(&flagged).is_err());
    let mut block = encoded(&Message::Block {
        item: 1,
        index: 0,
        len: 1,
        ends: false,
    });
    block[1] = 2;
    assert!(Message::parse(&block).is_err());
}

#[test]
fn blocks_are_as_long_as_a_power_of_two_that_is_in_bounds_and_not_too_many() {
    let mut bytes = encoded(&offered(offer()));
    let at = bytes
        .windows(8)
        .position(|window| window == [16, 0, 4, 0, 0, 0, 1, 0])
        .expect("the grain")
        + 4;
    for wrong in [0_u32, 65_535, 32_768, 8 << 20] {
        bytes[at..at + 4].copy_from_slice(&wrong.to_le_bytes());
        assert!(matches!(Message::parse(&bytes), Err(Error::BadOffer(_))), "{wrong}");
    }
    let meta = ArrayMeta::vector(Dtype::u8(), (1 << 40) + 1).expect("meta");
    let bytes = encoded(&offered(Offer { meta, ..offer() }));
    assert!(matches!(Message::parse(&bytes), Err(Error::BadOffer(_))));
}

#[test]
fn lengths_are_bounded_before_they_are_used() {
    let mut huge = vec![kind::OFFER, 0, 0, 0];
    huge.extend_from_slice(&u32::MAX.to_le_bytes());
    assert!(Message::parse(&huge).is_err());
    huge[0] = kind::BLOCK;
    assert!(Message::parse(&huge).is_err());
    let lying = [1, 0, 255, 255, 0];
    assert!(Fields::read(&lying).is_err());
}

#[test]
fn a_dtype_of_any_length_that_is_read_travels_whole() {
    // Around the longest value with a short length, and the longest there is.
    for length in [65_534, 65_535, 65_536, MAX_DESCR_BYTES] {
        let name = "n".repeat(length - "[('', '|u1')]".len());
        let dtype = Dtype::from_descr(&format!("[('{name}', '|u1')]")).expect("a dtype");
        assert_eq!(dtype.descr().len(), length);
        let meta = ArrayMeta::vector(dtype, 12).expect("meta");
        let message = offered(Offer {
            meta,
            name: Some("n".repeat(4096)),
            ..offer()
        });
        let bytes = encoded(&message);
        assert_eq!(Message::parse(&bytes), Ok(Parsed::Message(message, bytes.len())));
    }
}

#[test]
fn a_field_name_arrives_as_it_was_sent_whatever_characters_it_has() {
    let dtype = Dtype::from_descr("[('a\u{202e}b\u{200b}', '|u1')]").expect("a dtype");
    let meta = ArrayMeta::vector(dtype, 12).expect("meta");
    let message = offered(Offer { meta, ..offer() });
    let bytes = encoded(&message);
    assert_eq!(Message::parse(&bytes), Ok(Parsed::Message(message, bytes.len())));
}

#[test]
fn a_field_that_comes_twice_and_a_flag_that_is_neither_on_nor_off_are_errors() {
    let mut body = Vec::new();
    put(&mut body, tag::ITEM, &4_u32.to_le_bytes());
    put(&mut body, tag::ITEM, &5_u32.to_le_bytes());
    assert!(Message::decode(kind::ACCEPT, &body).is_err());
    let mut body = Vec::new();
    put(&mut body, tag::ORDER, &[2]);
    let fields = Fields::read(&body).expect("fields");
    assert!(fields.flag(tag::ORDER).is_err());
    assert_eq!(fields.flag(tag::HANDOFF), Ok(false));
}

#[test]
fn an_abort_without_a_reason_is_still_an_abort() {
    let Ok(Message::Abort { reason }) = Message::decode(kind::ABORT, &[]) else {
        panic!("abort")
    };
    assert!(reason.contains("no reason"));
}

#[test]
fn an_offer_whose_bytes_do_not_fit_its_shape_is_refused() {
    let mut bytes = encoded(&offered(offer()));
    let at = bytes
        .windows(8)
        .position(|window| window == 96_u64.to_le_bytes())
        .expect("the length");
    bytes[at] = 97;
    assert!(matches!(Message::parse(&bytes), Err(Error::BadOffer(_))));
}

#[test]
fn control_characters_of_a_peer_do_not_reach_the_terminal() {
    let bytes = encoded(&Message::Abort {
        reason: "\x1b[31mred".into(),
    });
    let Ok(Parsed::Message(Message::Abort { reason }, _)) = Message::parse(&bytes) else {
        panic!("abort")
    };
    assert_eq!(reason, "\u{fffd}[31mred");
}

#[test]
fn the_first_byte_can_never_begin_a_tls_record() {
    assert_ne!(greeting()[0], 0x16);
    assert_eq!(version_of(&greeting()), Some(VERSION));
    assert_eq!(version_of(b"GET / HT"), None);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Message::parse(&bytes);
    }

    #[test]
    fn a_changed_offer_never_panics(at in 0_usize..200, byte: u8) {
        let mut bytes = encoded(&offered(offer()));
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Message::parse(&bytes);
    }
}
