//! Blocks that tests make by hand, on a grid and off it, over one connection and over two.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use arraylift::{ChecksumKind, Endpoint, Error, Incoming, Job, Listener, SinkSpec, WireChoice};

use crate::native::{
    self, ABORT, ACCEPT, GRAIN, GREETING, REFUSE, RESULT, SUMMARY, WELCOME, block, end, field, grain, hear, hello,
    join, message,
};
use crate::support::*;

fn connected(to: &str, first: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(to).expect("connect");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
    stream.write_all(first).expect("write");
    stream
}

/// The answer to a hello or a join: its kind and body.
fn answer(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut greeting = [0; 8];
    stream.read_exact(&mut greeting).expect("greeting");
    assert_eq!(greeting, GREETING);
    hear(stream)
}

/// A whole block.
fn whole(index: u32, filled_with: u8) -> Vec<u8> {
    block(index, &vec![filled_with; GRAIN as usize])
}

/// So many bytes in the shortest blocks that there are.
fn blocks(count: u64) -> u64 {
    count * u64::from(GRAIN)
}

/// Offers bytes without a checksum over two connections; returns the first one and the token.
fn offered(to: &str, bytes: u64) -> (TcpStream, [u8; 16]) {
    let mut first = connected(to, &[hello(2), native::offer(bytes, &grain(GRAIN))].concat());
    let (kind, body) = answer(&mut first);
    assert_eq!(kind, WELCOME);
    // Streams (6 bytes), token (4 bytes and 16).
    assert_eq!(body[..6], [14, 0, 2, 0, 2, 0], "over two");
    assert_eq!(body[6..10], [15, 0, 16, 0]);
    assert_eq!(hear(&mut first).0, ACCEPT);
    (first, body[10..].try_into().expect("16 bytes"))
}

/// A second connection that has joined.
fn joined(to: &str, token: &[u8]) -> TcpStream {
    let mut second = connected(to, &join(token));
    assert_eq!(answer(&mut second), (WELCOME, vec![]));
    second
}

fn receiving_into(sink: SinkSpec) -> (arraylift::Transfer, String) {
    let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).expect("free");
    let to = listener.address().to_owned();
    let job = Job::Receive {
        from: Incoming::Listener(listener),
        sink,
        expect: None,
    };
    (start(job, &options(WireChoice::Auto)).0, to)
}

fn receiving_bytes() -> (arraylift::Transfer, String) {
    receiving_into(SinkSpec::Memory)
}

/// Reads the receiver's last words, which are that so many bytes are stored.
fn is_stored(first: &mut TcpStream, bytes: u64) {
    let mut said = Vec::new();
    first.read_to_end(&mut said).expect("a result");
    assert_eq!(said, native::stored(bytes));
    assert_eq!((said[0], said[said.len() - 8]), (RESULT, SUMMARY));
}

#[test]
fn blocks_by_hand_over_two_connections_make_one_array() {
    let folder = tempfile::tempdir().expect("folder");
    let into = folder.path().join("a.bin");
    let (receiving, to) = receiving_into(SinkSpec::File(into.clone()));
    let bytes = blocks(3) + 6;
    let (mut first, token) = offered(&to, bytes);
    let mut second = joined(&to, &token);
    second.write_all(&block(3, &[4; 6])).expect("write");
    first.write_all(&whole(0, 1)).expect("write");
    second.write_all(&whole(2, 3)).expect("write");
    second.write_all(&whole(1, 2)).expect("write");
    first.write_all(&end(bytes)).expect("write");
    is_stored(&mut first, bytes);
    assert_eq!(second.read(&mut [0; 8]).expect("closed"), 0);
    drop((first, second));
    assert_eq!(done(receiving.join()).bytes, bytes);
    let expected: Vec<u8> = (1..=4).flat_map(|filled| vec![filled; GRAIN as usize]).collect();
    assert!(std::fs::read(into).expect("there") == expected[..expected.len() - GRAIN as usize + 6]);
}

#[test]
fn an_end_that_comes_before_the_last_block_of_another_connection_waits_for_it() {
    let (receiving, to) = receiving_bytes();
    let bytes = blocks(2);
    let (mut first, token) = offered(&to, bytes);
    let mut second = joined(&to, &token);
    first.write_all(&[whole(0, 1), end(bytes)].concat()).expect("write");
    first
        .set_read_timeout(Some(Duration::from_millis(300)))
        .expect("timeout");
    assert!(first.read(&mut [0; 8]).is_err(), "nothing is said of half an array");
    first.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
    second.write_all(&whole(1, 2)).expect("write");
    is_stored(&mut first, bytes);
    drop((first, second));
    assert_eq!(done(receiving.join()).bytes, bytes);
}

