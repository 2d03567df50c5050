//! What the bytes of a source are as an array: all of them, or a slice.

use crate::array::{ArrayMeta, Dtype, Order, Shape};
use crate::transfer::plan::Slice;

/// Elements of `dtype`, one after another.
pub(super) fn plain_of(dtype: Dtype, bytes: u64) -> Result<ArrayMeta, String> {
    let item = dtype.item_size() as u64;
    if !bytes.is_multiple_of(item) {
        return Err(format!(
            "{bytes} bytes are not a whole number of {} elements of {item} bytes",
            dtype.name()
        ));
    }
    ArrayMeta::vector(dtype, bytes / item).map_err(|error| error.to_string())
}

/// The slice's first byte and what it is as an array; the whole, with its shape, where there is no slice.
pub(super) fn sliced(whole: &ArrayMeta, slice: Option<Slice>) -> Result<(u64, ArrayMeta), String> {
    let Some(Slice {
        offset_bytes,
        length_bytes,
    }) = slice
    else {
        return Ok((0, whole.clone()));
    };
    let total = whole.byte_len();
    let Some(rest) = total.checked_sub(offset_bytes) else {
        return Err(format!("the offset {offset_bytes} lies beyond its {total} bytes"));
    };
    let length = length_bytes.unwrap_or(rest);
    if length > rest {
        return Err(format!(
            "{length} bytes from {offset_bytes} on reach beyond its {total} bytes"
        ));
    }
    let item = whole.dtype().item_size() as u64;
    if !offset_bytes.is_multiple_of(item) || !length.is_multiple_of(item) {
        let name = whole.dtype().name();
        return Err(format!(
            "offset and length of a slice are multiples of {item} bytes, the size of one {name}"
        ));
    }
    if offset_bytes == 0 && length == total {
        return Ok((0, whole.clone()));
    }
    let meta = ArrayMeta::new(whole.dtype().clone(), Shape::vector(length / item), Order::C);
    Ok((offset_bytes, meta.map_err(|error| error.to_string())?))
}
