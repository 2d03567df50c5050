//! What a peer can cost, row by row of `docs/bounds.md`: counted in steps and memory, at a bound and just beyond it.

#![allow(clippy::expect_used, reason = "a test that cannot go on says why and fails")]

use arraylift::{Dtype, Error};

#[path = "fuzz/bodies.rs"]
#[expect(unreachable_pub, dead_code, reason = "the fuzzers use it, too")]
mod bodies;
#[path = "fuzz/budget.rs"]
#[expect(unreachable_pub, reason = "the fuzzers use it, too")]
mod budget;

use bodies::{Manner, receive, send};
use budget::{Cost, cost};

const GREETING: &[u8] = b"ARLIFT\x01\0";
const KEEP_ALIVE: &[u8] = b"\x07\0\0\0\0\0\0\0";

/// What is refused at sight costs next to nothing, whatever it announced: an error with its text, and what was read.
const AT_SIGHT_BYTES: u64 = 4 << 10;

fn field(tag: u16, value: &[u8]) -> Vec<u8> {
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

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).expect("a short body");
    [&[kind, 0, 0, 0][..], &len.to_le_bytes(), body].concat()
}

/// An offer of bytes without a checksum, with these fields beside those that it must have.
fn offer(bytes: u64, further: &[u8]) -> Vec<u8> {
    described(b"'|u1'", &[bytes], bytes, further)
}

fn described(descr: &[u8], shape: &[u64], bytes: u64, further: &[u8]) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|len| len.to_le_bytes()).collect();
    let body = [
        &field(1, descr)[..],
        &field(2, &shape),
        &field(4, &bytes.to_le_bytes()),
        &field(7, &[0]),
        further,
    ];
    [GREETING, &message(1, &body.concat())].concat()
}

fn block(at: u64, data: &[u8]) -> Vec<u8> {
    let mut block = block_header(at, u32::try_from(data.len()).expect("short"));
    block.extend(data);
    block
}

fn block_header(at: u64, len: u32) -> Vec<u8> {
    [&[4, 0, 0, 0][..], &len.to_le_bytes(), &at.to_le_bytes()].concat()
}

fn npy(text: &[u8]) -> Vec<u8> {
    let len = u32::try_from(text.len()).expect("short");
    [b"\x93NUMPY\x02\0", &len.to_le_bytes()[..], text].concat()
}

/// The receiver goes on.
#[track_caller]
fn taken(bytes: &[u8]) -> Cost {
    let (cost, error) = receive(Manner::default(), bytes);
    assert_eq!(error, None);
    cost
}

/// The receiver ends with an error in which this stands; slow bytes end no otherwise.
#[track_caller]
fn refused(bytes: &[u8], hint: &str) -> Cost {
    let slowly = Manner(Manner::SLOW);
    let [(at_once, error), (_, slow_error)] = [Manner::default(), slowly].map(|manner| receive(manner, bytes));
    let text = error.as_ref().map(Error::to_string).unwrap_or_default();
    assert!(error.is_some() && text.contains(hint), "{hint:?} is not in {text:?}");
    assert_eq!(error, slow_error);
    at_once
}

#[test]
fn body_of_a_message() {
    let fields = |count: u16| -> Vec<u8> { (0..count).flat_map(|index| field(1000 + index, b"")).collect() };
    taken(&[GREETING, &message(7, &fields(64))].concat());
    let cost = refused(
        &[GREETING, &message(7, &fields(16_000))].concat(),
        "more than 64 fields",
    );
    assert!(cost.allocations < 64, "{cost:?}");

    taken(&[GREETING, &message(0x99, &vec![0; 64 << 10])].concat());
    for (kind, most) in [(7, 64 << 10), (1, 320 << 10)] {
        let announced = |len: u32| [GREETING, &[kind, 0, 0, 0], &len.to_le_bytes()].concat();
        taken(&announced(most));
        let cost = refused(&announced(most + 1), &format!("of at most {most}"));
        assert!(cost.total_bytes < AT_SIGHT_BYTES, "{cost:?}");
    }
    // A field within it that says more than there is.
    let lying = [&[1, 0, 0xff, 0xff][..], &u32::MAX.to_le_bytes()].concat();
    let cost = refused(&[GREETING, &message(1, &lying)].concat(), "reaches beyond its message");
    assert!(cost.total_bytes < AT_SIGHT_BYTES, "{cost:?}");
}

