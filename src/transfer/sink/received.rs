//! An array that was received into memory, for whoever wants to compute with it.

use std::sync::{Arc, Mutex, PoisonError};

use bytemuck::Pod;

use crate::array::{ArrayMeta, Dtype};
use crate::sys::Filled;

use super::incoming_array::IncomingArray;

/// An array in memory of this process. It lies there as it came: in the order of its dimensions that its
/// [`ArrayMeta::order`] says, its elements without gaps, the first one at a multiple of every element's size. The memory
/// goes back to the system with this value.
#[derive(Debug)]
pub struct ReceivedArray {
    meta: ArrayMeta,
    memory: Filled,
}

impl ReceivedArray {
    /// Its dtype, shape and order.
    #[must_use]
    pub fn meta(&self) -> &ArrayMeta {
        &self.meta
    }

    /// All of its bytes; [`ArrayMeta::byte_len`] tells how many.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.memory
    }

    /// All of its elements, in the order in which they lie in memory. `None` where its dtype is not `T`'s in this
    /// machine's order of bytes.
    #[must_use]
    pub fn as_slice<T: Element>(&self) -> Option<&[T]> {
        let is_of_type = Dtype::from_name(T::DTYPE).is_ok_and(|dtype| dtype == *self.meta.dtype());
        is_of_type
            .then(|| bytemuck::try_cast_slice(&self.memory).ok())
            .flatten()
    }
}

/// A type of number that an array's elements can be.
pub trait Element: Pod + sealed::Sealed {
    /// The name of its dtype, such as `f64`.
    const DTYPE: &'static str;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! elements {
    ($($number:ty: $dtype:literal),*) => {$(
        impl sealed::Sealed for $number {}
        impl Element for $number {
            const DTYPE: &'static str = $dtype;
        }
    )*};
}

elements! {
    u8: "u8", u16: "u16", u32: "u32", u64: "u64",
    i8: "int8", i16: "i16", i32: "i32", i64: "i64",
    f32: "f32", f64: "f64"
}

/// Where a receiver leaves an array that is to outlive its transfer.
#[derive(Default)]
pub(crate) struct ReceivedCell(Mutex<Option<(ArrayMeta, Arc<IncomingArray>)>>);

impl ReceivedCell {
    /// Leaves an array that is whole.
    pub(crate) fn put(&self, meta: ArrayMeta, array: Arc<IncomingArray>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((meta, array));
    }

    /// Takes the array out. `None` where there is none, or a connection still has it.
    pub(crate) fn take(&self) -> Option<ReceivedArray> {
        let (meta, array) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let memory = Arc::into_inner(array)?.sink.into_memory()?;
        Some(ReceivedArray { meta, memory })
    }
}

impl std::fmt::Debug for ReceivedCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceivedCell").finish_non_exhaustive()
    }
}
