//! The bytes of a file that one connection fetches: ranges, one after another, each claimed block by block where the file
//! is on record.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::checksum::Digest;
use crate::error::Error;
use crate::ledger::{Claim, Ledger, Span};

/// A part of a file that nobody else fetches.
pub(super) struct ClaimedPart {
    ledger: Arc<Ledger>,
    /// Its first byte.
    start: u64,
    /// The block that comes. Without a record it is the whole range, and ends nowhere while the file's length is not known.
    claim: Claim,
    /// Of what has landed of that.
    digest: Digest,
    /// The byte after the last one of the range that comes.
    range_end: u64,
    /// What is fetched next.
    further: VecDeque<Range<u64>>,
}

/// What comes after a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The block behind it.
    Block,
    /// A block elsewhere, which has to be asked for.
    Range,
    Nothing,
}

impl ClaimedPart {
    /// Claims the beginning of these ranges, which ascend and lie on the ledger's grid.
    ///
    /// # Errors
    /// They are somebody else's.
    pub(super) fn claim(ledger: &Arc<Ledger>, ranges: Vec<Range<u64>>) -> Result<Self, Error> {
        let mut further = VecDeque::from(ranges);
        let first = further.pop_front().unwrap_or(0..0);
        Ok(Self {
            ledger: Arc::clone(ledger),
            start: first.start,
            claim: claim_block(ledger, &first)?,
            digest: Digest::new(ledger.checksum_kind()),
            range_end: first.end,
            further,
        })
    }

    /// The first byte of all.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// The first byte that has not landed.
    pub(super) fn at(&self) -> u64 {
        self.claim.at()
    }

    /// How many bytes of the block that comes have not landed.
    pub(super) fn left_in_block(&self) -> u64 {
        self.claim.left()
    }

    /// The byte after the last one of the range that comes.
    pub(super) fn range_end(&self) -> u64 {
        self.range_end
    }

    /// The proof that the block that comes is this connection's; `None` from the second time on.
    pub(super) fn take_span(&mut self) -> Option<Span> {
        self.claim.take_span()
    }

    /// What the bytes of the block that comes are added to.
    pub(super) fn digest(&mut self) -> &mut Digest {
        &mut self.digest
    }

    /// `bytes` more of the block are where they belong.
    pub(super) fn landed(&mut self, bytes: u64) {
        self.claim.landed(bytes);
    }

    /// The file ends with what has landed.
    pub(super) fn ends_here(&mut self) {
        self.claim.ends_here();
        self.range_end = self.claim.end();
    }

    /// After the last byte of a block: counts it as verified, and claims the next one. The last block of all stays claimed
    /// until [`ClaimedPart::finish`].
    ///
    /// # Errors
    /// The next one is somebody else's.
    pub(super) fn claim_next(&mut self) -> Result<Next, Error> {
        let (range, next) = if self.claim.end() < self.range_end {
            (self.claim.end()..self.range_end, Next::Block)
        } else if let Some(range) = self.further.pop_front() {
            (range, Next::Range)
        } else {
            return Ok(Next::Nothing);
        };
        self.range_end = range.end;
        let claim = claim_block(&self.ledger, &range)?;
        let digest = std::mem::replace(&mut self.digest, Digest::new(self.ledger.checksum_kind()));
        std::mem::replace(&mut self.claim, claim).verified(&digest);
        Ok(next)
    }

    /// Counts the last block, every byte of which has landed, as verified: nobody says what its checksum should be.
    pub(super) fn finish(self) {
        self.claim.verified(&self.digest);
    }
}

/// The block with which a range begins.
fn claim_block(ledger: &Arc<Ledger>, range: &Range<u64>) -> Result<Claim, Error> {
    let all = range.end - range.start;
    let len = ledger.grain().map_or(all, |grain| {
        let block_end = grain.bytes() - range.start % grain.bytes();
        all.min(block_end)
    });
    ledger.claim(range.start, len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::ChecksumKind;
    use crate::wire::Grain;

    const B: u64 = 64 << 10;

    /// Takes a whole block.
    fn take(part: &mut ClaimedPart) {
        let len = part.left_in_block();
        part.digest().update(&vec![7; usize::try_from(len).expect("a block")]);
        part.landed(len);
    }

    #[test]
    fn each_block_is_verified_as_soon_as_it_is_whole_and_those_on_record_are_never_claimed() {
        let recorded = [(1, 5), (2, 5)];
        let ledger = Ledger::resumed(4 * B + 9, ChecksumKind::Crc64Nvme, Grain::MIN, 1, recorded).expect("its blocks");
        let mut part = ClaimedPart::claim(&ledger, vec![0..B, 3 * B..4 * B + 9]).expect("free");
        assert_eq!((part.start(), part.range_end(), part.left_in_block()), (0, B, B));
        take(&mut part);
        assert_eq!(part.claim_next().expect("free"), Next::Range);
        assert_eq!((part.at(), part.range_end()), (3 * B, 4 * B + 9));
        assert_eq!(ledger.verified_bytes(), 3 * B);
        take(&mut part);
        assert_eq!(part.claim_next().expect("free"), Next::Block);
        take(&mut part);
        assert_eq!(part.claim_next().expect("free"), Next::Nothing);
        part.finish();
        ledger.keep(2 * B).expect("what is left");
        assert!(ledger.is_whole());
        let newly: Vec<u32> = ledger.take_newly_verified().iter().map(|(index, _)| *index).collect();
        assert_eq!(newly, [0, 3, 4]);
    }

    #[test]
    fn without_a_record_a_range_is_one_block_and_a_growing_file_ends_where_it_ends() {
        let ledger = Ledger::growing(ChecksumKind::Crc64Nvme);
        let mut part = ClaimedPart::claim(&ledger, std::iter::once(0..u64::MAX).collect()).expect("free");
        part.digest().update(b"abc");
        part.landed(3);
        part.ends_here();
        assert_eq!(part.claim_next().expect("nothing"), Next::Nothing);
        part.finish();
        assert_eq!(ledger.checksum().map(crate::checksum::Checksum::value), {
            let mut digest = Digest::new(ChecksumKind::Crc64Nvme);
            digest.update(b"abc");
            digest.value()
        });
    }
}
