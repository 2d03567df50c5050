//! Messages become bytes.

use crate::wire::Grain;
use crate::wire::native::fields::{put, put_reason, put_text, tag};
use crate::wire::native::{Token, offer};

use super::{Credit, ENDS, FIRST_SKIPPABLE_KIND, Farewell, ItemResult, Message, ROOT_BYTES_MAX, TreeRequest, kind};

impl Message {
    /// Appends the message's bytes; for a block, its header's.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        if let Self::Block { item, index, len, ends } = self {
            header(out, kind::BLOCK, if *ends { ENDS } else { 0 }, *len);
            out.extend_from_slice(&item.to_le_bytes());
            out.extend_from_slice(&index.to_le_bytes());
            return;
        }
        let mut body = Vec::new();
        let kind = self.encode_body(&mut body);
        // Every body is bounded far below 4 GiB by its fields' bounds.
        header(out, kind, 0, u32::try_from(body.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(&body);
    }

    /// Appends its fields, and returns its kind.
    fn encode_body(&self, body: &mut Vec<u8>) -> u8 {
        match self {
            Self::Hello { streams, tree } => {
                put(body, tag::STREAMS, &streams.to_le_bytes());
                if let Some(tree) = tree {
                    put_tree(body, tree);
                }
                kind::HELLO
            }
            Self::Welcome { more, is_fresh } => {
                put_welcome(body, more.as_ref(), *is_fresh);
                kind::WELCOME
            }
            Self::Credit(Credit { items, bytes }) => {
                put(body, tag::ITEMS, &items.to_le_bytes());
                put(body, tag::BYTES, &bytes.to_le_bytes());
                kind::CREDIT
            }
            Self::Refuse(farewell) => {
                put_farewell(body, farewell);
                kind::REFUSE
            }
            Self::Join { token } => {
                put(body, tag::TOKEN, token);
                kind::JOIN
            }
            Self::Offer { item, offer } => {
                put_item(body, *item);
                offer::write(body, offer);
                kind::OFFER
            }
            Self::OfferEntry { item, entry } => {
                put_item(body, *item);
                entry.write(body);
                kind::OFFER
            }
            Self::Accept { item, handoff, grain } => {
                put_item(body, *item);
                put_ways(body, *handoff, *grain);
                kind::ACCEPT
            }
            Self::Claim { item, claims } => {
                put_item(body, *item);
                claims.write(body);
                kind::CLAIM
            }
            Self::End {
                item,
                bytes,
                checksum,
                kept,
            } => {
                put_item(body, *item);
                put_sum(body, Some(*bytes), *checksum);
                put_kept(body, *kept);
                kind::END
            }
            Self::Drop { item, reason } => {
                put_item(body, *item);
                put_reason(body, reason);
                kind::DROP
            }
            Self::Result(result) => {
                put_result(body, result);
                kind::RESULT
            }
            Self::Handoff { item, position } => {
                put_item(body, *item);
                put(body, tag::POSITION, &position.to_le_bytes());
                kind::HANDOFF
            }
            Self::Abort(farewell) => {
                put_farewell(body, farewell);
                kind::ABORT
            }
            Self::Finish => kind::FINISH,
            Self::Summary => kind::SUMMARY,
            Self::KeepAlive => kind::KEEP_ALIVE,
            Self::Block { .. } => kind::BLOCK,
            Self::Skipped => FIRST_SKIPPABLE_KIND,
        }
    }
}

fn put_welcome(body: &mut Vec<u8>, more: Option<&(u16, Token)>, is_fresh: bool) {
    if let Some((streams, token)) = more {
        put(body, tag::STREAMS, &streams.to_le_bytes());
        put(body, tag::TOKEN, token);
    }
    if is_fresh {
        put(body, tag::FRESH, &[1]);
    }
}

fn put_kept(body: &mut Vec<u8>, bytes: u64) {
    if bytes > 0 {
        put(body, tag::KEPT, &bytes.to_le_bytes());
    }
}

fn put_tree(body: &mut Vec<u8>, tree: &TreeRequest) {
    put_text(body, tag::ROOT, &tree.root, ROOT_BYTES_MAX);
    put(body, tag::REPLACE, &[tree.replace.code()]);
    put(body, tag::COMPARE, &[u8::from(tree.compares)]);
}

/// How what was offered is to come.
fn put_ways(body: &mut Vec<u8>, handoff: bool, grain: Option<Grain>) {
    if handoff {
        put(body, tag::HANDOFF, &[1]);
    }
    if let Some(grain) = grain {
        put(body, tag::GRAIN, &grain.get().to_le_bytes());
    }
}

fn put_result(body: &mut Vec<u8>, result: &ItemResult) {
    put_item(body, result.item);
    if result.count != 1 {
        put(body, tag::COUNT, &result.count.to_le_bytes());
    }
    put(body, tag::STATUS, &[result.status.code()]);
    if result.is_durable {
        put(body, tag::DURABLE, &[1]);
    }
    put_sum(body, result.bytes, result.checksum);
    if let Some(reason) = &result.reason {
        put_reason(body, reason);
    }
}

fn put_item(body: &mut Vec<u8>, item: u32) {
    put(body, tag::ITEM, &item.to_le_bytes());
}

fn put_sum(body: &mut Vec<u8>, bytes: Option<u64>, checksum: Option<u64>) {
    if let Some(bytes) = bytes {
        put(body, tag::BYTES, &bytes.to_le_bytes());
    }
    if let Some(checksum) = checksum {
        put(body, tag::CHECKSUM, &checksum.to_le_bytes());
    }
}

fn header(out: &mut Vec<u8>, kind: u8, flags: u8, length: u32) {
    out.extend_from_slice(&[kind, flags, 0, 0]);
    out.extend_from_slice(&length.to_le_bytes());
}

fn put_farewell(body: &mut Vec<u8>, farewell: &Farewell) {
    put_reason(body, &farewell.reason);
    if farewell.returns {
        put(body, tag::RETURNS, &[1]);
    }
}
