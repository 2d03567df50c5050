//! Blocks that a receiver has from an earlier session: how it says so, and what a sender makes of it.

use crate::error::Error;
use crate::wire::Grain;

use super::BLOCKS_MAX;
use super::fields::{Fields, put, tag};

/// The most blocks that one message can be about.
const BLOCKS_IN_ONE_MAX: u32 = 4096;

/// What one message says of some blocks that follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockClaims {
    /// The first block that it is about, and how many it is about.
    first: u32,
    count: u32,
    /// Those of them that are there, in order, each with the value of its checksum.
    there: Vec<(u32, u64)>,
}

/// What all messages of a session have said.
#[derive(Debug, Default)]
pub(crate) struct Claimed {
    there: Vec<(u32, u64)>,
    /// The first block that the next message can be about.
    next: u32,
}

impl BlockClaims {
    /// All that are there, in order, in as many messages as they take.
    pub(crate) fn of(there: &[(u32, u64)]) -> impl Iterator<Item = Self> {
        let mut rest = there;
        std::iter::from_fn(move || {
            let (first, _) = *rest.first()?;
            let fit = rest.partition_point(|(index, _)| index - first < BLOCKS_IN_ONE_MAX);
            let (there, after) = rest.split_at(fit);
            rest = after;
            let (last, _) = *there.last()?;
            Some(Self {
                first,
                count: last - first + 1,
                there: there.to_vec(),
            })
        })
    }

    /// The block after the last one that it is about.
    pub(crate) fn end(&self) -> u32 {
        self.first + self.count
    }

    /// Whether an array of so many bytes can have these blocks, whatever their length.
    ///
    /// # Errors
    /// It has fewer.
    pub(crate) fn fit(&self, total_bytes: u64) -> Result<(), Error> {
        let most = total_bytes.div_ceil(Grain::MIN.bytes());
        if u64::from(self.end()) > most {
            return Err(Error::Protocol(format!(
                "a claim up to block {}, where there are at most {most}",
                self.end()
            )));
        }
        Ok(())
    }

    /// Appends its fields.
    pub(super) fn write(&self, body: &mut Vec<u8>) {
        let mut bits = vec![0_u8; bytes_of_bits(self.count)];
        let mut checksums = Vec::with_capacity(8 * self.there.len());
        for (index, checksum) in &self.there {
            let bit = index - self.first;
            if let Some(byte) = bits.get_mut((bit / 8) as usize) {
                *byte |= 1 << (bit % 8);
            }
            checksums.extend_from_slice(&checksum.to_le_bytes());
        }
        put(body, tag::FIRST_BLOCK, &self.first.to_le_bytes());
        put(body, tag::COUNT, &self.count.to_le_bytes());
        put(body, tag::CLAIMED, &bits);
        put(body, tag::CHECKSUMS, &checksums);
    }

    /// Reads them.
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Error> {
        let (first, count) = (fields.short_number(tag::FIRST_BLOCK)?, fields.short_number(tag::COUNT)?);
        let end = u64::from(first) + u64::from(count);
        if count == 0 || count > BLOCKS_IN_ONE_MAX || end > BLOCKS_MAX {
            return Err(Error::Protocol(format!(
                "a claim of {count} blocks from block {first} on"
            )));
        }
        let bits = fields.require(tag::CLAIMED)?;
        if bits.len() != bytes_of_bits(count) {
            return Err(Error::Protocol(format!(
                "{} bytes of bits for {count} blocks",
                bits.len()
            )));
        }
        let is_set = |bit: u32| bits[(bit / 8) as usize] >> (bit % 8) & 1 == 1;
        if (count..8 * count.div_ceil(8)).any(is_set) {
            return Err(Error::Protocol("a claim of a block that it is not about".into()));
        }
        let (checksums, []) = fields.require(tag::CHECKSUMS)?.as_chunks::<8>() else {
            return Err(Error::Protocol("checksums that are no list of 8-byte numbers".into()));
        };
        let is_there = (0..count).filter(|bit| is_set(*bit));
        if is_there.clone().count() != checksums.len() {
            return Err(Error::Protocol(
                "not one checksum for each block that is claimed".into(),
            ));
        }
        let checksums = checksums.iter().map(|checksum| u64::from_le_bytes(*checksum));
        Ok(Self {
            first,
            count,
            there: is_there.map(|bit| first + bit).zip(checksums).collect(),
        })
    }
}

impl Claimed {
    /// Adds what a message says.
    ///
    /// # Errors
    /// It is about a block that an earlier one was about, or about one before that.
    pub(crate) fn add(&mut self, claims: &BlockClaims) -> Result<(), Error> {
        if claims.first < self.next {
            return Err(Error::Protocol(format!(
                "a claim from block {} on after one up to block {}",
                claims.first, self.next
            )));
        }
        self.next = claims.end();
        self.there.extend_from_slice(&claims.there);
        Ok(())
    }

