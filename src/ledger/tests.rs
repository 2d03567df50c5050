//! The ledger against a naive model: what is said of every single byte.

use super::*;
use proptest::prelude::*;

const BYTES: u64 = 64;

/// What a byte of the model has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Byte {
    Free,
    Claimed,
    Landed,
    Verified,
}

/// Something that a connection does. Blocks under way are picked by number, modulo how many there are.
#[derive(Debug, Clone)]
enum Act {
    Claim(u64, u64),
    Land(usize, u64),
    Verify(usize),
    /// The connection breaks: nobody goes on with its block.
    Drop(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..BYTES + 4, 0_u64..12).prop_map(|(at, len)| Act::Claim(at, len)),
        4 => (any::<usize>(), 0_u64..12).prop_map(|(claim, len)| Act::Land(claim, len)),
        4 => any::<usize>().prop_map(Act::Verify),
        1 => any::<usize>().prop_map(Act::Drop),
    ];
    prop::collection::vec(act, 0..200)
}

fn index(at: u64) -> usize {
    usize::try_from(at).expect("small")
}

fn digest(bytes: &[u8]) -> Digest {
    let mut digest = Digest::new(ChecksumKind::Crc64Nvme);
    digest.update(bytes);
    digest
}

/// As a whole, or some blocks of it, which are claimed, landed and verified one after another.
fn verify(ledger: &Arc<Ledger>, bytes: &[u8], at: u64, len: u64) {
    let mut claim = ledger.claim(at, len).expect("free");
    claim.landed(len);
    claim.verified(&digest(&bytes[index(at)..index(at + len)]));
}

proptest! {
    #[test]
    fn it_says_of_every_byte_what_the_model_says(acts in acts()) {
        let ledger = Ledger::new(BYTES, ChecksumKind::Crc64Nvme, 4);
        let mut bytes = vec![Byte::Free; index(BYTES)];
        let mut claims: Vec<Claim> = Vec::new();
        for act in acts {
            match act {
                Act::Claim(at, len) => {
                    let end = at + len;
                    let is_free = end <= BYTES && bytes[index(at)..index(end)].iter().all(|byte| *byte == Byte::Free);
                    let claimed = ledger.claim(at, len);
                    prop_assert_eq!(claimed.is_ok(), is_free, "bytes {} and {} more", at, len);
                    if let Ok(mut claim) = claimed {
                        let span = claim.take_span().expect("the first time");
                        prop_assert!(claim.take_span().is_none(), "one proof a claim");
                        prop_assert_eq!((span.at(), span.len(), span.is_of(&ledger)), (at, len, true));
                        bytes[index(at)..index(end)].fill(Byte::Claimed);
                        claims.push(claim);
                    }
                }
                Act::Land(number, len) if !claims.is_empty() => {
                    let number = number % claims.len();
                    let claim = &mut claims[number];
                    let len = len.min(claim.left());
                    bytes[index(claim.at())..index(claim.at() + len)].fill(Byte::Landed);
                    claim.landed(len);
                }
                Act::Verify(number) if !claims.is_empty() => {
                    let claim = claims.swap_remove(number % claims.len());
                    let block = index(claim.start())..index(claim.end());
                    if bytes[block.clone()].iter().all(|byte| *byte == Byte::Landed) {
                        bytes[block].fill(Byte::Verified);
                    }
                    claim.verified(&digest(b""));
                }
                Act::Drop(number) if !claims.is_empty() => {
                    claims.swap_remove(number % claims.len());
                }
                Act::Land(..) | Act::Verify(_) | Act::Drop(_) => {}
            }
            let count = |at_least: Byte| bytes.iter().filter(|byte| **byte >= at_least).count() as u64;
            prop_assert_eq!(ledger.landed_bytes(), count(Byte::Landed));
            prop_assert_eq!(ledger.verified_bytes(), count(Byte::Verified));
            prop_assert!(ledger.landed_bytes() <= count(Byte::Claimed));
            prop_assert_eq!(ledger.is_whole(), count(Byte::Verified) == BYTES);
            prop_assert_eq!(ledger.checksum().is_some(), ledger.is_whole());
            prop_assert!(ledger.lock().runs.count() <= index(BYTES).min(ledger.runs_max));
        }
    }

    #[test]
    fn in_any_order_blocks_add_up_to_the_checksum_of_the_whole(
        // Every other block of them is as many runs as there may be.
        bytes in prop::collection::vec(any::<u8>(), 1..2 * (4 + GAPS_MAX)),
        cuts in prop::collection::vec(1_u64..40, 1..20),
        seed in any::<u64>(),
    ) {
        let total = bytes.len() as u64;
        let ledger = Ledger::new(total, ChecksumKind::Crc64Nvme, 4);
        let (mut blocks, mut at) = (Vec::new(), 0);
        for len in cuts.iter().cycle() {
            let len = (*len).min(total - at);
            blocks.push((at, len));
            at += len;
            if at == total {
                break;
            }
        }
        blocks.sort_by_key(|(at, _)| at.wrapping_add(1).wrapping_mul(seed | 1));
        for (at, len) in blocks {
            prop_assert!(!ledger.is_whole() && ledger.checksum().is_none());
            verify(&ledger, &bytes, at, len);
        }
        prop_assert!(ledger.is_whole());
        prop_assert_eq!(ledger.checksum(), digest(&bytes).checksum());
        prop_assert_eq!(ledger.lock().runs.count(), 1, "neighbours are one run");
    }
}

