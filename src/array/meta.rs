//! What an array is, apart from its bytes.

use std::fmt;

use serde::Serialize;

use super::{Dtype, Shape};

/// Dtype, shape and order of an array of at most `i64::MAX` bytes.
///
/// ```
/// use arraylift::{ArrayMeta, Dtype, Order, Shape};
///
/// let meta = ArrayMeta::new(Dtype::f64(), Shape::new(vec![3, 4])?, Order::C)?;
/// assert_eq!((meta.element_count(), meta.byte_len()), (12, 96));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArrayMeta {
    dtype: Dtype,
    shape: Shape,
    order: Order,
    element_count: u64,
    byte_len: u64,
}

/// Which index varies fastest in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Order {
    /// The last one, as in C and as NumPy does by default.
    #[default]
    C,
    /// The first one, as in Fortran.
    Fortran,
}

/// Why an array cannot have this dtype and shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetaError {
    /// More than `i64::MAX` bytes.
    #[error("an array of {dtype} with shape {shape} is larger than 2^63 - 1 bytes")]
    TooLarge {
        /// The type of its elements.
        dtype: Dtype,
        /// Its dimensions.
        shape: Shape,
    },
}

impl ArrayMeta {
    /// An array of at most `i64::MAX` bytes, so that every offset into it fits a file offset.
    ///
    /// Zero elements are valid. As in NumPy, the bound then holds for the dimensions that are not zero.
    pub fn new(dtype: Dtype, shape: Shape, order: Order) -> Result<Self, MetaError> {
        let within_bound = |elements: u64| {
            let bytes = elements.checked_mul(dtype.item_size() as u64)?;
            (bytes <= i64::MAX.unsigned_abs()).then_some(bytes)
        };
        let span_bytes = shape.span().and_then(within_bound);
        let (Some(element_count), Some(span_bytes)) = (shape.element_count(), span_bytes) else {
            return Err(MetaError::TooLarge { dtype, shape });
        };
        Ok(Self {
            dtype,
            shape,
            order,
            element_count,
            byte_len: if element_count == 0 { 0 } else { span_bytes },
        })
    }

    /// An array of one dimension.
    pub fn vector(dtype: Dtype, count: u64) -> Result<Self, MetaError> {
        Self::new(dtype, Shape::vector(count), Order::C)
    }

    /// The type of its elements.
    #[must_use]
    pub fn dtype(&self) -> &Dtype {
        &self.dtype
    }

    /// Its dimensions, outermost first.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Which index varies fastest in memory.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// How many elements it has.
    #[must_use]
    pub fn element_count(&self) -> u64 {
        self.element_count
    }

    /// How many bytes its elements take: at most `i64::MAX`.
    #[must_use]
    pub fn byte_len(&self) -> u64 {
        self.byte_len
    }
}

/// For people: `f64 (50000000,)`, `i32 (3, 4) in Fortran order`.
impl fmt::Display for ArrayMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.dtype, self.shape)?;
        match self.order {
            Order::C => Ok(()),
            Order::Fortran => f.write_str(" in Fortran order"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_elements_times_their_size() {
        let meta = meta("f64", &[3, 4]).unwrap();
        assert_eq!((meta.element_count(), meta.byte_len()), (12, 96));
        assert_eq!(meta.to_string(), "f64 (3, 4)");
    }

    #[test]
    fn a_shape_without_dimensions_is_one_element() {
        let meta = meta("f64", &[]).unwrap();
        assert_eq!((meta.element_count(), meta.byte_len()), (1, 8));
    }

    #[test]
    fn zero_elements_are_an_array() {
        let meta = meta("f64", &[3, 0, 1 << 40]).unwrap();
        assert_eq!((meta.element_count(), meta.byte_len()), (0, 0));
    }

    #[test]
    fn no_array_exceeds_i64_max_bytes() {
        assert!(meta("u8", &[i64::MAX.unsigned_abs()]).is_ok());
        for (name, shape) in [
            ("u8", &[1 << 63][..]),
            ("f64", &[1 << 60]),
            ("f64", &[u64::MAX]),
            ("u8", &[1 << 32, 1 << 32]),
            ("u8", &[0, 1 << 32, 1 << 31]),
            ("f64", &[0, 1 << 60]),
        ] {
            let error = meta(name, shape).unwrap_err();
            assert!(error.to_string().ends_with("larger than 2^63 - 1 bytes"), "{shape:?}");
        }
    }

    #[test]
    fn fortran_order_is_shown_where_it_matters() {
        let shape = Shape::new(vec![3, 4]).unwrap();
        let meta = ArrayMeta::new(Dtype::f32(), shape, Order::Fortran).unwrap();
        assert_eq!(meta.to_string(), "f32 (3, 4) in Fortran order");
    }

    fn meta(name: &str, shape: &[u64]) -> Result<ArrayMeta, MetaError> {
        let dtype = Dtype::from_name(name).unwrap();
        ArrayMeta::new(dtype, Shape::new(shape.to_vec()).unwrap(), Order::C)
    }
}