#[test]
fn blocks_in_any_order_over_the_one_connection_make_one_array() {
    let folder = tempfile::tempdir().expect("folder");
    let into = folder.path().join("a.bin");
    let (receiving, to) = receiving_into(SinkSpec::File(into.clone()));
    let bytes = blocks(3) + 1;
    let opening = [hello(1), native::offer(bytes, &grain(GRAIN))].concat();
    let says = [block(3, &[4]), whole(1, 2), whole(2, 3), whole(0, 1), end(bytes)];
    let mut stream = connected(&to, &[opening, says.concat()].concat());
    assert_eq!(answer(&mut stream), (WELCOME, vec![]));
    assert_eq!(hear(&mut stream).0, ACCEPT);
    is_stored(&mut stream, bytes);
    drop(stream);
    assert_eq!(done(receiving.join()).bytes, bytes);
    let expected: Vec<u8> = (1..=3).flat_map(|filled| vec![filled; GRAIN as usize]).collect();
    assert!(std::fs::read(into).expect("there") == [expected, vec![4]].concat());
}

#[test]
fn a_block_that_comes_over_two_connections_ends_the_transfer() {
    let (receiving, to) = receiving_bytes();
    let (mut first, token) = offered(&to, blocks(2));
    let mut second = joined(&to, &token);
    first.write_all(&whole(0, 1)).expect("write");
    // It may have closed by then.
    let _ = second.write_all(&whole(0, 2));
    let error = error(receiving.join());
    assert!(
        matches!(&error, Error::Protocol(text) if text.contains("twice")),
        "{error:?}"
    );
}

#[test]
fn a_stranger_without_the_token_is_turned_away_and_costs_the_transfer_nothing() {
    let (receiving, to) = receiving_bytes();
    let (mut first, token) = offered(&to, 16);
    for wrong in [
        join(&[0; 16]),
        join(&token[..15]),
        [hello(1), native::offer(1, b"")].concat(),
    ] {
        assert_eq!(answer(&mut connected(&to, &wrong)).0, REFUSE);
    }
    drop(TcpStream::connect(&to).expect("connect"));
    first.write_all(&[block(0, &[1; 16]), end(16)].concat()).expect("write");
    is_stored(&mut first, 16);
    drop(first);
    assert_eq!(done(receiving.join()).bytes, 16);
}

#[test]
fn a_block_that_comes_twice_over_one_connection_ends_the_transfer_and_nothing_is_called_done() {
    for again in [0, 1] {
        let (receiving, to) = receiving_bytes();
        let (mut first, _token) = offered(&to, blocks(3));
        first.write_all(&[whole(0, 1), whole(1, 1)].concat()).expect("write");
        // It may have closed by then.
        let _ = first.write_all(&whole(again, 2));
        let error = error(receiving.join());
        assert!(
            matches!(&error, Error::Protocol(text) if text.contains("twice")),
            "{error:?}"
        );
    }
}

#[test]
fn a_block_that_does_not_lie_on_the_grid_ends_the_transfer() {
    for (wrong, hint) in [
        (
            block(0, &vec![1; GRAIN as usize - 1]),
            "65535 bytes where 65536 were due",
        ),
        (block(1, &[1; 7]), "7 bytes where 6 were due"),
        (block(2, &[1; 6]), "6 bytes where 0 were due"),
        (block(u32::MAX, &[1; 6]), "6 bytes where 0 were due"),
    ] {
        let (receiving, to) = receiving_bytes();
        let (mut first, _token) = offered(&to, blocks(1) + 6);
        // It may have closed by then.
        let _ = first.write_all(&wrong);
        let error = error(receiving.join());
        assert!(
            matches!(&error, Error::Protocol(text) if text.contains(hint)),
            "{error:?}"
        );
    }
}

#[test]
fn whoever_says_more_than_blocks_and_keep_alives_over_a_further_connection_loses_it() {
    for wrong in [
        end(blocks(1)),
        native::offer(1, b""),
        native::handoff(0),
        message(10, b""),
    ] {
        let (receiving, to) = receiving_bytes();
        let (mut first, token) = offered(&to, blocks(2));
        let mut second = joined(&to, &token);
        let says = [native::KEEP_ALIVE, &whole(0, 1), native::KEEP_ALIVE, &wrong];
        second.write_all(&says.concat()).expect("write");
        let (kind, reason) = hear(&mut second);
        assert_eq!(kind, ABORT);
        let reason = String::from_utf8_lossy(&reason);
        assert!(reason.contains("broke the protocol"), "{reason}");
        // What it has brought is there.
        first.write_all(&[whole(1, 2), end(blocks(2))].concat()).expect("write");
        is_stored(&mut first, blocks(2));
        drop(first);
        assert_eq!(done(receiving.join()).bytes, blocks(2));
    }
}

