//! A ledger that goes on where an earlier one ended.

use super::*;
use proptest::prelude::*;

const GRAIN: Grain = Grain::MIN;

fn len(total: u64, index: u32) -> u64 {
    (total - u64::from(index) * GRAIN.bytes()).min(GRAIN.bytes())
}

/// The checksum of block `index`, whose bytes are all the same.
fn digest(total: u64, index: u32) -> Digest {
    let byte = u8::try_from(index % 251).expect("below 251");
    let mut digest = Digest::new(ChecksumKind::Crc64Nvme);
    digest.update(&vec![byte; usize::try_from(len(total, index)).expect("a block")]);
    digest
}

fn recorded(total: u64, index: u32) -> (u32, u64) {
    (index, digest(total, index).value().expect("a checksum"))
}

fn whole(total: u64) -> Option<Checksum> {
    let blocks = u32::try_from(total.div_ceil(GRAIN.bytes())).expect("few");
    let parts = (0..blocks).filter_map(|index| digest(total, index).checksum());
    parts.reduce(Checksum::followed_by)
}

fn resumed(total: u64, streams: u16, indices: impl IntoIterator<Item = u32>) -> Arc<Ledger> {
    let blocks = indices.into_iter().map(|index| recorded(total, index));
    Ledger::resumed(total, ChecksumKind::Crc64Nvme, GRAIN, streams, blocks).expect("blocks of it")
}

fn claim(ledger: &Arc<Ledger>, total: u64, index: u32) -> Result<(Claim, Digest), Error> {
    let claim = ledger.claim(u64::from(index) * GRAIN.bytes(), len(total, index))?;
    Ok((claim, digest(total, index)))
}

fn verify((mut claim, digest): (Claim, Digest)) {
    claim.landed(claim.left());
    claim.verified(&digest);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Missing,
    Recorded,
    Coming,
    Verified,
}

