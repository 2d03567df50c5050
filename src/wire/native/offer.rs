//! The fields of an offer: what the array is, what it is called, and how it could come.

use crate::array::{ArrayMeta, Dtype, Order, Shape};
use crate::error::Error;
use crate::wire::{ChecksumKind, Grain, Handoff, Offer};

use super::BLOCKS_MAX;
use super::entry::FILE;
use super::fields::{Fields, put, put_text, tag};

const NAME_BYTES_MAX: usize = 4096;
const IDENTITY_BYTES_MAX: usize = 64;
/// What an item is: an array, which is kept with its dtype and shape.
const ARRAY: u8 = 0;

/// Appends them.
pub(super) fn write(body: &mut Vec<u8>, offer: &Offer) {
    put(body, tag::DTYPE, offer.meta.dtype().descr().as_bytes());
    let shape: Vec<u8> = offer
        .meta
        .shape()
        .dimensions()
        .iter()
        .flat_map(|len| len.to_le_bytes())
        .collect();
    put(body, tag::SHAPE, &shape);
    put(body, tag::ORDER, &[u8::from(offer.meta.order() == Order::Fortran)]);
    put(body, tag::BYTES, &offer.meta.byte_len().to_le_bytes());
    if let Some(name) = &offer.name {
        put_text(body, tag::NAME, name, NAME_BYTES_MAX);
    }
    put(body, tag::IDENTITY, &offer.identity);
    put(body, tag::CHECKSUM_KIND, &[offer.checksum.code()]);
    put(body, tag::WHAT, &[if offer.plain { FILE } else { ARRAY }]);
    if let Some(grain) = offer.grain {
        put(body, tag::GRAIN, &grain.get().to_le_bytes());
    }
    if let Some(handoff) = offer.handoff {
        put(body, tag::HANDOFF, &[handoff.code()]);
    }
}

/// Reads them, and refuses an offer that contradicts itself.
pub(super) fn read(fields: &Fields<'_>) -> Result<Offer, Error> {
    let bad = |reason: String| Error::BadOffer(reason);
    // As it came: what is shown of it is another matter.
    let dtype = Dtype::from_descr(fields.utf8(tag::DTYPE)?).map_err(|error| bad(error.to_string()))?;
    let shape = fields.require(tag::SHAPE)?;
    let (axes, []) = shape.as_chunks::<8>() else {
        return Err(Error::Protocol("a shape that is not a list of 8-byte numbers".into()));
    };
    let shape = Shape::new(axes.iter().map(|len| u64::from_le_bytes(*len)).collect());
    let order = if fields.flag(tag::ORDER)? {
        Order::Fortran
    } else {
        Order::C
    };
    let shape = shape.map_err(|error| bad(error.to_string()))?;
    let meta = ArrayMeta::new(dtype, shape, order).map_err(|error| bad(error.to_string()))?;
    let bytes = fields.number(tag::BYTES)?;
    if bytes != meta.byte_len() {
        return Err(bad(format!(
            "it speaks of {bytes} bytes, but {meta} has {}",
            meta.byte_len()
        )));
    }
    let name = fields.optional(tag::NAME, |fields, tag| fields.text(tag, NAME_BYTES_MAX))?;
    let identity = fields.get(tag::IDENTITY).unwrap_or_default();
    if identity.len() > IDENTITY_BYTES_MAX {
        return Err(Error::Protocol(format!(
            "an identity of {} bytes, of at most {IDENTITY_BYTES_MAX}",
            identity.len()
        )));
    }
    let code = fields.byte(tag::CHECKSUM_KIND)?;
    let checksum =
        ChecksumKind::from_code(code).ok_or_else(|| bad(format!("its checksum kind {code} is unknown here")))?;
    let plain = match fields.optional(tag::WHAT, Fields::byte)? {
        None | Some(ARRAY) => false,
        Some(FILE) => true,
        Some(other) => return Err(bad(format!("what it offers, {other}, is unknown here"))),
    };
    let grain = read_grain(fields, bytes)?;
    Ok(Offer {
        meta,
        name,
        plain,
        identity: identity.to_vec(),
        checksum,
        streams: 1,
        grain,
        // A way that a later version may know is none here: the array comes in blocks.
        handoff: fields
            .optional(tag::HANDOFF, Fields::byte)?
            .and_then(Handoff::from_code),
    })
}

/// How long the blocks of `bytes` bytes are, where that is said.
pub(super) fn read_grain(fields: &Fields<'_>, bytes: u64) -> Result<Option<Grain>, Error> {
    let Some(grain) = fields.optional(tag::GRAIN, Fields::short_number)? else {
        return Ok(None);
    };
    let grain = Grain::new(grain).ok_or_else(|| {
        Error::BadOffer(format!(
            "its blocks of {grain} bytes are no power of two from 64 KiB to 4 MiB"
        ))
    })?;
    if bytes.div_ceil(grain.bytes()) > BLOCKS_MAX {
        return Err(Error::BadOffer(format!(
            "it has more than {BLOCKS_MAX} blocks of {} bytes",
            grain.get()
        )));
    }
    Ok(Some(grain))
}