#[test]
fn without_a_grid_there_is_one_connection_and_blocks_come_in_order() {
    let (receiving, to) = receiving_bytes();
    // Whatever the hello wished for.
    let opening = [hello(2), native::offer(10, b"")].concat();
    let mut stream = connected(&to, &[opening, block(1, &[1; 5])].concat());
    assert_eq!(answer(&mut stream), (WELCOME, vec![]));
    let error = error(receiving.join());
    assert!(
        matches!(&error, Error::Protocol(text) if text.contains("block 1 where 0 was due")),
        "{error:?}"
    );
}

#[test]
fn a_sender_of_blocks_with_gaps_is_refused_after_a_bounded_number() {
    // With one more there is room for the block that joins two of them, and so many are one too many.
    for (count, is_taken) in [(2 + 32 - 1, true), (2 + 32 + 1, false)] {
        let (receiving, to) = receiving_bytes();
        let (mut first, _token) = offered(&to, blocks(2 * u64::from(count)));
        let odd: Vec<u8> = (0..count).flat_map(|index| whole(2 * index + 1, 1)).collect();
        // It may have closed by then.
        let _ = first.write_all(&odd);
        if is_taken {
            // A gap that is filled joins its neighbours, so that there is room for the next one.
            let even: Vec<u8> = (1..count).flat_map(|index| whole(2 * index, 1)).collect();
            first.write_all(&even).expect("write");
        }
        drop(first);
        let error = error(receiving.join());
        if is_taken {
            assert!(
                matches!(error, Error::ClosedEarly { missing, .. } if missing == blocks(1)),
                "{error:?}: the first block is missing"
            );
        } else {
            assert!(
                matches!(&error, Error::Protocol(text) if text.contains("gaps")),
                "{error:?}"
            );
        }
    }
}

#[test]
fn a_checksum_of_the_whole_that_is_another_one_keeps_no_file_whenever_the_end_comes() {
    let digest = |bytes: &[u8]| {
        let mut digest = arraylift::internals::Digest::new(ChecksumKind::Crc64Nvme);
        digest.update(bytes);
        digest.value().expect("a checksum")
    };
    let data = [vec![1; GRAIN as usize], vec![2; GRAIN as usize]];
    let whole = digest(&data.concat());
    for (told, is_right) in [(Some(whole), true), (Some(whole ^ 1), false), (None, false)] {
        for end_comes_first in [false, true] {
            let folder = tempfile::tempdir().expect("folder");
            let (receiving, to) = receiving_into(SinkSpec::Folder(folder.path().into()));
            let offer = native::described(
                b"'|u1'",
                &[blocks(2)],
                blocks(2),
                1,
                &[grain(GRAIN), field(5, b"a")].concat(),
            );
            let mut first = connected(&to, &[hello(2), offer].concat());
            let (_, body) = answer(&mut first);
            assert_eq!(hear(&mut first).0, ACCEPT);
            let mut second = joined(&to, &body[10..]);
            let [one, two] = [0, 1].map(|index| {
                let data = &data[index];
                native::block_with(u32::try_from(index).expect("small"), data, digest(data))
            });
            let end = native::end_with(blocks(2), told);
            first.write_all(&one).expect("write");
            if end_comes_first {
                first.write_all(&end).expect("write");
                std::thread::sleep(Duration::from_millis(100));
                // What was wrong at once may have ended it.
                let _ = second.write_all(&two);
            } else {
                second.write_all(&two).expect("write");
                std::thread::sleep(Duration::from_millis(100));
                first.write_all(&end).expect("write");
            }
            let kind = hear(&mut first).0;
            drop((first, second));
            let outcome = receiving.join();
            if is_right {
                assert_eq!(kind, RESULT);
                assert_eq!(done(outcome).verified, Some(true));
            } else {
                assert_eq!(kind, ABORT, "{told:?} {end_comes_first}");
                let error = error(outcome);
                assert!(
                    matches!(&error, Error::Protocol(text) if text.contains("checksum")),
                    "{error:?}"
                );
                assert!(names_in(folder.path()).is_empty());
            }
        }
    }
}