proptest! {
    #[test]
    fn recorded_and_received_blocks_are_whole_when_every_byte_is_verified_and_the_rest_is_said_to_hold(
        // For each block: whether it is recorded, whether it comes again if so, and when.
        blocks in prop::collection::vec((any::<bool>(), any::<bool>(), any::<u32>()), 1..40),
        last_bytes in 1..=GRAIN.bytes(),
        streams in 1_u16..5,
        told_after in any::<prop::sample::Index>(),
    ) {
        let count = u32::try_from(blocks.len()).expect("few");
        let total = u64::from(count - 1) * GRAIN.bytes() + last_bytes;
        let numbered = || (0_u32..).zip(&blocks);
        let held: Vec<u32> = numbered().filter(|(_, (held, ..))| *held).map(|(index, _)| index).collect();
        let mut arrivals: Vec<(u32, u32)> = numbered()
            .filter(|(_, (held, again, _))| !held || *again)
            .map(|(index, (.., when))| (*when, index))
            .collect();
        arrivals.sort_unstable();
        let stays = numbered().filter(|(_, (held, again, _))| *held && !*again);
        let kept: u64 = stays.map(|(index, _)| len(total, index)).sum();
        let told_after = told_after.index(arrivals.len() + 1);
        let expected = whole(total);

        let ledger = resumed(total, streams, held.iter().copied());
        let mut model = vec![Block::Missing; blocks.len()];
        for index in &held {
            model[*index as usize] = Block::Recorded;
        }
        let mut under_way: Vec<(u32, (Claim, Digest))> = Vec::new();
        let mut is_told = held.is_empty();
        // Two turns more than blocks come, so that the last ones end.
        for turn in 0..=arrivals.len() + usize::from(streams) {
            if turn == told_after {
                ledger.keep(kept).expect("what is left in the end");
                is_told = true;
            }
            if let Some((_, index)) = arrivals.get(turn).copied() {
                let at = u64::from(index) * GRAIN.bytes();
                let was_recorded = model[index as usize] == Block::Recorded;
                prop_assert_eq!(ledger.is_recorded(index), was_recorded);
                prop_assert!(!ledger.needs_void(at));
                let claimed = claim(&ledger, total, index);
                prop_assert!(claimed.is_ok(), "block {} of {:?}: {:?}", index, model, claimed.err());
                under_way.extend(claimed.ok().map(|claim| (index, claim)));
                prop_assert_eq!(ledger.needs_void(at), was_recorded);
                prop_assert_eq!(ledger.needs_void(at + len(total, index) - 1), was_recorded);
                ledger.voided(at);
                prop_assert!(!ledger.needs_void(at) && !ledger.is_recorded(index));
                prop_assert!(claim(&ledger, total, index).is_err(), "it comes twice");
                model[index as usize] = Block::Coming;
            }
            if under_way.len() >= usize::from(streams) || turn >= arrivals.len() && !under_way.is_empty() {
                // Whichever connection is done first.
                let (index, claim) = under_way.swap_remove(turn * 7 % under_way.len());
                verify(claim);
                model[index as usize] = Block::Verified;
            }
            let bytes_of = |states: &[Block]| -> u64 {
                let of_them = (0_u32..).zip(&model).filter(|(_, state)| states.contains(state));
                of_them.map(|(index, _)| len(total, index)).sum()
            };
            prop_assert_eq!(ledger.verified_bytes(), bytes_of(&[Block::Recorded, Block::Verified]));
            prop_assert_eq!(ledger.landed_bytes(), bytes_of(&[Block::Recorded, Block::Verified]));
            prop_assert_eq!(ledger.recorded_bytes(), bytes_of(&[Block::Recorded]));
            prop_assert_eq!(ledger.received_bytes(), bytes_of(&[Block::Verified]));
            let is_verified = ledger.verified_bytes() == total;
            let is_settled = is_told && (held.is_empty() || ledger.recorded_bytes() == kept);
            prop_assert_eq!(ledger.is_whole(), is_verified && is_settled);
            prop_assert_eq!(ledger.checksum(), expected.filter(|_| ledger.is_whole()));
        }
        prop_assert!(ledger.is_whole());
        // What was queued is what was received, each once.
        prop_assert_eq!(ledger.newly_verified_count(), arrivals.len());
        let mut new = ledger.take_newly_verified();
        new.sort_unstable();
        let mut received: Vec<_> = arrivals.iter().map(|(_, index)| recorded(total, *index)).collect();
        received.sort_unstable();
        prop_assert_eq!(new, received);
        prop_assert!(ledger.newly_verified_count() == 0 && ledger.take_newly_verified().is_empty());
    }
}

#[test]
fn blocks_that_alternate_with_recorded_ones_are_no_gaps_too_many() {
    let blocks = 4000;
    let total = u64::from(blocks) * GRAIN.bytes();
    let ledger = resumed(total, 1, (0..blocks).filter(|index| index % 2 == 0));
    for index in (0..blocks).filter(|index| index % 2 == 1) {
        verify(claim(&ledger, total, index).expect("it is missing"));
    }
    assert!(!ledger.is_whole(), "nobody has said that the others hold");
    ledger.keep(total / 2).expect("every other block");
    assert!(ledger.is_whole());
    // Nor are those that come again among recorded ones.
    let ledger = resumed(total, 1, 0..blocks);
    for index in (0..blocks).filter(|index| index % 2 == 1) {
        verify(claim(&ledger, total, index).expect("it differs"));
    }
    ledger.keep(total / 2).expect("every other block");
    assert!(ledger.is_whole());
    // Gaps that nothing recorded makes are counted as ever.
    let ledger = resumed(total, 1, [0]);
    let refused = (1..blocks).filter(|index| index % 2 == 1);
    let refused = refused.filter_map(|index| claim(&ledger, total, index).map(verify).err());
    assert!(refused.count() > 1900);
}

