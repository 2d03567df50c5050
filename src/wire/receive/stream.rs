//! Receiving on the wires that carry one array and nothing behind it: `npy`, which begins with a header, and `raw`.

use std::sync::Arc;

use crate::array::{ArrayMeta, npy};
use crate::error::Error;
use crate::ledger::{Claim, Ledger, Span};
use crate::wire::{ChecksumKind, Heard, Offer, Want};

use super::looks_like;

/// Takes the bytes of an array of known length, in order.
#[derive(Debug)]
pub struct StreamReceiver {
    offer: Box<Offer>,
    /// The whole array, once it is accepted.
    claim: Option<Claim>,
}

/// Reads a `.npy` header, and then the bytes.
#[derive(Debug, Default)]
pub struct HeaderReader {
    inbox: Vec<u8>,
    /// What follows the header, once that is read.
    pub(super) stream: Option<StreamReceiver>,
}

impl StreamReceiver {
    /// Takes an array of that form.
    pub(super) fn new(meta: ArrayMeta) -> Self {
        let offer = Offer {
            meta,
            name: None,
            plain: false,
            identity: Vec::new(),
            checksum: ChecksumKind::None,
            grain: None,
            streams: 1,
            handoff: None,
        };
        Self {
            offer: Box::new(offer),
            claim: None,
        }
    }

    /// What comes, said by nobody but known.
    pub(super) fn offer(&self) -> &Offer {
        &self.offer
    }

    pub(super) fn want(&self) -> Want {
        match &self.claim {
            None => Want::Decision,
            Some(claim) if claim.left() > 0 => Want::Data {
                at: claim.at(),
                len: claim.left(),
            },
            Some(_) => Want::Done,
        }
    }

    /// The array is taken, all of it in one claim.
    pub(super) fn accept(&mut self, ledger: &Arc<Ledger>) -> Result<(), Error> {
        self.claim = Some(ledger.claim(0, self.offer.meta.byte_len())?);
        Ok(())
    }

    pub(super) fn take_span(&mut self) -> Option<Span> {
        self.claim.as_mut().and_then(Claim::take_span)
    }

    pub(super) fn landed(&mut self, len: u64) -> Result<(), Error> {
        let claim = self.claim.as_mut();
        let claim = claim.ok_or_else(|| Error::Bug("bytes landed before the offer was taken".into()))?;
        claim.landed(len);
        Ok(())
    }
}

impl HeaderReader {
    pub(super) fn want(&self) -> Want {
        if let Some(stream) = &self.stream {
            return stream.want();
        }
        let need = match npy::read_header(&self.inbox) {
            Ok(npy::HeaderProgress::Need(bytes)) => bytes,
            // A whole or a broken header is dealt with as soon as its bytes are heard.
            Ok(npy::HeaderProgress::Done { .. }) | Err(_) => self.inbox.len() + 1,
        };
        Want::Control(need.saturating_sub(self.inbox.len()))
    }

    pub(super) fn hear(&mut self, bytes: &[u8]) -> Result<Option<Heard>, Error> {
        self.inbox.extend_from_slice(bytes);
        let matching = npy::MAGIC.iter().zip(&self.inbox).all(|(magic, byte)| magic == byte);
        if !matching {
            return Err(Error::OtherProtocol(looks_like(&self.inbox)));
        }
        match npy::read_header(&self.inbox).map_err(|error| Error::BadOffer(error.to_string()))? {
            npy::HeaderProgress::Need(_) => Ok(None),
            npy::HeaderProgress::Done { meta, .. } => {
                let stream = StreamReceiver::new(meta);
                let offer = stream.offer.clone();
                self.inbox = Vec::new();
                self.stream = Some(stream);
                Ok(Some(Heard::Offer(offer)))
            }
        }
    }
}