#[test]
fn an_item_of_nothing_is_whole_and_has_the_checksum_of_nothing() {
    let ledger = Ledger::new(0, ChecksumKind::Crc64Nvme, 1);
    assert!(ledger.is_whole());
    assert_eq!(ledger.checksum().map(Checksum::value), Some(0));
    assert!(ledger.claim(0, 1).is_err() && ledger.claim(0, 0).is_ok());
}

#[test]
fn blocks_in_order_stay_one_run_and_none_comes_twice() {
    let bytes = [7; 100];
    let ledger = Ledger::new(100, ChecksumKind::Crc64Nvme, 1);
    for at in (0..100).step_by(10) {
        verify(&ledger, &bytes, at, 10);
        assert_eq!(ledger.lock().runs.count(), 1);
    }
    for (at, len) in [(99, 1), (0, 100), (95, 3), (100, 1), (101, 0), (u64::MAX, 2)] {
        let error = ledger.claim(at, len).expect_err("taken, or beyond the end");
        assert_eq!(error.fault(), crate::error::Fault::Peer, "{error}");
    }
    assert!(ledger.claim(100, 0).is_ok(), "nothing is nobody's");
}

#[test]
fn without_a_checksum_an_item_becomes_whole_and_has_none() {
    let ledger = Ledger::new(20, ChecksumKind::None, 1);
    for at in [10, 0] {
        assert!(!ledger.is_whole());
        let mut claim = ledger.claim(at, 10).expect("free");
        claim.landed(10);
        claim.verified(&Digest::new(ChecksumKind::None));
    }
    assert!(ledger.is_whole());
    assert_eq!(ledger.checksum(), None);
}

#[test]
fn what_grows_is_as_long_as_what_has_landed_when_it_ends() {
    for len in [0, 5] {
        let ledger = Ledger::growing(ChecksumKind::Crc64Nvme);
        let mut claim = ledger.claim(0, u64::MAX).expect("all there will be");
        claim.landed(len);
        assert_eq!((ledger.total_bytes(), ledger.is_whole()), (None, false));
        claim.ends_here();
        let bytes = [3; 5];
        claim.verified(&digest(&bytes[..index(len)]));
        assert_eq!((ledger.total_bytes(), ledger.is_whole()), (Some(len), true));
        assert_eq!(ledger.checksum(), digest(&bytes[..index(len)]).checksum());
    }
}

#[test]
#[cfg_attr(miri, ignore = "thousands of runs take miri many minutes")]
fn blocks_of_one_byte_with_gaps_cost_a_bounded_number_of_runs_and_are_the_peers_fault() {
    let streams = 2;
    let ledger = Ledger::new(1 << 30, ChecksumKind::Crc64Nvme, streams);
    let most = usize::from(streams) + GAPS_MAX;
    let mut refused = 0;
    for at in (0..100_000).step_by(2) {
        match ledger.claim(at, 1) {
            Ok(mut claim) => {
                claim.landed(1);
                claim.verified(&digest(&[1]));
            }
            Err(error) => {
                assert_eq!(error.fault(), crate::error::Fault::Peer, "{error}");
                refused += 1;
            }
        }
        assert!(ledger.lock().runs.count() <= most);
    }
    assert_eq!(refused, 50_000 - most, "as many as are remembered");
    // An entry of the record is a few words, whatever the checksum.
    assert!(size_of::<(u64, runs::Run)>() <= 64);
}
