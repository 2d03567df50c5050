//! What a peer can cost, row by row of `docs/bounds.md`: counted in steps and memory, at a bound and just beyond it.

#![allow(clippy::expect_used, reason = "a test that cannot go on says why and fails")]

use arraylift::{Dtype, Error};

#[path = "fuzz/bodies.rs"]
#[expect(unreachable_pub, dead_code, reason = "the fuzzers use it, too")]
mod bodies;
#[path = "fuzz/budget.rs"]
#[expect(unreachable_pub, reason = "the fuzzers use it, too")]
mod budget;

#[path = "common/native.rs"]
mod native;

use bodies::{Manner, receive, send};
use budget::{Cost, cost};
use native::{
    ABORT, FINISH, GRAIN, GREETING, HELLO, KEEP_ALIVE, OFFER, REFUSE, block, block_header, end, field, grain, hello,
    message,
};

/// What is refused at sight costs next to nothing, whatever it announced: an error with its text, and what was read.
const AT_SIGHT_BYTES: u64 = 4 << 10;

/// A session that begins with an offer of bytes without a checksum, with these fields beside those that it must have.
fn offer(bytes: u64, further: &[u8]) -> Vec<u8> {
    [hello(1), native::offer(bytes, further)].concat()
}

fn described(descr: &[u8], shape: &[u64], bytes: u64) -> Vec<u8> {
    [hello(1), native::described(descr, shape, bytes, 0, b"")].concat()
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
    for (kind, most) in [(7, 64 << 10), (HELLO, 64 << 10), (OFFER, 320 << 10)] {
        let announced = |len: u32| [GREETING, &[kind, 0, 0, 0], &len.to_le_bytes()].concat();
        taken(&announced(most));
        let cost = refused(&announced(most + 1), &format!("of at most {most}"));
        assert!(cost.total_bytes < AT_SIGHT_BYTES, "{cost:?}");
    }
    // A field within it that says more than there is.
    let lying = [&[1, 0, 0xff, 0xff][..], &u32::MAX.to_le_bytes()].concat();
    for (before, kind) in [(GREETING.to_vec(), HELLO), (hello(1), OFFER)] {
        let cost = refused(&[before, message(kind, &lying)].concat(), "reaches beyond its message");
        assert!(cost.total_bytes < AT_SIGHT_BYTES, "{cost:?}");
    }
}

#[test]
fn announced_bodies_take_no_memory_before_they_come() {
    for (before, kind, most) in [(GREETING.to_vec(), HELLO, 64_u32 << 10), (hello(1), OFFER, 320 << 10)] {
        let cost = taken(&[&before[..], &[kind, 0, 0, 0], &most.to_le_bytes()].concat());
        assert!(cost.total_bytes < 1024, "{cost:?}");
    }
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
    taken(&described(nested(8).as_bytes(), &[1], 1));
    refused(&described(nested(9).as_bytes(), &[1], 1), "16 deep");

    let longest = format!("[{}]", "('','|V1'),".repeat(23_831));
    assert!(longest.len() <= 256 << 10);
    taken(&described(longest.as_bytes(), &[1], 23_831));
    let longer = format!("{longest}{}'", " ".repeat((256 << 10) - longest.len()));
    let cost = cost(|| u64::from(Dtype::from_descr(&longer).is_err()));
    assert!(cost.steps == 1 && cost.total_bytes < 256, "{cost:?}");

    taken(&described(b"'|V1073741824'", &[1], 1 << 30));
    refused(&described(b"'|V1073741825'", &[1], (1 << 30) + 1), "1 GiB");
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
    taken(&described(b"'|u1'", &[1; 64], 1));
    refused(&described(b"'|u1'", &[1; 65], 1), "64");
    taken(&offer((1 << 63) - 1, b""));
    refused(&offer(1 << 63, b""), "");
    let cost = refused(&described(b"'|u1'", &vec![1; 8000], 1), "64");
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
    let abort = |bytes: usize| [GREETING, &message(ABORT, &field(11, &vec![1; bytes]))].concat();
    let refusal = |bytes: usize| [GREETING, &message(REFUSE, &field(11, &vec![1; bytes]))].concat();
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
    for (index, len, hint) in [
        (0, 0, "a block of 0 bytes"),
        (0, (4 << 20) + 1, "a block of 4194305 bytes"),
        (0, u32::MAX, "of 1 to 4194304"),
        (u32::MAX, 4, "due"),
    ] {
        let cost = refused(&[&begun[..], &block_header(index, len)].concat(), hint);
        assert!(cost.total_bytes < AT_SIGHT_BYTES, "{cost:?}");
    }
    let on_grid = offer(8 << 20, &grain(GRAIN));
    for (index, len, hint) in [
        (0, GRAIN - 1, "65535 bytes where 65536 were due"),
        (0, 4 << 20, "4194304 bytes where 65536 were due"),
        (128, GRAIN, "65536 bytes where 0 were due"),
        (u32::MAX, GRAIN, "65536 bytes where 0 were due"),
    ] {
        let cost = refused(&[&on_grid[..], &block_header(index, len)].concat(), hint);
        assert!(cost.total_bytes < AT_SIGHT_BYTES, "{cost:?}");
    }
    let twice = [on_grid, block(1, &vec![0; GRAIN as usize]).repeat(2)].concat();
    let streams = Manner(Manner::STREAMS);
    let error = receive(streams, &twice).1.expect("an end").to_string();
    assert!(error.contains("came twice"), "{error}");
}

