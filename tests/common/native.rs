//! What the native wire's bytes are, as `docs/wire.md` has it: for tests that speak it by hand.

#![allow(dead_code, reason = "no test says all of it")]

use std::io::Read;

/// Six letters, and version 2.
pub(crate) const GREETING: &[u8] = b"ARLIFT\x02\0";
pub(crate) const KEEP_ALIVE: &[u8] = b"\x07\0\0\0\0\0\0\0";

pub(crate) const OFFER: u8 = 1;
pub(crate) const ACCEPT: u8 = 2;
pub(crate) const REFUSE: u8 = 3;
pub(crate) const BLOCK: u8 = 4;
pub(crate) const RESULT: u8 = 5;
pub(crate) const ABORT: u8 = 6;
pub(crate) const HANDOFF: u8 = 8;
pub(crate) const JOIN: u8 = 9;
pub(crate) const HELLO: u8 = 10;
pub(crate) const WELCOME: u8 = 11;
pub(crate) const CREDIT: u8 = 12;
pub(crate) const CLAIM: u8 = 13;
pub(crate) const END: u8 = 15;
pub(crate) const FINISH: u8 = 19;
pub(crate) const SUMMARY: u8 = 20;

/// The shortest blocks of a grid.
pub(crate) const GRAIN: u32 = 64 << 10;
/// The bytes of [`accepted`].
pub(crate) const ACCEPTED_BYTES: usize = 32;

const ITEM: u32 = 1;

pub(crate) fn field(tag: u16, value: &[u8]) -> Vec<u8> {
    let len = match u16::try_from(value.len()) {
        Ok(len) if len < u16::MAX => len.to_le_bytes().to_vec(),
        _ => [
            &[0xff; 2][..],
            &u32::try_from(value.len()).expect("a field").to_le_bytes(),
        ]
        .concat(),
    };
    [&tag.to_le_bytes()[..], &len, value].concat()
}

pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("a short body");
    [&[kind, 0, 0, 0][..], &len.to_le_bytes(), body].concat()
}

/// A greeting and a hello, of a sender that would move what it has over so many connections.
pub(crate) fn hello(streams: u16) -> Vec<u8> {
    [GREETING, &message(HELLO, &field(14, &streams.to_le_bytes()))].concat()
}

/// A greeting and a hello, of a sender of a tree that it calls so.
pub(crate) fn tree_hello(root: &str) -> Vec<u8> {
    [GREETING, &message(HELLO, &field(25, root.as_bytes()))].concat()
}

/// An offer of a file in a tree, whose blocks are not checked. It was modified at the second 0.
pub(crate) fn tree_file(item: u32, path: &str, bytes: u64) -> Vec<u8> {
    let body = [
        field(9, &item.to_le_bytes()),
        field(8, &[1]),
        field(18, path.as_bytes()),
        field(21, &0o644_u32.to_le_bytes()),
        field(22, &[0; 12]),
        field(4, &bytes.to_le_bytes()),
        field(7, &[0]),
        grain(GRAIN),
    ];
    message(OFFER, &body.concat())
}

/// An offer of bytes without a checksum, with these fields beside those that it must have.
pub(crate) fn offer(bytes: u64, further: &[u8]) -> Vec<u8> {
    described(b"'|u1'", &[bytes], bytes, 0, further)
}

/// An offer of an array with blocks that are checked so, with these fields beside those that it must have.
pub(crate) fn described(descr: &[u8], shape: &[u64], bytes: u64, checksum: u8, further: &[u8]) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|len| len.to_le_bytes()).collect();
    let body = [
        &item()[..],
        &field(1, descr),
        &field(2, &shape),
        &field(4, &bytes.to_le_bytes()),
        &field(7, &[checksum]),
        further,
    ];
    message(OFFER, &body.concat())
}

/// The field of an offer whose blocks lie on a grid.
pub(crate) fn grain(bytes: u32) -> Vec<u8> {
    field(16, &bytes.to_le_bytes())
}

/// A greeting and what joins a session.
pub(crate) fn join(token: &[u8]) -> Vec<u8> {
    [GREETING, &message(JOIN, &field(15, token))].concat()
}

/// A block of an array whose blocks are not checked.
pub(crate) fn block(index: u32, data: &[u8]) -> Vec<u8> {
    block_with(index, data, 0)
}

pub(crate) fn block_with(index: u32, data: &[u8], checksum: u64) -> Vec<u8> {
    let len = u32::try_from(data.len()).expect("short");
    [&block_header(index, len), data, &checksum.to_le_bytes()].concat()
}

pub(crate) fn block_header(index: u32, len: u32) -> Vec<u8> {
    let [len, item, index] = [len, ITEM, index].map(u32::to_le_bytes);
    [&[BLOCK, 0, 0, 0][..], &len, &item, &index].concat()
}