#[test]
fn a_block_that_need_not_come_must_not() {
    let total = 4 * GRAIN.bytes();
    let ledger = resumed(total, 1, 0..4);
    assert!(matches!(ledger.keep(total + 1), Err(Error::Protocol(_))));
    ledger.keep(total - GRAIN.bytes()).expect("all but one");
    assert!(!ledger.is_whole(), "that one is on its way");
    verify(claim(&ledger, total, 2).expect("the one"));
    assert!(ledger.is_whole());
    assert!(matches!(claim(&ledger, total, 1), Err(Error::Protocol(_))));
}

#[test]
fn a_record_of_what_is_none_of_the_items_is_a_mistake() {
    let total = 3 * GRAIN.bytes() + 1;
    for (kind, blocks) in [
        (ChecksumKind::Crc64Nvme, [(0, 1), (4, 1)]),
        (ChecksumKind::Crc64Nvme, [(0, 1), (u32::MAX, 1)]),
        (ChecksumKind::Crc64Nvme, [(3, 1), (3, 1)]),
        (ChecksumKind::Crc32, [(0, 1), (1, 1 << 32)]),
        (ChecksumKind::None, [(0, 0), (1, 0)]),
    ] {
        let ledger = Ledger::resumed(total, kind, GRAIN, 1, blocks);
        assert!(matches!(ledger, Err(Error::Bug(_))), "{kind:?} {blocks:?}");
    }
    let too_long = Ledger::resumed(1 << 60, ChecksumKind::Crc32, GRAIN, 1, [(0, 1)]);
    assert!(matches!(too_long, Err(Error::Bug(_))));
}

#[test]
fn what_is_recorded_here_is_what_the_next_session_begins_with() {
    let total = 3 * GRAIN.bytes() + 5;
    let first = Ledger::recording(total, ChecksumKind::Crc64Nvme, GRAIN, 2);
    for index in [3, 1] {
        verify(claim(&first, total, index).expect("missing"));
    }
    assert_eq!(first.newly_verified_count(), 2);
    let recorded = first.take_newly_verified();
    let next = Ledger::resumed(total, ChecksumKind::Crc64Nvme, GRAIN, 2, recorded).expect("its own blocks");
    assert_eq!(next.verified_bytes(), GRAIN.bytes() + 5);
    assert_eq!(
        next.recorded().iter().map(|(index, _)| *index).collect::<Vec<_>>(),
        [1, 3]
    );
    assert_eq!(next.grain(), Some(GRAIN));
    for index in [0, 2] {
        verify(claim(&next, total, index).expect("missing"));
    }
    next.keep(next.recorded_bytes()).expect("all of it");
    assert_eq!(next.checksum(), whole(total));
}

#[test]
fn what_is_no_block_of_the_grid_or_has_no_checksum_is_not_queued() {
    let total = 3 * GRAIN.bytes();
    let ledger = Ledger::recording(total, ChecksumKind::Crc64Nvme, GRAIN, 1);
    for (at, len) in [(0, 100), (100, GRAIN.bytes()), (2 * GRAIN.bytes(), GRAIN.bytes() - 1)] {
        let mut claim = ledger.claim(at, len).expect("free");
        claim.landed(len);
        claim.verified(&digest(total, 0));
    }
    assert_eq!(ledger.newly_verified_count(), 0);
    let ledger = Ledger::recording(total, ChecksumKind::None, GRAIN, 1);
    let mut claim = ledger.claim(0, GRAIN.bytes()).expect("free");
    claim.landed(GRAIN.bytes());
    claim.verified(&Digest::new(ChecksumKind::None));
    assert!(ledger.take_newly_verified().is_empty());
}

#[test]
fn nothing_recorded_is_as_if_the_session_were_the_first() {
    let ledger = resumed(GRAIN.bytes(), 1, []);
    verify(claim(&ledger, GRAIN.bytes(), 0).expect("missing"));
    assert!(ledger.is_whole(), "nobody has to say that nothing holds");
    assert!(resumed(0, 1, []).is_whole());
}