#[test]
fn announced_bodies_take_no_memory_before_they_come() {
    let cost = taken(&[GREETING, &[1, 0, 0, 0], &(320_u32 << 10).to_le_bytes()].concat());
    assert!(cost.total_bytes < 1024, "{cost:?}");
}

#[test]
fn header_of_a_npy_file() {
    let dict = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }";
    let mut text = dict.to_vec();
    text.resize(320 << 10, b' ');
    taken(&npy(&text));
    let cost = taken(&npy(&text)[..12]);
    assert!(cost.total_bytes < AT_SIGHT_BYTES, "{cost:?}");
    text.push(b' ');
    let cost = refused(&npy(&text)[..12], "longer than 327680 bytes");
    assert!(cost.total_bytes < AT_SIGHT_BYTES, "{cost:?}");

    // The shortest literals there are, as many as fit.
    for hostile in [b"1,".repeat(160_000), b"[],".repeat(109_000), b"'',".repeat(109_000)] {
        let text = [b"{'shape': (", &hostile[..], b")}"].concat();
        bodies::npy_header(&npy(&text));
        refused(&npy(&text), "the keys descr, fortran_order and shape");
    }
    refused(&npy(&b"[".repeat(320 << 10)), "a dict");
    refused(&npy(&[b"{'shape': ", &b"[".repeat(300_000)[..]].concat()), "16 deep");
}

#[test]
fn dtype() {
    let nested = |depth: usize| format!("{}'|u1'{}", "[('a', ".repeat(depth), ")]".repeat(depth));
    taken(&described(nested(8).as_bytes(), &[1], 1, b""));
    refused(&described(nested(9).as_bytes(), &[1], 1, b""), "16 deep");

    let longest = format!("[{}]", "('','|V1'),".repeat(23_831));
    assert!(longest.len() <= 256 << 10);
    taken(&described(longest.as_bytes(), &[1], 23_831, b""));
    let longer = format!("{longest}{}'", " ".repeat((256 << 10) - longest.len()));
    let cost = cost(|| u64::from(Dtype::from_descr(&longer).is_err()));
    assert!(cost.steps == 1 && cost.total_bytes < 256, "{cost:?}");

    taken(&described(b"'|V1073741824'", &[1], 1 << 30, b""));
    refused(&described(b"'|V1073741825'", &[1], (1 << 30) + 1, b""), "1 GiB");
    // Descriptions that are written anew, and padding of no bytes, which costs nothing in any element.
    for hostile in [
        "('a','d'),".repeat(18_000),
        "('a','d'),".repeat(26_000),
        "('a','O'),".repeat(26_000),
        "('','V0'),".repeat(26_000),
    ] {
        bodies::dtype(format!("[{hostile}('b','u1')]").as_bytes());
    }
    let padded = format!("[{}('a','u1')]\n{}", "('','V0'),".repeat(26_000), "x".repeat(10_000));
    let begun = std::time::Instant::now();
    bodies::preview(padded.as_bytes());
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    for hostile in ["1,".repeat(130_000), "(),".repeat(87_000), "'f8',".repeat(43_000)] {
        bodies::dtype(format!("[{hostile}]").as_bytes());
        bodies::dtype(format!("[('a','|u1',({hostile}))]").as_bytes());
    }
}

#[test]
fn shape() {
    taken(&described(b"'|u1'", &[1; 64], 1, b""));
    refused(&described(b"'|u1'", &[1; 65], 1, b""), "64");
    taken(&offer((1 << 63) - 1, b""));
    refused(&offer(1 << 63, b""), "");
    let cost = refused(&described(b"'|u1'", &vec![1; 8000], 1, b""), "64");
    assert!(cost.allocations < 64, "{cost:?}");
}

#[test]
fn name() {
    taken(&offer(10, &field(5, &[b'n'; 4096])));
    // Control characters are replaced by what is three times as long.
    taken(&offer(10, &field(5, &[1; 4096])));
    refused(&offer(10, &field(5, &[b'n'; 4097])), "longer than 4096 bytes");
}

