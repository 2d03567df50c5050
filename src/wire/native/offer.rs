//! The fields of an offer: what the array is, what it is called, and how it could come.

use crate::array::{ArrayMeta, Dtype, Order, Shape};
use crate::error::Error;
use crate::wire::{ChecksumKind, Handoff, Offer};

use super::fields::{Fields, put, put_text, tag};

const NAME_BYTES_MAX: usize = 4096;
const IDENTITY_BYTES_MAX: usize = 64;

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
    put(body, tag::PLAIN, &[u8::from(offer.plain)]);
    if offer.streams > 1 {
        put(body, tag::STREAMS, &offer.streams.to_le_bytes());
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
    Ok(Offer {
        meta,
        name,
        plain: fields.flag(tag::PLAIN)?,
        identity: identity.to_vec(),
        checksum,
        streams: fields.streams()?,
        // A way that a later version may know is none here: the array comes in blocks.
        handoff: fields
            .optional(tag::HANDOFF, Fields::byte)?
            .and_then(Handoff::from_code),
    })
}