pub(crate) fn handoff(position: u64) -> Vec<u8> {
    message(HANDOFF, &[item(), field(13, &position.to_le_bytes())].concat())
}

/// The end of an array of so many bytes, and that nothing more is offered.
pub(crate) fn end(bytes: u64) -> Vec<u8> {
    end_with(bytes, None)
}

/// As [`end`], with the checksum of the whole.
pub(crate) fn end_with(bytes: u64, checksum: Option<u64>) -> Vec<u8> {
    let checksum = checksum.map(|value| field(10, &value.to_le_bytes()));
    let body = [item(), field(4, &bytes.to_le_bytes()), checksum.unwrap_or_default()].concat();
    [message(END, &body), message(FINISH, b"")].concat()
}

/// A receiver's greeting, and that it takes a session over one connection and what is offered.
pub(crate) fn accepted() -> Vec<u8> {
    answer(b"")
}

/// As [`accepted`], and asks for a handoff.
pub(crate) fn asks_for_handoff() -> Vec<u8> {
    answer(&field(12, &[1]))
}

/// That an array of so many bytes, without a checksum, is where it belongs, and that all is said.
pub(crate) fn stored(bytes: u64) -> Vec<u8> {
    stored_with(bytes, None)
}

/// As [`stored`], with the checksum of the whole.
pub(crate) fn stored_with(bytes: u64, checksum: Option<u64>) -> Vec<u8> {
    let checksum = checksum.map(|value| field(10, &value.to_le_bytes()));
    let bytes = field(4, &bytes.to_le_bytes());
    let body = [item(), field(17, &[0]), bytes, checksum.unwrap_or_default()].concat();
    [message(RESULT, &body), message(SUMMARY, b"")].concat()
}

/// A receiver's greeting, and that it takes a session; over how many connections, and what the further ones have to show.
pub(crate) fn welcome(more: Option<(u16, &[u8])>) -> Vec<u8> {
    let more = more.map(|(streams, token)| [field(14, &streams.to_le_bytes()), field(15, token)].concat());
    [GREETING, &message(WELCOME, &more.unwrap_or_default())].concat()
}

/// That a receiver takes what is offered, with these fields beside the one that it must have.
pub(crate) fn accept(further: &[u8]) -> Vec<u8> {
    message(ACCEPT, &[&item(), further].concat())
}

/// A claim about the blocks from `first` on: for each its checksum, where it is there.
pub(crate) fn claim(first: u32, there: &[Option<u64>]) -> Vec<u8> {
    let mut bits = vec![0; there.len().div_ceil(8)];
    for (bit, _) in there.iter().enumerate().filter(|(_, checksum)| checksum.is_some()) {
        bits[bit / 8] |= 1 << (bit % 8);
    }
    let checksums: Vec<u64> = there.iter().copied().flatten().collect();
    claim_of(first, u32::try_from(there.len()).expect("few"), &bits, &checksums)
}

/// A claim about so many blocks, with these bits and checksums, which need not fit.
pub(crate) fn claim_of(first: u32, count: u32, bits: &[u8], checksums: &[u64]) -> Vec<u8> {
    let checksums: Vec<u8> = checksums.iter().flat_map(|checksum| checksum.to_le_bytes()).collect();
    let body = [
        item(),
        field(30, &first.to_le_bytes()),
        field(19, &count.to_le_bytes()),
        field(31, bits),
        field(32, &checksums),
    ];
    message(CLAIM, &body.concat())
}

/// Reads a sender's greeting and its messages up to its offer; the offer's body.
pub(crate) fn hear_offer(stream: &mut impl Read) -> Vec<u8> {
    let mut greeting = [0; 8];
    stream.read_exact(&mut greeting).expect("a greeting");
    assert_eq!(greeting, GREETING);
    loop {
        let (kind, body) = hear(stream);
        match kind {
            HELLO => {}
            OFFER => return body,
            other => panic!("kind {other} in place of an offer"),
        }
    }
}

/// Reads a message: its kind and its body.
pub(crate) fn hear(stream: &mut impl Read) -> (u8, Vec<u8>) {
    let mut header = [0; 8];
    stream.read_exact(&mut header).expect("a header");
    let [kind, _, _, _, len @ ..] = header;
    let mut body = vec![0; u32::from_le_bytes(len) as usize];
    stream.read_exact(&mut body).expect("a body");
    (kind, body)
}

fn answer(further: &[u8]) -> Vec<u8> {
    [welcome(None), accept(further)].concat()
}

fn item() -> Vec<u8> {
    field(9, &ITEM.to_le_bytes())
}