#[test]
fn reason_of_a_refusal_or_an_abort() {
    let abort = |bytes: usize| [GREETING, &message(6, &field(11, &vec![1; bytes]))].concat();
    let refusal = |bytes: usize| [GREETING, &message(3, &field(11, &vec![1; bytes]))].concat();
    refused(&abort(1024), "\u{fffd}");
    refused(&abort(1025), "longer than 1024 bytes");
    for (bytes, hint) in [(1024, "\u{fffd}"), (1025, "longer than 1024 bytes")] {
        for said in [abort(bytes), refusal(bytes)] {
            let error = send(Manner::default(), &said).1.expect("an end").to_string();
            assert!(error.contains(hint), "{error}");
        }
    }
}

#[test]
fn block_bytes() {
    let begun = offer(8 << 20, b"");
    taken(&[&begun[..], &block_header(0, 4 << 20)].concat());
    for (at, len, hint) in [
        (0, 0, "a block of 0 bytes"),
        (0, (4 << 20) + 1, "a block of 4194305 bytes"),
        (0, u32::MAX, "of 1 to 4194304"),
        (u64::MAX, 4, "due"),
    ] {
        let cost = refused(&[&begun[..], &block_header(at, len)].concat(), hint);
        assert!(cost.total_bytes < AT_SIGHT_BYTES, "{cost:?}");
    }
    let twice = [&begun[..], &block(0, b"12"), &block(1, b"23")].concat();
    let streams = Manner(Manner::STREAMS);
    let error = receive(streams, &twice).1.expect("an end").to_string();
    assert!(error.contains("came twice"), "{error}");
}

#[test]
fn blocks_in_order_take_the_memory_of_one() {
    let blocks = |count: u64| -> Vec<u8> { (0..count).flat_map(|at| block(at, b"x")).collect() };
    let costs = [10, 9_000].map(|count| taken(&[offer(10_000, b""), blocks(count)].concat()));
    assert_eq!(costs[0].most_bytes, costs[1].most_bytes);
    assert!(costs[1].steps <= 2 * 9_000 + 8, "{costs:?}");
}

#[test]
fn gaps_between_blocks() {
    let gaps = |count: u64| -> Vec<u8> { (0..count).flat_map(|at| block(2 * at, b"x")).collect() };
    let streams = Manner(Manner::STREAMS);
    let hear = |count| receive(streams, &[offer(1 << 20, b""), gaps(count)].concat());
    let (cost, error) = hear(34);
    assert_eq!(error, None);
    let (beyond, error) = hear(100_000);
    let error = error.expect("an end").to_string();
    assert!(error.contains("more than 34 runs"), "{error}");
    assert!(beyond.most_bytes < cost.most_bytes + 1024, "{beyond:?} beside {cost:?}");
}

#[test]
fn keep_alives_and_messages_of_unknown_kinds() {
    for said in [KEEP_ALIVE.to_vec(), message(0x99, b"of a later version")] {
        let costs = [10, 10_000].map(|count| taken(&[GREETING, &said.repeat(count)].concat()));
        assert_eq!(costs[0].most_bytes, costs[1].most_bytes, "they are kept");
        let (cost, _) = send(Manner::default(), &[GREETING, &said.repeat(10_000)].concat());
        assert!(cost.most_bytes < 16 << 10, "{cost:?}");
    }
}

#[test]
fn a_command_on_a_control_socket() {
    for hostile in [
        "[".repeat(4096),
        "[".repeat(100) + &"0,".repeat(1998),
        "{\"a\":".repeat(800),
        "\"\",".repeat(1365),
    ] {
        bodies::control_message(hostile.as_bytes());
        bodies::control_message(format!("{{\"event\":[{hostile}").as_bytes());
    }
}

#[test]
fn what_a_recipe_says_before_it_has_shown_the_key() {
    let announced = [0, 0, 1, 1];
    for is_listener in [0, 1] {
        bodies::recipe_handshake(&[&[is_listener][..], &announced].concat());
        assert_eq!(
            arraylift::internals::parsers::recipe_handshake(is_listener == 1, &announced).1,
            None
        );
    }
}