#[test]
fn grain_of_an_offer() {
    let cost = taken(&offer(1 << 40, &grain(64 << 10)));
    assert!(
        cost.total_bytes < AT_SIGHT_BYTES,
        "2^24 blocks are not here yet: {cost:?}"
    );
    taken(&offer(1 << 46, &grain(4 << 20)));
    for (bytes, grain_bytes, hint) in [
        ((1 << 40) + 1, 64 << 10, "more than 16777216 blocks of 65536 bytes"),
        ((1 << 46) + 1, 4 << 20, "more than 16777216 blocks of 4194304 bytes"),
        (10, 32 << 10, "power of two"),
        (10, 8 << 20, "power of two"),
        (10, 65_537, "power of two"),
        (10, 0, "power of two"),
        (10, u32::MAX, "power of two"),
    ] {
        let cost = refused(&offer(bytes, &grain(grain_bytes)), hint);
        assert!(cost.total_bytes < AT_SIGHT_BYTES, "{cost:?}");
    }
}

#[test]
fn hello_and_finish_come_once() {
    taken(&hello(u16::MAX));
    refused(&[&hello(1)[..], &message(HELLO, b"")].concat(), "a hello out of turn");
    let whole = [offer(1, b""), block(0, b"x"), end(1)].concat();
    taken(&whole);
    let twice = [&whole[..], &message(FINISH, b"")].concat();
    let error = receive(Manner::default(), &twice).1.expect("an end").to_string();
    assert!(error.contains("a finish out of turn"), "{error}");
    refused(
        &[offer(1, b""), block(0, b"x"), end(2)].concat(),
        "an end after 2 bytes of 1",
    );
}

#[test]
fn blocks_in_order_take_the_memory_of_one() {
    let blocks = |count: u32| -> Vec<u8> { (0..count).flat_map(|index| block(index, b"x")).collect() };
    let costs = [10, 9_000].map(|count| taken(&[offer(10_000, b""), blocks(count)].concat()));
    assert_eq!(costs[0].most_bytes, costs[1].most_bytes);
    assert!(costs[1].steps <= 2 * 9_000 + 9, "{costs:?}");
}

#[test]
fn gaps_between_blocks() {
    let gaps = |count: u32| -> Vec<u8> {
        let of_even = |index| block(2 * index, &vec![0; GRAIN as usize]);
        (0..count).flat_map(of_even).collect()
    };
    let streams = Manner(Manner::STREAMS);
    let hear = |count| receive(streams, &[offer(1 << 40, &grain(GRAIN)), gaps(count)].concat());
    let (cost, error) = hear(34);
    assert_eq!(error, None);
    let (beyond, error) = hear(100);
    let error = error.expect("an end").to_string();
    assert!(error.contains("more than 34 runs"), "{error}");
    assert!(beyond.most_bytes < cost.most_bytes + 1024, "{beyond:?} beside {cost:?}");
}

#[test]
fn claims_of_a_receiver() {
    let on_grid = Manner(Manner::GRID);
    let heard = |said: &[Vec<u8>]| {
        let (cost, error) = send(on_grid, &[native::welcome(None), said.concat()].concat());
        (cost, error.map(|error| error.to_string()).unwrap_or_default())
    };
    // The array has one block, whatever the length of blocks: of others nothing is kept.
    let claims = |count: u32| -> Vec<Vec<u8>> {
        let all = vec![Some(7); 4096];
        (0..count).map(|number| native::claim(4096 * number, &all)).collect()
    };
    let (few, text) = heard(&claims(1));
    assert!(
        text.contains("a claim up to block 4096, where there are at most 1"),
        "{text}"
    );
    let (many, _) = heard(&claims(64));
    assert_eq!(many.most_bytes, few.most_bytes);
    for (first, count, hint) in [
        (0, 4097, "a claim of 4097 blocks from block 0 on"),
        ((1 << 24) - 1, 2, "a claim of 2 blocks from block 16777215 on"),
        (u32::MAX, u32::MAX, "a claim of 4294967295 blocks"),
    ] {
        let (cost, text) = heard(&[native::claim_of(first, count, &[], &[])]);
        assert!(text.contains(hint), "{text}");
        assert!(cost.total_bytes < 8 * AT_SIGHT_BYTES, "{cost:?}");
    }
    // The block that there is, rightly and wrongly.
    let (_, text) = heard(&[native::claim(0, &[Some(7)]), native::accept(&grain(GRAIN))]);
    assert_eq!(text, "");
}

#[test]
fn path_and_target_of_an_item_of_a_tree() {
    let heard = |said: &[u8]| {
        let mut heard = Ok(false);
        let cost = cost(|| {
            heard = arraylift::internals::parsers::native_message(said);
            1
        });
        (cost, heard)
    };
    let link = |target: &str| {
        let body = [
            field(9, &1_u32.to_le_bytes()),
            field(8, &[3]),
            field(18, b"link"),
            field(21, &0o777_u32.to_le_bytes()),
            field(22, &[0; 12]),
            field(23, target.as_bytes()),
        ];
        message(OFFER, &body.concat())
    };
    let file = |path: &str| native::tree_file(1, path, 1);
    // Of one name, and of as many as there can be.
    for unit in ["n", "n/"] {
        let text = |bytes: usize| unit.repeat(bytes).get(..bytes).expect("ASCII").to_owned();
        let (longest, beyond) = (text(4095), text(4096));
        for (longest, beyond) in [(file(&longest), file(&beyond)), (link(&longest), link(&beyond))] {
            let (cost, said) = heard(&longest);
            assert_eq!(said, Ok(true));
            assert!(
                cost.most_bytes < 4 * AT_SIGHT_BYTES && cost.allocations < 64,
                "{cost:?}"
            );
            let (cost, said) = heard(&beyond);
            let text = said.expect_err("an end").to_string();
            assert!(text.contains("longer than 4095 bytes"), "{text}");
            assert!(cost.total_bytes < AT_SIGHT_BYTES, "{cost:?}");
        }
    }
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
