//! The bytes that are sent and have to come back. They differ in each round, so that no late answer passes for a new
//! one.

/// The length of the pattern. It is prime, so that bytes that are shifted, lost or doubled by a power of two differ.
const PERIOD: usize = 262_139;
/// The offset of the pattern grows by this with each round.
const STEP: u64 = 8191;
/// The longest piece that can be borrowed at once.
pub(super) const PIECE_BYTES: usize = 128 << 10;

/// A periodic pattern, as long as needed, for any number of rounds.
#[derive(Debug)]
pub(super) struct Pattern(Vec<u8>);

impl Pattern {
    pub(super) fn new() -> Self {
        // A xorshift generator (Marsaglia 2003): predictable, and without a short period.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut bytes: Vec<u8> = (0..PERIOD)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[3]
            })
            .collect();
        bytes.extend_from_within(..PIECE_BYTES);
        Self(bytes)
    }

    /// The bytes of a round from `at` on: `len` of them, or fewer if one piece has fewer.
    pub(super) fn piece(&self, round: u64, at: u64, len: u64) -> &[u8] {
        let period = PERIOD as u64;
        let start = (at % period + (round % period) * STEP) % period;
        let len = usize::try_from(len).map_or(PIECE_BYTES, |len| len.min(PIECE_BYTES));
        // It is less than the period.
        let start = usize::try_from(start).unwrap_or(0);
        &self.0[start..start + len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_go_on_where_the_one_before_ended_and_rounds_differ() {
        let pattern = Pattern::new();
        let whole: Vec<u8> = (0..600_000).map(|at| pattern.piece(3, at, 1)[0]).collect();
        for at in [0, 1, 131_072, 262_138, 262_139, 262_140, 400_000] {
            let piece = pattern.piece(3, at as u64, 100_000);
            assert_eq!(piece, &whole[at..at + piece.len()], "at {at}");
        }
        assert_eq!(pattern.piece(0, 0, u64::MAX).len(), PIECE_BYTES);
        for round in 1..1000 {
            assert_ne!(pattern.piece(round, 0, 64), pattern.piece(0, 0, 64), "round {round}");
        }
        assert_eq!(pattern.piece(u64::MAX, u64::MAX, 64).len(), 64);
    }
}