    /// Whether anything was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.next == 0
    }

    /// The claimed blocks of an array of so many bytes on that grid, in order, each with the value of its checksum.
    ///
    /// # Errors
    /// The array has too many such blocks, or fewer than were claimed.
    pub(crate) fn on(self, grain: Grain, total_bytes: u64) -> Result<Vec<(u32, u64)>, Error> {
        if !grain.reaches_over(total_bytes) {
            return Err(Error::Protocol(format!(
                "more than {BLOCKS_MAX} blocks of {} bytes",
                grain.get()
            )));
        }
        let blocks = total_bytes.div_ceil(grain.bytes());
        if u64::from(self.next) > blocks {
            return Err(Error::Protocol(format!(
                "a claim up to block {} of {blocks}",
                self.next
            )));
        }
        Ok(self.there)
    }
}

/// In so many bytes there is a bit for each block.
fn bytes_of_bits(count: u32) -> usize {
    count.div_ceil(8) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::native::message::{Message, Parsed};
    use proptest::prelude::*;

    /// What a sender hears of a receiver that has these blocks.
    fn heard(there: &[(u32, u64)]) -> Claimed {
        let mut claimed = Claimed::default();
        for claims in BlockClaims::of(there) {
            let mut bytes = Vec::new();
            Message::Claim { item: 1, claims }.encode(&mut bytes);
            let parsed = Message::parse(&bytes).expect("a message within its bounds");
            let Parsed::Message(Message::Claim { item: 1, claims }, len) = parsed else {
                panic!("{parsed:?}")
            };
            assert_eq!(len, bytes.len());
            claimed.add(&claims).expect("in order");
        }
        claimed
    }

    proptest! {
        #[test]
        fn what_is_there_is_heard_whatever_it_is(
            there in prop::collection::btree_map(0_u32..20_000, any::<u64>(), 0..300),
            all_from in 0_u32..20_000,
        ) {
            // Some here and there, and more than one message of all.
            let all = (all_from..all_from + 5000).map(|index| (index, u64::from(index)));
            let there: Vec<_> = there.into_iter().filter(|(index, _)| *index < all_from).chain(all).collect();
            let total = 25_000 * Grain::MIN.bytes();
            prop_assert_eq!(heard(&there).on(Grain::MIN, total), Ok(there));
        }
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert!(heard(&[]).is_empty());
    }

    #[test]
    fn a_claim_that_contradicts_itself_or_is_too_long_is_an_error() {
        let read = |first: u32, count: u32, bits: &[u8], checksums: usize| {
            let mut body = Vec::new();
            put(&mut body, tag::FIRST_BLOCK, &first.to_le_bytes());
            put(&mut body, tag::COUNT, &count.to_le_bytes());
            put(&mut body, tag::CLAIMED, bits);
            put(&mut body, tag::CHECKSUMS, &vec![0; checksums]);
            BlockClaims::read(&Fields::read(&body).expect("fields"))
        };
        let claims = read(5, 9, &[0b1000_0001, 1], 24).expect("three of nine blocks");
        assert_eq!(claims.there, [(5, 0), (12, 0), (13, 0)]);
        assert!(read(5, 9, &[0, 0], 0).is_ok(), "none of nine");
        for (what, result) in [
            ("no block", read(5, 0, &[], 0)),
            ("too many", read(5, 4097, &[0; 513], 0)),
            ("beyond the last that there can be", read(1 << 24, 1, &[0], 0)),
            ("beyond all numbers", read(u32::MAX, 2, &[0], 0)),
            ("bits too many", read(5, 8, &[0, 0], 0)),
            ("bits too few", read(5, 9, &[0], 0)),
            ("a spare bit", read(5, 9, &[0, 2], 8)),
            ("a checksum too few", read(5, 9, &[3, 0], 8)),
            ("a checksum too many", read(5, 9, &[1, 0], 16)),
            ("half a checksum", read(5, 9, &[1, 0], 12)),
        ] {
            assert!(matches!(result, Err(Error::Protocol(_))), "{what}: {result:?}");
        }
    }

    #[test]
    fn claims_go_up_and_are_of_blocks_that_there_are() {
        let claims = |first, count| BlockClaims {
            first,
            count,
            there: vec![(first, 7)],
        };
        let mut claimed = Claimed::default();
        claimed.add(&claims(3, 2)).expect("the first");
        for first in [0, 3, 4] {
            assert!(
                matches!(claimed.add(&claims(first, 1)), Err(Error::Protocol(_))),
                "{first}"
            );
        }
        claimed.add(&claims(5, 1)).expect("right behind");
        // Six blocks of 64 KiB are three of 128 KiB.
        let grain = Grain::new(128 << 10).expect("a grain");
        let on = |grain: Grain, total| {
            let (there, next) = (claimed.there.clone(), claimed.next);
            Claimed { there, next }.on(grain, total)
        };
        let total = 5 * Grain::MIN.bytes() + 1;
        assert_eq!(on(Grain::MIN, total), Ok(vec![(3, 7), (5, 7)]));
        assert!(matches!(on(grain, total), Err(Error::Protocol(_))));
        assert!(matches!(on(Grain::MIN, total - 1), Err(Error::Protocol(_))));
        assert!(matches!(on(Grain::MIN, 1 << 41), Err(Error::Protocol(_))));
    }
}
