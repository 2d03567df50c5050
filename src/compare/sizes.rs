//! The sizes at which time is measured.

/// Rounds that count at each size. One round to warm up is added.
pub(super) const SIZE_ROUNDS: u32 = 3;

const SMALLEST_BYTES: u64 = 4096;
const GROWTH: u64 = 8;

/// The sizes from 4 KiB on, each eight times the one before, and `bytes` itself. Each is a whole number of elements of
/// `item_bytes`.
pub(super) fn sizes_up_to(bytes: u64, item_bytes: usize) -> Vec<u64> {
    let item_bytes = item_bytes.max(1) as u64;
    let mut sizes: Vec<u64> = std::iter::successors(Some(SMALLEST_BYTES), |size| size.checked_mul(GROWTH))
        .take_while(|size| *size < bytes)
        .map(|size| size / item_bytes * item_bytes)
        .filter(|size| *size > 0)
        .collect();
    sizes.push(bytes);
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_eightfold_to_the_whole_in_whole_elements() {
        assert_eq!(
            sizes_up_to(400_000_000, 8),
            [4096, 32_768, 262_144, 2_097_152, 16_777_216, 134_217_728, 400_000_000]
        );
        assert_eq!(sizes_up_to(4096, 8), [4096]);
        assert_eq!(sizes_up_to(40_000, 12), [4092, 32_760, 40_000]);
        assert_eq!(sizes_up_to(100_000, 50_000), [100_000]);
        assert_eq!(sizes_up_to(0, 0), [0]);
    }
}
