//! What the window writes: quantities as everywhere (see `units`), and shapes.

pub(crate) use crate::units::{Quantity, bytes, count, done_of, duration, exact_bytes, left, mean_bytes, rate, time};

/// A shape for people: `1,200,000 × 768`.
#[must_use]
pub(crate) fn shape(lengths: &[u64]) -> String {
    if lengths.is_empty() {
        return "one element".to_owned();
    }
    lengths
        .iter()
        .map(|&length| count(length))
        .collect::<Vec<_>>()
        .join(" × ")
}

/// A shape as Python writes it: `(50000000,)`.
#[must_use]
pub(crate) fn python_shape(lengths: &[u64]) -> String {
    match lengths {
        [only] => format!("({only},)"),
        _ => format!(
            "({})",
            lengths.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_readable() {
        assert_eq!(shape(&[1_200_000, 768]), "1,200,000 × 768");
        assert_eq!(python_shape(&[5]), "(5,)");
        assert_eq!(python_shape(&[2, 3]), "(2, 3)");
        assert_eq!(python_shape(&[]), "()");
    }
}
