//! The shape of an array: its dimensions, outermost first.

use std::fmt;

use serde::Serialize;

use crate::units::{NumberError, parse_count};

/// The dimensions of an array in elements; `()` is a single element.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Shape(Vec<u64>);

/// Why dimensions or a text are not a shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// More dimensions than NumPy 2 allows.
    #[error("{0} dimensions are more than NumPy's limit of {max}", max = Shape::MAX_DIMENSIONS)]
    TooManyDimensions(usize),
    /// A dimension that is not a whole number.
    #[error("in the shape {text:?}, {source}")]
    Dimension {
        /// The whole shape as given.
        text: String,
        /// What is wrong with one of its dimensions.
        source: NumberError,
    },
}

impl Shape {
    /// NumPy 2's limit.
    pub const MAX_DIMENSIONS: usize = 64;

    /// A shape of these dimensions.
    pub fn new(dimensions: Vec<u64>) -> Result<Self, ShapeError> {
        if dimensions.len() > Self::MAX_DIMENSIONS {
            return Err(ShapeError::TooManyDimensions(dimensions.len()));
        }
        Ok(Self(dimensions))
    }

    /// The shape `(count,)`.
    #[must_use]
    pub fn vector(count: u64) -> Self {
        Self(vec![count])
    }

    /// Reads what people type: `3,4`, `50_000_000`, `(3, 4)`, `1e6,3`, and `()` for a single element.
    ///
    /// ```
    /// # use arraylift::Shape;
    /// assert_eq!(Shape::parse("3,4")?.to_string(), "(3, 4)");
    /// # Ok::<(), arraylift::ShapeError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, ShapeError> {
        let trimmed = text.trim();
        let inner = trimmed.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        if inner.is_some_and(|inner| inner.trim().is_empty()) {
            return Ok(Self(Vec::new()));
        }
        let list = inner.unwrap_or(trimmed);
        let dimensions = list
            .strip_suffix(',')
            .unwrap_or(list)
            .split(',')
            .map(parse_count)
            .collect::<Result<_, _>>()
            .map_err(|source| ShapeError::Dimension {
                text: text.to_owned(),
                source,
            })?;
        Self::new(dimensions)
    }

    /// The dimensions, outermost first.
    #[must_use]
    pub fn dimensions(&self) -> &[u64] {
        &self.0
    }

    /// How many elements such an array has; `None` where that exceeds a `u64`.
    ///
    /// As in NumPy, a zero does not excuse the others: `(0, 2**40, 2**40)` is too large although nothing is in it,
    /// because its strides cannot be told.
    #[must_use]
    pub fn element_count(&self) -> Option<u64> {
        let span = self.span()?;
        Some(if self.0.contains(&0) { 0 } else { span })
    }

    /// The product of all dimensions that are not zero.
    pub(super) fn span(&self) -> Option<u64> {
        self.0
            .iter()
            .filter(|&&dimension| dimension != 0)
            .try_fold(1_u64, |product, &dimension| product.checked_mul(dimension))
    }
}

/// As Python prints a tuple: `(3, 4)`, `(5,)`, `()`.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [] => f.write_str("()"),
            [only] => write!(f, "({only},)"),
            [first, rest @ ..] => {
                write!(f, "({first}")?;
                rest.iter().try_for_each(|dimension| write!(f, ", {dimension}"))?;
                f.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_read_as_people_type_them_and_shown_as_python_does() {
        for (typed, shown) in [
            ("5", "(5,)"),
            ("5,", "(5,)"),
            ("3,4", "(3, 4)"),
            ("(3, 4)", "(3, 4)"),
            (" 2 , 3 , 4 ", "(2, 3, 4)"),
            ("1e6,50_000", "(1000000, 50000)"),
            ("()", "()"),
            ("0", "(0,)"),
        ] {
            assert_eq!(Shape::parse(typed).unwrap().to_string(), shown, "{typed}");
        }
    }

    #[test]
    fn a_wrong_dimension_is_named() {
        assert_eq!(
            Shape::parse("3,x").unwrap_err().to_string(),
            r#"in the shape "3,x", "x" is not a number"#
        );
        for wrong in ["", ",", "3,,4", "3,-4", "(3,4", "1.5"] {
            assert!(Shape::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_65th_dimension_is_too_many() {
        assert!(Shape::new(vec![1; 64]).is_ok());
        assert_eq!(Shape::new(vec![1; 65]), Err(ShapeError::TooManyDimensions(65)));
    }

    #[test]
    fn elements_are_counted_without_overflow() {
        let count = |dimensions: &[u64]| Shape(dimensions.to_vec()).element_count();
        assert_eq!(count(&[]), Some(1));
        assert_eq!(count(&[3, 4]), Some(12));
        assert_eq!(count(&[3, 0, 4]), Some(0));
        assert_eq!(count(&[u64::MAX]), Some(u64::MAX));
        assert_eq!(count(&[1 << 32, 1 << 32]), None);
        assert_eq!(count(&[0, 1 << 32, 1 << 32]), None);
    }
}
